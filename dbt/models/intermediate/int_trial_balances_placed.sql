{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'report_id', 'known_at'], 'unique': true}],
) }}

with

compared as (
    select * from {{ ref('int_report_lines_compared') }}
    where is_comparable
),

accounts as (
    select * from {{ ref('stg_xero__accounts') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

kept as not materialized (
    {{ trial_balances_before_this_build() }}
),

account_days as not materialized (
    select * from {{ ref('int_account_days_summed') }}
),

reports as (
    select
        compared.tenant_id,
        compared.report_id,
        compared.known_at,
        compared.basis,
        compared.report_date,
        date_trunc('month', compared.report_date)::date as month_start_date,
        {{ financial_year_start(
            'compared.report_date',
            'tenants.financial_year_end_day',
            'tenants.financial_year_end_month',
        ) }} as year_start_date
    from compared
    inner join tenants on compared.tenant_id = tenants.tenant_id
    group by
        compared.tenant_id, compared.report_id, compared.known_at, compared.basis,
        compared.report_date, tenants.financial_year_end_day, tenants.financial_year_end_month
),

-- Nobody books money before the conversion, though invoices may be older: what was brought over is
-- older than the first of it, and of income and costs it is in the financial year of that day.
opened as (
    select
        accounts.tenant_id,
        min(first_days.day) as opened_day
    from accounts
    cross join lateral (
        select account_days.day
        from account_days
        where
            accounts.tenant_id = account_days.tenant_id
            and account_days.basis = 'accrual'
            and accounts.account_id = account_days.account_id
        order by account_days.day
        limit 1
    ) as first_days
    where
        accounts.is_bank_account
        and exists (
            select from reports
            where accounts.tenant_id = reports.tenant_id
        )
    group by accounts.tenant_id
),

-- What was compared before: what a cause explains today stood there, or came since.
former as (
    select
        reports.tenant_id,
        reports.report_id,
        reports.known_at,
        reports.basis,
        last_kept.report_date as former_date,
        last_kept.known_at as former_known_at
    from reports
    cross join lateral (
        select
            kept.report_date,
            kept.known_at
        from kept
        where
            reports.tenant_id = kept.tenant_id
            and reports.basis = kept.basis
            and reports.report_date >= kept.report_date
            and reports.known_at > kept.known_at
        order by kept.report_date desc, kept.known_at desc
        limit 1
    ) as last_kept
),

-- Claims that are paid leave nothing on their account but the line itself, and not even that when
-- the month is over, and depreciation leaves none when the year is: they were seen in another
-- report, or in the one before.
seen_now as (
    select
        compared.tenant_id,
        bool_or(accounts.system_account = 'UNPAIDEXPCLM') as has_claims,
        bool_or(
            accounts.account_type = 'DEPRECIATN'
            and compared.xero_amount <> compared.documents_amount
        ) as has_depreciation
    from compared
    inner join accounts
        on
            compared.tenant_id = accounts.tenant_id
            and compared.account_id = accounts.account_id
    group by compared.tenant_id
),

seen_before as (
    select
        former.tenant_id,
        former.report_id,
        former.known_at,
        bool_or(kept.cause like '%EXPENSE_CLAIMS%') as has_claims,
        bool_or(kept.cause like '%DEPRECIATION%') as has_depreciation
    from former
    inner join kept
        on
            former.tenant_id = kept.tenant_id
            and former.basis = kept.basis
            and former.former_date = kept.report_date
            and former.former_known_at = kept.known_at
    group by former.tenant_id, former.report_id, former.known_at
),

final as (
    select
        reports.tenant_id,
        reports.report_id,
        reports.known_at,
        reports.basis,
        reports.report_date,
        reports.month_start_date,
        reports.year_start_date,
        former.former_date,
        former.former_known_at,
        coalesce(reports.year_start_date <= opened.opened_day, true) as is_opening_year,
        coalesce(seen_now.has_claims, false)
        or coalesce(seen_before.has_claims, false) as has_claims,
        coalesce(seen_now.has_depreciation, false)
        or coalesce(seen_before.has_depreciation, false) as has_depreciation
    from reports
    left join former
        on
            reports.tenant_id = former.tenant_id
            and reports.report_id = former.report_id
            and reports.known_at = former.known_at
    left join opened on reports.tenant_id = opened.tenant_id
    left join seen_now on reports.tenant_id = seen_now.tenant_id
    left join seen_before
        on
            reports.tenant_id = seen_before.tenant_id
            and reports.report_id = seen_before.report_id
            and reports.known_at = seen_before.known_at
)

select * from final
