{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id'], 'unique': true}],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

movements as (
    select * from {{ ref('int_daily_movements_summed') }}
),

ledger_first_days as (
    {{ ledger_first_days() }}
),

movement_first_days as (
    select
        tenant_id,
        min(day) as first_day
    from movements
    group by tenant_id
),

-- A tenant of which nothing is known, or future days alone, still gets its last day.
final as (
    select
        tenants.tenant_id,
        tenants.base_currency_code,
        tenants.known_at,
        least(
            greatest(
                coalesce(
                    least(movement_first_days.first_day, ledger_first_days.first_day),
                    tenants.complete_day
                ),
                tenants.complete_day - {{ var('restated_days') }}
            ),
            tenants.complete_day
        ) as first_day,
        tenants.complete_day as last_day
    from tenants
    left join movement_first_days on tenants.tenant_id = movement_first_days.tenant_id
    left join ledger_first_days on tenants.tenant_id = ledger_first_days.tenant_id
)

select * from final
