{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'basis', 'account_id', 'day'], 'unique': true}],
) }}

with

tie_out as (
    select * from {{ ref('rpt_tie_out') }}
    where
        report = 'TrialBalance'
        and measure = 'balance'
        and status <> 'not_compared'
),

healed as (
    select * from {{ ref('int_levels_healed') }}
),

cash_profits as (
    select * from {{ ref('int_cash_profits_moved') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

charts as (
    select * from {{ ref('dim_accounts') }}
),

report_days as (
    {{ comparisons_that_hold("summary.report = 'TrialBalance'") }}
),

years as (
    select
        report_days.*,
        {{ financial_year_start(
            'report_days.report_date',
            'tenants.financial_year_end_day',
            'tenants.financial_year_end_month',
        ) }} as year_start_date
    from report_days
    inner join tenants on report_days.tenant_id = tenants.tenant_id
),

retained as (
    select
        tenants.tenant_id,
        coalesce(min(charts.account_id), 'RETAINEDEARNINGS') as account_id
    from tenants
    left join charts
        on
            tenants.tenant_id = charts.tenant_id
            and charts.system_account = 'RETAINEDEARNINGS'
    group by tenants.tenant_id
),

-- Accounts that any report has ever left a level on; one that it no longer leaves is 0.
named as (
    select
        tenant_id,
        basis,
        line_key as account_id
    from tie_out
    where
        difference <> 0
        or revaluation_amount <> 0
    group by tenant_id, basis, line_key
),

accounts as (
    select
        named.tenant_id,
        named.basis,
        named.account_id,
        {{ is_temporary_account('charts') }} as is_temporary,
        false as is_retained
    from named
    inner join retained
        on
            named.tenant_id = retained.tenant_id
            and named.account_id <> retained.account_id
    left join charts
        on
            named.tenant_id = charts.tenant_id
            and named.account_id = charts.account_id
    union all
    select
        named.tenant_id,
        named.basis,
        retained.account_id,
        false as is_temporary,
        true as is_retained
    from named
    inner join retained on named.tenant_id = retained.tenant_id
    group by named.tenant_id, named.basis, retained.account_id
),

levels as (
    select
        accounts.tenant_id,
        accounts.basis,
        accounts.account_id,
        accounts.is_temporary,
        accounts.is_retained,
        years.report_date,
        years.year_start_date,
        coalesce(tie_out.revaluation_amount, 0) as revaluation_level,
        case
            when years.is_of_this_ledger
                then coalesce(healed.unexplained_level, tie_out.difference, 0)
            else 0
        end as unexplained_level
    from accounts
    inner join years
        on
            accounts.tenant_id = years.tenant_id
            and accounts.basis = years.basis
    left join tie_out
        on
            accounts.tenant_id = tie_out.tenant_id
            and accounts.basis = tie_out.basis
            and accounts.account_id = tie_out.line_key
            and years.report_date = tie_out.report_date
            and years.known_at = tie_out.known_at
    left join healed
        on
            accounts.tenant_id = healed.tenant_id
            and accounts.basis = healed.basis
            and accounts.account_id = healed.account_id
            and years.report_date = healed.report_date
),

former as (
    select
        *,
        lag(year_start_date) over by_date as former_year_start_date,
        {%- for part in statement_parts()[1:] %}
        coalesce(lag({{ part }}_level) over by_date, 0)
            as former_{{ part }}_level{{ ',' if not loop.last }}
        {%- endfor %}
    from levels
    window by_date as (partition by tenant_id, basis, account_id order by report_date)
),

-- Reports say of income and costs what the open year brought: a new year begins at 0, and what
-- the closed one left stays behind.
temporary as (
    select
        tenant_id,
        basis,
        account_id,
        report_date,
        {%- for part in statement_parts()[1:] %}
        {{ part }}_level
        - case
            when former_year_start_date = year_start_date then former_{{ part }}_level else 0
        end as {{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from former
    where is_temporary
),

closed as (
    select
        years.tenant_id,
        years.basis,
        years.report_date,
        {%- for part in statement_parts()[1:] %}
        sum(temporary.{{ part }}_amount) as {{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from years
    inner join temporary
        on
            years.tenant_id = temporary.tenant_id
            and years.basis = temporary.basis
            and years.year_start_date > temporary.report_date
    group by years.tenant_id, years.basis, years.report_date
),

-- Of retained earnings reports say it with the closed years, which the statements add themselves.
standing as (
    select
        former.tenant_id,
        former.basis,
        former.account_id,
        former.report_date,
        {%- for part in statement_parts()[1:] %}
        former.{{ part }}_level
        - case when former.is_retained then coalesce(closed.{{ part }}_amount, 0) else 0 end
            as {{ part }}_level{{ ',' if not loop.last }}
        {%- endfor %}
    from former
    left join closed
        on
            former.tenant_id = closed.tenant_id
            and former.basis = closed.basis
            and former.report_date = closed.report_date
    where not former.is_temporary
),

permanent as (
    select
        tenant_id,
        basis,
        account_id,
        report_date,
        {%- for part in statement_parts()[1:] %}
        {{ part }}_level - coalesce(lag({{ part }}_level) over by_date, 0)
            as {{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from standing
    window by_date as (partition by tenant_id, basis, account_id order by report_date)
),

united as (
    select * from temporary
    union all
    select * from permanent
),

final as (
    select
        tenant_id,
        basis,
        account_id,
        report_date as day,
        revaluation_amount,
        unexplained_amount
    from united
    where
        revaluation_amount <> 0
        or unexplained_amount <> 0
    union all
    select
        tenant_id,
        basis,
        account_id,
        day,
        revaluation_amount,
        unexplained_amount
    from cash_profits
)

select * from final
