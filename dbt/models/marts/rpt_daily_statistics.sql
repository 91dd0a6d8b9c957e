{#- Of each tenant the days from the first one that moved (int_days_moved) are made again. Which
    columns there are is said once, in the yml beside it: each theme brings its own, and the
    contract refuses one that is missing or not described. How many days a theme has is hidden from
    the planner, which would compare each with every other. -#}
{{ config(
    materialized='incremental',
    pre_hook=["{{ forget_moved_days() }}", "{{ join_many_days() }}"],
) }}

with

days_moved as (
    select
        tenant_id,
        base_currency_code,
        known_at
    from {{ ref('int_days_moved') }}
),

subledgers as (
    select * from {{ ref('int_daily_subledgers') }}
),

ledgers as materialized (
    select * from {{ ref('int_daily_ledgers') }}
),

records as (
    select * from {{ ref('int_daily_records') }}
),

-- Using, so that the key comes once and everything else as its theme names it.
joined as (
    select *
    from days_moved
    inner join subledgers using (tenant_id) -- noqa: ST07
    inner join ledgers using (tenant_id, day) -- noqa: ST07
    inner join records using (tenant_id, day) -- noqa: ST07
),

-- What needs more than one theme. The month's form is that of Xero's executive summary.
counted as (
    select
        *,
        {%- for days in [30, 90, 365] %}
        {{ days_of(
            'debtors_base_amount', 'income_trailing_' ~ days ~ '_days_base_amount', days
        ) }} as debtor_days_on_income_of_{{ days }}_days,
        {{ days_of(
            'creditors_base_amount', 'costs_trailing_' ~ days ~ '_days_base_amount', days
        ) }} as creditor_days_on_direct_costs_and_expenses_of_{{ days }}_days,
        {%- endfor %}
        {{ days_of(
            'debtors_base_amount',
            'income_month_to_date_base_amount',
            'extract(day from date_trunc(\'month\', day) + interval \'1 month - 1 day\')'
        ) }} as debtor_days_on_income_of_month_days,
        {{ days_of(
            'creditors_base_amount',
            '(direct_costs_month_to_date_base_amount + operating_expenses_month_to_date_base_amount)',
            'extract(day from date_trunc(\'month\', day) + interval \'1 month - 1 day\')'
        ) }} as creditor_days_on_direct_costs_and_expenses_of_month_days
    from joined
),

final as (
    select
        *,
        debtor_days_on_income_of_365_days
        + inventory_days
        - creditor_days_on_direct_costs_and_expenses_of_365_days as cash_conversion_cycle_days
    from counted
)

select * from final
