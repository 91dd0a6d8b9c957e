{{ config(
    materialized='incremental',
    pre_hook="{{ forget_replanned() }}",
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
    where
        is_rebuilt is not false
        or is_replanned
),

budgets as (
    select * from {{ ref('stg_xero__budgets') }}
),

versions as (
    select * from {{ ref('stg_xero__budget_versions') }}
),

-- Its name and what it is for are those of now.
known as (
    select
        budgets.tenant_id,
        budgets.budget_id,
        budgets.budget_type,
        budgets.description as budget_description,
        budgets.tracking,
        versions.known_from,
        versions.asked_first_month_date,
        versions.asked_last_month_date,
        versions.budget_lines
    from tenants
    inner join budgets on tenants.tenant_id = budgets.tenant_id
    inner join versions
        on
            budgets.tenant_id = versions.tenant_id
            and budgets.budget_id = versions.budget_id
),

lines as (
    select
        known.tenant_id,
        known.budget_id,
        known.budget_type,
        known.budget_description,
        known.known_from,
        {{ xero_budget_line_columns('line.element', 'known.tracking') }}
    from known
    cross join lateral jsonb_array_elements(known.budget_lines) as line (element)
),

months as (
    select
        lines.*,
        {{ xero_budget_balance_columns('balance.element') }}
    from lines
    cross join lateral jsonb_array_elements(lines.balances) as balance (element)
),

-- Of a month that was asked for a version says also that nothing is planned for it any more.
told as (
    select
        tenant_id,
        budget_id,
        month_start_date,
        known_from
    from months
    union all
    select
        known.tenant_id,
        known.budget_id,
        month.first_day::date as month_start_date,
        known.known_from
    from known
    cross join lateral generate_series(
        known.asked_first_month_date::timestamp,
        known.asked_last_month_date::timestamp,
        interval '1 month'
    ) as month (first_day)
),

newest as (
    select
        tenant_id,
        budget_id,
        month_start_date,
        max(known_from) as known_from
    from told
    group by tenant_id, budget_id, month_start_date
),

final as (
    select
        months.tenant_id,
        months.budget_id,
        months.budget_type,
        months.budget_description,
        months.tracking_option_1_id,
        months.tracking_option_2_id,
        months.account_id,
        months.account_code,
        months.month_start_date,
        sum(months.base_amount) as base_amount
    from months
    inner join newest
        on
            months.tenant_id = newest.tenant_id
            and months.budget_id = newest.budget_id
            and months.month_start_date = newest.month_start_date
            and months.known_from = newest.known_from
    where
        months.account_id is not null
        and months.base_amount is not null
    group by
        months.tenant_id,
        months.budget_id,
        months.budget_type,
        months.budget_description,
        months.tracking_option_1_id,
        months.tracking_option_2_id,
        months.account_id,
        months.account_code,
        months.month_start_date
)

select * from final
