{#- A figure of a period is what stood at its end less what stood before it: every row is made of
    levels, found by their day.
    A table, not a view: what so many joins of a table with itself give is taken for a single row,
    and whatever is joined to it would be walked row by row. -#}
{{ config(
    materialized='table',
    pre_hook="{{ join_many_days() }}",
    indexes=[{'columns': ['tenant_id', 'day'], 'unique': true}],
) }}

{%- set moments = {
    'yesterday': 'today.day - 1',
    'before_month': 'today.month_start_date - 1',
    'before_year': 'today.year_start_date - 1',
    'before_30_days': 'today.day - 30',
    'before_90_days': 'today.day - 90',
    'before_365_days': 'today.day - 365',
    'last_year': "(today.day - interval '1 year')::date",
    'before_last_year_day': 'last_year.day - 1',
    'before_last_year_month': 'last_year.month_start_date - 1',
    'before_last_year_year': 'last_year.year_start_date - 1',
} -%}
{%- set periods = {
    'day': 'yesterday', 'month_to_date': 'before_month', 'year_to_date': 'before_year',
} -%}
{%- set lines = [
    'income', 'direct_costs', 'gross_profit', 'other_income', 'operating_expenses',
    'depreciation', 'net_profit',
] -%}
{%- set bases = ['', 'cash_basis_'] -%}
{%- set planned_lines = ['income', 'costs', 'net_profit'] -%}
{%- set last_year_lines = {'': lines, 'cash_basis_': planned_lines} -%}

with

days_moved as (
    select * from {{ ref('int_days_moved') }}
),

levels as not materialized (
    select * from {{ ref('int_ledger_levels_spanned') }}
),

budgets as (
    select * from {{ ref('fct_budgets') }}
    where budget_type = 'OVERALL'
),

accounts as (
    select * from {{ measured_accounts() }} as measured
),

-- Sums of statement lines, as levels.
added as not materialized (
    select
        *,
        {%- for basis in bases %}
        {{ basis }}income_level - {{ basis }}direct_costs_level
            as {{ basis }}gross_profit_level,
        {{ basis }}income_level - {{ basis }}direct_costs_level + {{ basis }}other_income_level
        - {{ basis }}operating_expenses_level as {{ basis }}net_profit_level,
        {{ basis }}direct_costs_level + {{ basis }}operating_expenses_level
            as {{ basis }}costs_level,
        {%- endfor %}
        fixed_assets_level + non_current_assets_level as term_assets_level,
        bank_level + current_assets_level + fixed_assets_level + non_current_assets_level
        + unknown_level - current_liabilities_level - non_current_liabilities_level
            as net_assets_level
    from levels
),

-- An organisation has one overall budget.
overall as (
    select
        tenant_id,
        min(budget_id) as budget_id
    from budgets
    group by tenant_id
),

summed as (
    select
        budgets.tenant_id,
        budgets.month_start_date,
        {%- for line, sections in {
            'income': "('income')",
            'other_income': "('other_income')",
            'costs': "('direct_costs', 'operating_expenses')",
        }.items() %}
        coalesce(sum(budgets.base_amount) filter (where accounts.section in {{ sections }}), 0)
            as {{ line }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from overall
    inner join budgets
        on
            overall.tenant_id = budgets.tenant_id
            and overall.budget_id = budgets.budget_id
    inner join accounts
        on
            budgets.tenant_id = accounts.tenant_id
            and budgets.account_id = accounts.account_id
    group by budgets.tenant_id, budgets.month_start_date
),

profits as (
    select
        *,
        income_amount + other_income_amount - costs_amount as net_profit_amount
    from summed
),

-- With what is planned for the months before.
planned as (
    select
        *,
        {%- for line in planned_lines %}
        sum({{ line }}_amount) over months_before as {{ line }}_before_amount,
        {%- endfor %}
        -- The same for all months between which none is missing.
        month_start_date - interval '1 month' * row_number() over (
            partition by tenant_id
            order by month_start_date
        ) as run_start_date,
        extract(day from month_start_date + interval '1 month - 1 day') as month_days
    from profits
    window months_before as (
        partition by tenant_id
        order by month_start_date
        rows between unbounded preceding and 1 preceding
    )
),

compared as (
    select
        today.tenant_id,
        today.day,
        {%- for basis in bases %}
        {%- for period, moment in periods.items() %}
        {%- for line in lines %}
        today.{{ basis }}{{ line }}_level - {{ moment }}.{{ basis }}{{ line }}_level
            as {{ basis }}{{ line }}_{{ period }}_base_amount,
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
        {%- for line in ['income', 'costs'] %}
        {%- for days in [30, 90, 365] %}
        today.{{ line }}_level - before_{{ days }}_days.{{ line }}_level
            as {{ line }}_trailing_{{ days }}_days_base_amount,
        {%- endfor %}
        {%- endfor %}
        today.direct_costs_level - before_365_days.direct_costs_level
            as direct_costs_trailing_365_days_base_amount,
        {%- for basis, compared_lines in last_year_lines.items() %}
        {%- for line in compared_lines %}
        {%- for period in periods %}
        last_year.{{ basis }}{{ line }}_level
        - before_last_year_{{ period.removesuffix('_to_date') }}.{{ basis }}{{ line }}_level
            as {{ basis }}{{ line }}_{{ period }}_last_year_base_amount,
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
        {%- for basis in bases %}
        {%- for period, moment in periods.items() %}
        today.{{ basis }}costs_level - {{ moment }}.{{ basis }}costs_level
            as {{ basis }}costs_{{ period }}_base_amount,
        {%- endfor %}
        {%- endfor %}
        {%- for part in statement_parts()[1:] %}
        today.net_profit_{{ part }}_level - before_year.net_profit_{{ part }}_level
            as net_profit_year_to_date_{{ part }}_base_amount,
        today.net_assets_{{ part }}_level as net_assets_{{ part }}_base_amount,
        {%- endfor %}
        today.bank_level as cash_in_banks_base_amount,
        {%- for flow in ['received', 'spent'] %}
        today.cash_{{ flow }}_level - yesterday.cash_{{ flow }}_level
            as cash_{{ flow }}_with_transfers_base_amount,
        {%- endfor %}
        {%- for level in [
            'debtors', 'creditors', 'current_assets', 'term_assets', 'current_liabilities',
            'net_assets', 'tax_liability'
        ] %}
        today.{{ level }}_level as {{ level }}_base_amount,
        {%- endfor %}
        today.non_current_liabilities_level as term_liabilities_base_amount,
        today.bank_level + today.current_assets_level - today.current_liabilities_level
            as working_capital_base_amount,
        today.inventory_level as inventory_on_accounts_base_amount,
        {%- for flow in ['tax_output', 'tax_input'] %}
        today.{{ flow }}_level - yesterday.{{ flow }}_level as {{ flow }}_base_amount,
        {%- endfor %}
        {%- for gain in ['realised', 'unrealised'] %}
        {%- for period, moment in periods.items() %}
        today.{{ gain }}_gain_level - {{ moment }}.{{ gain }}_gain_level
            as {{ gain }}_currency_gain_{{ period }}_base_amount,
        {%- endfor %}
        {%- endfor %}
        -- Numerators and denominators of the ratios below.
        today.bank_level + today.current_assets_level as liquid_amount,
        today.bank_level + today.current_assets_level - today.inventory_level
        - today.prepayments_level as quick_amount,
        today.costs_level - today.depreciation_level
        - before_90_days.costs_level + before_90_days.depreciation_level as paid_costs_amount,
        before_90_days.bank_level - today.bank_level as burnt_amount,
        -- A month's budget in equal parts, day by day; the year may begin within a month.
        {%- for line in planned_lines %}
        round(this_month.{{ line }}_amount / this_month.month_days, 2)
            as {{ line }}_budget_day_base_amount,
        round(
            this_month.{{ line }}_amount * extract(day from today.day) / this_month.month_days, 2
        ) as {{ line }}_budget_month_to_date_base_amount,
        round(
            coalesce(this_month.{{ line }}_before_amount, 0)
            + this_month.{{ line }}_amount
            * extract(day from today.day) / this_month.month_days
            - coalesce(first_month.{{ line }}_before_amount, 0)
            - first_month.{{ line }}_amount
            * (today.year_start_date - first_month.month_start_date)
            / first_month.month_days,
            2
        ) as {{ line }}_budget_year_to_date_base_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from days_moved
    inner join added as today
        on
            days_moved.tenant_id = today.tenant_id
            and days_moved.first_day <= today.day
    -- Looked up one by one through the index, however few or many days are made again: hashed, all
    -- days of all organisations would be read ten times.
    {%- for moment, day in moments.items() %}
    cross join lateral (
        select added.*
        from added
        where
            today.tenant_id = added.tenant_id
            and {{ day }} = added.day
        offset 0 -- noqa: AM09
    ) as {{ moment }}
    {%- endfor %}
    left join planned as this_month
        on
            today.tenant_id = this_month.tenant_id
            and today.month_start_date = this_month.month_start_date
    -- The year's, if the budget lacks none of its months up to this one.
    left join planned as first_month
        on
            today.tenant_id = first_month.tenant_id
            and date_trunc('month', today.year_start_date) = first_month.month_start_date
            and this_month.run_start_date = first_month.run_start_date
),

final as (
    select
        tenant_id,
        day,
        {%- for basis in bases %}
        {%- for period in periods %}
        {%- for line in lines %}
        {{ basis }}{{ line }}_{{ period }}_base_amount,
        {%- endfor %}
        {%- for margin in ['gross', 'net'] %}
        {{ ratio_of(
            basis ~ margin ~ '_profit_' ~ period ~ '_base_amount',
            basis ~ 'income_' ~ period ~ '_base_amount',
        ) }} as {{ basis }}{{ margin }}_margin_{{ period }}_ratio,
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
        {%- for line in ['income', 'costs'] %}
        {%- for days in [30, 90, 365] %}
        {{ line }}_trailing_{{ days }}_days_base_amount,
        {%- endfor %}
        {%- endfor %}
        direct_costs_trailing_365_days_base_amount,
        {%- for line in planned_lines %}
        {%- for period in periods %}
        {{ line }}_budget_{{ period }}_base_amount,
        {%- for basis in bases %}
        {{ basis }}{{ line }}_{{ period }}_base_amount - {{ line }}_budget_{{ period }}_base_amount
            as {{ basis }}{{ line }}_budget_variance_{{ period }}_base_amount,
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
        {%- for basis, compared_lines in last_year_lines.items() %}
        {%- for line in compared_lines %}
        {%- for period in periods %}
        {{ basis }}{{ line }}_{{ period }}_last_year_base_amount,
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
        net_profit_year_to_date_revaluation_base_amount,
        net_profit_year_to_date_unexplained_base_amount,
        cash_in_banks_base_amount,
        cash_received_with_transfers_base_amount,
        cash_spent_with_transfers_base_amount,
        cash_received_with_transfers_base_amount - cash_spent_with_transfers_base_amount
            as cash_surplus_with_transfers_base_amount,
        {{ ratio_of('cash_in_banks_base_amount * 90', 'paid_costs_amount') }}
            as cash_on_hand_days,
        case
            when burnt_amount > 0
                then greatest({{ ratio_of('cash_in_banks_base_amount * 90', 'burnt_amount') }}, 0)
        end as cash_runway_days,
        debtors_base_amount,
        creditors_base_amount,
        current_assets_base_amount,
        term_assets_base_amount,
        current_liabilities_base_amount,
        term_liabilities_base_amount,
        net_assets_base_amount,
        working_capital_base_amount,
        net_assets_revaluation_base_amount,
        net_assets_unexplained_base_amount,
        {{ ratio_of('liquid_amount', 'current_liabilities_base_amount') }} as current_ratio,
        {{ ratio_of('quick_amount', 'current_liabilities_base_amount') }} as quick_ratio,
        inventory_on_accounts_base_amount,
        -- Whoever holds no stock binds no money in it, with direct costs or without.
        case
            when inventory_on_accounts_base_amount = 0 then 0
            else {{ ratio_of(
                'inventory_on_accounts_base_amount * 365',
                'direct_costs_trailing_365_days_base_amount',
            ) }}
        end as inventory_days,
        tax_output_base_amount,
        tax_input_base_amount,
        tax_liability_base_amount,
        {%- for gain in ['realised', 'unrealised'] %}
        {%- set gain_loop = loop %}
        {%- for period in periods %}
        {{ gain }}_currency_gain_{{ period }}_base_amount
        {{- ',' if not (loop.last and gain_loop.last) }}
        {%- endfor %}
        {%- endfor %}
    from compared
)

select * from final
