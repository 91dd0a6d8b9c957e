{#- CTEs have no statistics: taken for single rows, they would be walked row by row. -#}
{{ config(
    materialized='incremental',
    pre_hook=[
        "{{ forget_moved_days(days_before=days_before_window()) }}", "{{ join_many_days() }}"
    ],
    indexes=[{'columns': ['tenant_id', 'day'], 'unique': true}],
) }}

{%- set kept_columns = {'tenant_id': 'uuid', 'day': 'date'} %}
{%- for _, _, column in levelled_measures() %}
{%- do kept_columns.update({column ~ '_level': 'numeric'}) %}
{%- endfor %}

with

days_moved as (
    select * from {{ ref('int_days_moved') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

all_ledger_days as not materialized (
    select * from {{ ref('int_ledger_days_summed') }}
),

reported_days as (
    select * from {{ ref('int_account_levels_moved') }}
),

accounts as (
    select * from {{ measured_accounts() }} as measured
),

kept as not materialized (
    {{ rows_before_this_build(kept_columns) }}
),

-- The same day a year before, and the year that it lies in, are looked up here, too.
moved_spans as (
    select
        days_moved.tenant_id,
        case
            when days_moved.first_day = days_moved.window_first_day
                then days_moved.first_day - {{ days_before_window() }}
            else days_moved.first_day
        end as first_day,
        days_moved.last_day,
        tenants.financial_year_end_day,
        tenants.financial_year_end_month
    from days_moved
    inner join tenants on days_moved.tenant_id = tenants.tenant_id
),

-- Where the day before is kept, its levels open the span; otherwise everything before it does.
openings as (
    select
        moved_spans.tenant_id,
        moved_spans.first_day as day,
        {%- for _, _, column in levelled_measures() %}
        former.{{ column }}_level as {{ column }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from moved_spans
    cross join lateral (
        select kept.*
        from kept
        where
            moved_spans.tenant_id = kept.tenant_id
            and moved_spans.first_day - 1 = kept.day
        offset 0 -- noqa: AM09
    ) as former
),

spans as (
    select
        moved_spans.*,
        case
            when openings.tenant_id is null then '-infinity'::date else moved_spans.first_day
        end as first_summed_day
    from moved_spans
    left join openings on moved_spans.tenant_id = openings.tenant_id
),

ledger_days as (
    select summed.*
    from spans
    cross join lateral (
        select all_ledger_days.*
        from all_ledger_days
        where
            spans.tenant_id = all_ledger_days.tenant_id
            and spans.first_summed_day <= all_ledger_days.day
            and spans.last_day >= all_ledger_days.day
        offset 0 -- noqa: AM09
    ) as summed
),

sectioned as (
    select
        reported_days.*,
        {{ section_or_unknown('accounts.section', 'reported_days.account_id') }} as section,
        accounts.account_type,
        accounts.system_account,
        reported_days.revaluation_amount + reported_days.unexplained_amount as amount
    from reported_days
    left join accounts
        on
            reported_days.tenant_id = accounts.tenant_id
            and reported_days.account_id = accounts.account_id
),

{%- set profit = "section in ('income', 'other_income', 'direct_costs', 'operating_expenses')" %}

-- What no document has, by day, with the signs of the statements.
reported as (
    select
        tenant_id,
        basis,
        day,
        {%- for measure, (condition, sign) in ledger_measures().items() %}
        {{ measure_sum('amount', condition, sign) }} as {{ measure }}_amount,
        {%- endfor %}
        {%- for flow, sign in [('cash_received', ''), ('cash_spent', '-')] %}
        coalesce(sum(
            greatest({{ sign }}revaluation_amount, 0) + greatest({{ sign }}unexplained_amount, 0)
        ) filter (where section = 'bank'), 0) as {{ flow }}_amount,
        {%- endfor %}
        0 as tax_output_amount,
        0 as tax_input_amount,
        {%- for part in statement_parts()[1:] %}
        coalesce(sum({{ part }}_amount) filter (
            where section <> 'equity' and not {{ profit }}
        ), 0) as net_assets_{{ part }}_amount,
        -coalesce(sum({{ part }}_amount) filter (where {{ profit }}), 0)
            as net_profit_{{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from sectioned
    group by tenant_id, basis, day
),

{%- set measures = ledger_measures().keys() | list + ledger_flows() %}

united as (
    select
        tenant_id,
        basis,
        day,
        {%- for measure in measures %}
        {{ measure }}_amount,
        {%- endfor %}
        {%- for measure in reported_measures() %}
        0 as {{ measure }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from ledger_days
    union all
    select
        tenant_id,
        basis,
        day,
        {%- for measure in measures + reported_measures() %}
        {{ measure }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from reported
),

-- What happened before the span opens it.
summed as (
    select
        united.tenant_id,
        greatest(united.day, spans.first_day) as day,
        {%- for basis, measure, column in levelled_measures() %}
        coalesce(sum(united.{{ measure }}_amount) filter (where united.basis = '{{ basis }}'), 0)
            as {{ column }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from united
    inner join spans
        on
            united.tenant_id = spans.tenant_id
            and united.day >= spans.first_summed_day
            and united.day <= spans.last_day
    group by united.tenant_id, greatest(united.day, spans.first_day)
),

moved as (
    select
        tenant_id,
        day,
        {%- for _, _, column in levelled_measures() %}
        sum({{ column }}_amount) as {{ column }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select * from summed
        union all
        select * from openings
    ) as opened
    group by tenant_id, day
),

-- One financial year begins in each calendar year: the one that its last day lies in.
years as (
    select
        spans.tenant_id,
        year::integer as year,
        {{ financial_year_start(
            'make_date(year::integer, 12, 31)',
            'spans.financial_year_end_day',
            'spans.financial_year_end_month',
        ) }} as year_start_date
    from spans
    cross join lateral generate_series(
        extract(year from spans.first_day)::integer - 1, extract(year from spans.last_day)::integer
    ) as year
),

days as (
    select
        spans.tenant_id,
        day::date as day,
        date_trunc('month', day)::date as month_start_date,
        greatest(
            former_years.year_start_date,
            case when day >= years.year_start_date then years.year_start_date end
        ) as year_start_date
    from spans
    cross join lateral generate_series(
        spans.first_day::timestamp, spans.last_day::timestamp, interval '1 day'
    ) as day
    inner join years
        on
            spans.tenant_id = years.tenant_id
            and extract(year from day) = years.year
    inner join years as former_years
        on
            years.tenant_id = former_years.tenant_id
            and years.year = former_years.year + 1
),

final as (
    select
        days.tenant_id,
        days.day,
        days.month_start_date,
        days.year_start_date,
        {%- for _, _, column in levelled_measures() %}
        coalesce(sum(moved.{{ column }}_amount) over until_day, 0)
            as {{ column }}_level{{ ',' if not loop.last }}
        {%- endfor %}
    from days
    left join moved
        on
            days.tenant_id = moved.tenant_id
            and days.day = moved.day
    window until_day as (
        partition by days.tenant_id
        order by days.day
    )
)

select * from final
