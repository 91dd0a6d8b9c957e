{{ config(
    materialized='incremental',
    incremental_strategy='renew_changed',
    unique_key=['tenant_id', 'tracking_option_id'],
) }}
-- depends_on: {{ ref('stg_xero__tenants') }}, of which a hook asks

with

options as (
    select * from {{ ref('int_tracking_options_numbered') }}
),

final as (
    select
        tenant_id,
        tracking_option_id,
        tracking_option_name,
        tracking_category_id,
        tracking_category_name,
        category_number,
        is_archived
    from options
)

select * from final
