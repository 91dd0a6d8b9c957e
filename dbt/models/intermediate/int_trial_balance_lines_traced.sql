{{ config(materialized='table') }}

with

revalued as (
    select * from {{ ref('int_trial_balance_lines_revalued') }}
),

reports as (
    select * from {{ ref('int_trial_balances_placed') }}
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

charts as not materialized (
    select
        accounts.tenant_id,
        accounts.account_id,
        {{ is_temporary_account('accounts') }} as is_temporary
    from accounts
),

-- A line that is back at nothing may be in neither report nor documents any more, and has moved.
lines as (
    select
        revalued.*,
        false as is_absent
    from revalued
    union all
    select
        reports.tenant_id,
        'TrialBalance' as report,
        reports.report_id,
        reports.basis,
        reports.report_date,
        reports.known_at,
        true as is_comparable,
        kept.measure,
        kept.line_key,
        null as line_label,
        kept.line_key as account_id,
        0 as documents_amount,
        0 as xero_amount,
        0 as revaluation_amount,
        true as is_absent
    from reports
    inner join kept
        on
            reports.tenant_id = kept.tenant_id
            and reports.basis = kept.basis
            and reports.former_date = kept.report_date
            and reports.former_known_at = kept.known_at
            and kept.difference <> 0
    left join revalued
        on
            reports.tenant_id = revalued.tenant_id
            and reports.report_id = revalued.report_id
            and reports.known_at = revalued.known_at
            and kept.measure = revalued.measure
            and kept.line_key = revalued.line_key
    where revalued.line_key is null
),

marked as (
    select
        lines.*,
        accounts.system_account,
        accounts.account_type,
        accounts.account_class,
        accounts.system_account is null as is_plain,
        {{ is_temporary_account('accounts') }} as is_temporary,
        accounts.account_type = 'BANK'
        and accounts.currency_code = tenants.base_currency_code as is_base_bank,
        coalesce(reports.is_opening_year, false) as is_opening_year,
        coalesce(reports.has_claims, false) as has_claims,
        coalesce(reports.has_depreciation, false) as has_depreciation,
        lines.xero_amount - lines.documents_amount - lines.revaluation_amount as difference,
        reports.former_date,
        reports.former_known_at,
        reports.year_start_date,
        reports.month_start_date
    from lines
    inner join tenants on lines.tenant_id = tenants.tenant_id
    left join accounts
        on
            lines.tenant_id = accounts.tenant_id
            and lines.account_id = accounts.account_id
    left join reports
        on
            lines.tenant_id = reports.tenant_id
            and lines.report_id = reports.report_id
            and lines.known_at = reports.known_at
),

-- From which day a line counts: a month and the costs of a year begin at nothing.
placed as (
    select
        *,
        case
            when measure = 'month' then month_start_date
            when is_temporary then year_start_date
            else '-infinity'::date
        end as first_day,
        coalesce(system_account = 'RETAINEDEARNINGS', false)
        and measure = 'balance' as is_retained
    from marked
),

-- What a line differed by for a cause, and what of it was broken, when that was last told apart:
-- it stays broken until it is mended. Null where nothing was compared before.
stood as (
    select
        placed.*,
        case
            when placed.former_date is null then null
            -- Closed years moved to it.
            when placed.is_retained and placed.former_date < placed.year_start_date then null
            else coalesce(last_line.difference - last_line.broken_amount, earlier.level_amount, 0)
        end as level_amount,
        coalesce(last_line.broken_amount, earlier.broken_amount, 0) as former_broken_amount,
        coalesce(earlier.report_date, placed.former_date) as last_day,
        coalesce(earlier.documents_amount, last_line.documents_amount, 0)
            as former_documents_amount
    from placed
    left join kept as last_line
        on
            placed.tenant_id = last_line.tenant_id
            and placed.basis = last_line.basis
            and placed.former_date = last_line.report_date
            and placed.former_known_at = last_line.known_at
            and placed.measure = last_line.measure
            and placed.line_key = last_line.line_key
            and placed.first_day <= last_line.report_date
    left join lateral (
        select
            kept.report_date,
            kept.documents_amount,
            kept.broken_amount,
            kept.difference - kept.broken_amount as level_amount
        from kept
        where
            last_line.tenant_id is not null
            and last_line.broken_amount is null
            and last_line.tenant_id = kept.tenant_id
            and last_line.basis = kept.basis
            and last_line.report_date > kept.report_date
            and last_line.measure = kept.measure
            and last_line.line_key = kept.line_key
            and placed.first_day <= kept.report_date
            and kept.broken_amount is not null
        order by kept.report_date desc, kept.known_at desc
        limit 1
    ) as earlier on true
),

-- By how much a line differs otherwise than for the causes it had; and by how much documents say
-- more of those days than they did then.
final as (
    select
        stood.tenant_id,
        stood.report,
        stood.report_id,
        stood.basis,
        stood.report_date,
        stood.known_at,
        stood.is_comparable,
        stood.measure,
        stood.line_key,
        stood.line_label,
        stood.account_id,
        stood.system_account,
        stood.account_type,
        stood.account_class,
        stood.is_plain,
        stood.is_temporary,
        stood.is_base_bank,
        stood.has_claims,
        stood.has_depreciation,
        stood.is_absent,
        stood.documents_amount,
        stood.revaluation_amount,
        stood.xero_amount,
        stood.difference,
        stood.former_date,
        stood.former_broken_amount,
        stood.difference - stood.level_amount as moved_amount,
        coalesce(own.amount, 0) + coalesce(closed.amount, 0) - stood.former_documents_amount
            as late_amount,
        -- Nothing but a conversion brings income that no document tells of.
        stood.is_opening_year
        and bool_or(stood.account_class = 'REVENUE' and stood.difference <> 0) over (
            partition by stood.tenant_id, stood.report_id, stood.known_at, stood.measure
        ) as has_opening_profit
    from stood
    {{ join_documents_by_now('stood', 'line_key', 'stood.difference <> stood.level_amount') }}
)

select * from final
