{{ config(materialized='table') }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

accounts as (
    select * from {{ ref('stg_xero__accounts') }}
),

report_lines as (
    select * from {{ ref('int_report_lines_unnested') }}
),

trial_balances as (
    select * from {{ ref('stg_xero__trial_balances') }}
),

account_days as (
    select * from {{ ref('int_account_days_summed') }}
),

confirmed as (
    select * from {{ ref('stg_xero__reports_confirmed') }}
),

-- Report and documents of one extraction, all of its tries, are held against each other: of an
-- older or a lost version the documents are no longer known.
reports as (
    select
        trial_balances.tenant_id,
        'TrialBalance' as report,
        trial_balances.trial_balance_id as report_id,
        trial_balances.basis,
        trial_balances.report_date,
        {{ known_with_documents('trial_balances') }},
        date_trunc('month', trial_balances.report_date)::date as month_start_date,
        {{ financial_year_start(
            'trial_balances.report_date',
            'tenants.financial_year_end_day',
            'tenants.financial_year_end_month',
        ) }} as year_start_date
    from trial_balances
    inner join tenants on trial_balances.tenant_id = tenants.tenant_id
    left join confirmed
        on
            trial_balances.tenant_id = confirmed.tenant_id
            and trial_balances.trial_balance_id = confirmed.report_id
    where {{ is_compared_anew('trial_balances') }}
),

charts as (
    select
        accounts.tenant_id,
        accounts.account_id,
        accounts.account_name,
        accounts.system_account,
        {{ is_temporary_account('accounts') }} as is_temporary
    from accounts
),

retained as (
    select
        tenant_id,
        min(account_id) as account_id
    from charts
    where system_account = 'RETAINEDEARNINGS'
    group by tenant_id
),

days as (
    select
        reports.tenant_id,
        reports.report_id,
        account_days.account_id,
        coalesce(charts.is_temporary, false) as is_temporary,
        coalesce(sum(account_days.documents_amount) filter (
            where account_days.day >= reports.year_start_date
        ), 0) as year_amount,
        coalesce(sum(account_days.documents_amount) filter (
            where account_days.day < reports.year_start_date
        ), 0) as earlier_amount,
        coalesce(sum(account_days.documents_amount) filter (
            where account_days.day >= reports.month_start_date
        ), 0) as month_amount
    from reports
    inner join account_days
        on
            reports.tenant_id = account_days.tenant_id
            and reports.basis = account_days.basis
            and reports.report_date >= account_days.day
    left join charts
        on
            account_days.tenant_id = charts.tenant_id
            and account_days.account_id = charts.account_id
    where reports.is_comparable
    group by
        reports.tenant_id, reports.report_id, account_days.account_id, charts.is_temporary
),

-- There is no closing journal: the profit of closed years shows on retained earnings.
documented as (
    select
        tenant_id,
        report_id,
        'balance' as measure,
        account_id,
        case when is_temporary then year_amount else earlier_amount + year_amount end as amount
    from days
    union all
    select
        days.tenant_id,
        days.report_id,
        'balance' as measure,
        coalesce(retained.account_id, 'RETAINEDEARNINGS') as account_id,
        days.earlier_amount as amount
    from days
    left join retained on days.tenant_id = retained.tenant_id
    where days.is_temporary
    union all
    select
        tenant_id,
        report_id,
        'month' as measure,
        account_id,
        month_amount as amount
    from days
),

documents as (
    select
        tenant_id,
        report_id,
        measure,
        account_id as line_key,
        sum(amount) as documents_amount
    from documented
    group by tenant_id, report_id, measure, account_id
    having sum(amount) <> 0
),

reported as (
    select
        report_lines.tenant_id,
        report_lines.report_id,
        columns.measure,
        coalesce(report_lines.account_id, report_lines.line_label) as line_key,
        max(report_lines.line_label) as line_label,
        sum(
            coalesce(report_lines.amounts[columns.debit_column], 0)
            - coalesce(report_lines.amounts[columns.debit_column + 1], 0)
        ) as xero_amount
    from reports
    inner join report_lines
        on
            reports.tenant_id = report_lines.tenant_id
            and reports.report_id = report_lines.report_id
    cross join (values ('month', 1), ('balance', 3)) as columns (measure, debit_column)
    where coalesce(report_lines.account_id, report_lines.line_label) is not null
    group by
        report_lines.tenant_id, report_lines.report_id, columns.measure,
        coalesce(report_lines.account_id, report_lines.line_label)
),

matched as (
    select
        coalesce(reported.tenant_id, documents.tenant_id) as tenant_id,
        coalesce(reported.report_id, documents.report_id) as report_id,
        coalesce(reported.measure, documents.measure) as measure,
        coalesce(reported.line_key, documents.line_key) as line_key,
        reported.line_label,
        coalesce(reported.xero_amount, 0) as xero_amount,
        coalesce(documents.documents_amount, 0) as documents_amount
    from reported
    full join documents
        on
            reported.tenant_id = documents.tenant_id
            and reported.report_id = documents.report_id
            and reported.measure = documents.measure
            and reported.line_key = documents.line_key
),

final as (
    select
        reports.tenant_id,
        reports.report,
        reports.report_id,
        reports.basis,
        reports.report_date,
        reports.known_at,
        reports.is_comparable,
        matched.measure,
        matched.line_key,
        coalesce(matched.line_label, charts.account_name, 'Account missing') as line_label,
        charts.account_id,
        matched.documents_amount,
        matched.xero_amount
    from matched
    inner join reports
        on
            matched.tenant_id = reports.tenant_id
            and matched.report_id = reports.report_id
    left join charts
        on
            matched.tenant_id = charts.tenant_id
            and matched.line_key = charts.account_id
)

select * from final
