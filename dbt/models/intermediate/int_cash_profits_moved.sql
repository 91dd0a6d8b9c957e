{#- There is no trial balance on cash basis. Its profit and loss has the month so far, so that a
    month begins at nothing. Only what has a cause by name counts: documents may tell the rest later.
    The other side is on accounts that no report on cash basis names.
    CTEs have no statistics: taken for single rows, they would be walked row by row. -#}
{{ config(
    materialized='table',
    pre_hook="set local enable_nestloop = off",
    indexes=[{'columns': ['tenant_id', 'account_id', 'day'], 'unique': true}],
) }}

with

-- One row a report: of the lines, years of them, only those are looked up that can matter.
summaries as (
    select * from {{ ref('rpt_tie_out_summary') }}
    where
        basis = 'cash'
        and lines > not_compared_lines
),

tie_out as not materialized (
    select * from {{ ref('rpt_tie_out') }}
    where status <> 'not_compared'
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

gains as (
    select
        tenant_id,
        min(account_id) as account_id
    from accounts
    where system_account = 'BANKCURRENCYGAIN'
    group by tenant_id
),

-- Where somebody reads a trial balance on cash basis, it says more.
balanced as (
    select tenant_id
    from summaries
    where report = 'TrialBalance'
    group by tenant_id
),

report_days as (
    select held.*
    from (
        {{ comparisons_that_hold(
            "summary.report = 'ProfitAndLoss' and summary.basis = 'cash'"
        ) }}
    ) as held
    left join balanced on held.tenant_id = balanced.tenant_id
    where balanced.tenant_id is null
),

-- Of a broken line it is known what causes explain where it differs as on accrual basis, or by
-- what they explain there; null where it is not. Of currency gains only those of banks are added.
-- Report by report through the index: joined, all years of all reports would be read.
keyed as (
    select
        report_days.tenant_id,
        report_days.report_date,
        case
            when differing.line_key = 'FXGROUPID'
                then coalesce(gains.account_id, differing.line_key)
            else differing.line_key
        end as account_id,
        differing.revaluation_amount,
        case
            when not report_days.is_of_this_ledger then 0
            when differing.status <> 'broken' then differing.difference
            when
                differing.difference
                in (accrual.difference, accrual.difference - accrual.broken_amount)
                then accrual.difference - accrual.broken_amount
        end as unexplained_amount
    from report_days
    cross join lateral (
        select tie_out.*
        from tie_out
        where
            report_days.tenant_id = tie_out.tenant_id
            and tie_out.report = 'ProfitAndLoss'
            and tie_out.basis = 'cash'
            and report_days.report_date = tie_out.report_date
            and report_days.known_at = tie_out.known_at
            and (tie_out.difference <> 0 or tie_out.revaluation_amount <> 0)
        offset 0 -- noqa: AM09
    ) as differing
    left join lateral (
        select
            tie_out.difference,
            tie_out.broken_amount
        from tie_out
        where
            differing.status = 'broken'
            and differing.tenant_id = tie_out.tenant_id
            and tie_out.report = 'TrialBalance'
            and tie_out.basis = 'accrual'
            and differing.report_date = tie_out.report_date
            and tie_out.measure = 'month'
            and differing.line_key = tie_out.line_key
            and differing.known_at = tie_out.known_at
        offset 0 -- noqa: AM09
    ) as accrual on true
    left join gains on report_days.tenant_id = gains.tenant_id
),

lines as (
    select
        tenant_id,
        report_date,
        account_id,
        sum(revaluation_amount) as revaluation_level,
        case when bool_and(unexplained_amount is not null) then sum(unexplained_amount) end
            as unexplained_level
    from keyed
    group by tenant_id, report_date, account_id
),

-- Accounts that any report has ever left a level on; one that it no longer leaves is 0.
named as (
    select
        tenant_id,
        account_id
    from lines
    where
        revaluation_level <> 0
        or unexplained_level <> 0
    group by tenant_id, account_id
),

found as (
    select
        named.tenant_id,
        named.account_id,
        report_days.report_date,
        date_trunc('month', report_days.report_date)::date as month_start_date,
        coalesce(lines.revaluation_level, 0) as revaluation_level,
        case when lines.tenant_id is null then 0 else lines.unexplained_level end
            as unexplained_level
    from named
    inner join report_days on named.tenant_id = report_days.tenant_id
    left join lines
        on
            named.tenant_id = lines.tenant_id
            and named.account_id = lines.account_id
            and report_days.report_date = lines.report_date
),

counted as (
    select
        *,
        count(unexplained_level) over (
            partition by tenant_id, account_id, month_start_date
            order by report_date
        ) as known_reports
    from found
),

-- While it is not known, the level of the month's last report of which it was stays.
levels as (
    select
        tenant_id,
        account_id,
        report_date,
        month_start_date,
        revaluation_level,
        coalesce(first_value(unexplained_level) over (
            partition by tenant_id, account_id, month_start_date, known_reports
            order by report_date
        ), 0) as unexplained_level
    from counted
),

moved as (
    select
        tenant_id,
        account_id,
        report_date,
        {%- for part in statement_parts()[1:] %}
        {{ part }}_level - coalesce(lag({{ part }}_level) over in_month, 0)
            as {{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from levels
    window in_month as (
        partition by tenant_id, account_id, month_start_date
        order by report_date
    )
),

united as (
    select * from moved
    union all
    select
        tenant_id,
        '' as account_id,
        report_date,
        {%- for part in statement_parts()[1:] %}
        -sum({{ part }}_amount) as {{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from moved
    group by tenant_id, report_date
),

final as (
    select
        tenant_id,
        'cash' as basis,
        account_id,
        report_date as day,
        revaluation_amount,
        unexplained_amount
    from united
    where
        revaluation_amount <> 0
        or unexplained_amount <> 0
)

select * from final
