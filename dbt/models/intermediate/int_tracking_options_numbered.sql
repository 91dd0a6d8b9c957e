{{ config(
    materialized='table',
    indexes=[
        {'columns': ['tenant_id', 'tracking_category_id', 'tracking_option_id'], 'unique': true},
    ],
) }}

with

categories as (
    select * from {{ ref('stg_xero__tracking_categories') }}
),

counted as (
    select
        *,
        count(*) over (partition by tenant_id) as category_count
    from categories
),

-- Two categories are in use at most. Two that an organisation ever had keep their numbers, archived
-- or not, so that who asks for the first one goes on seeing it; of more, archived ones come after.
numbered as (
    select
        *,
        row_number() over (
            partition by tenant_id
            order by is_archived and category_count > 2, tracking_category_id
        )::integer as category_number
    from counted
),

unnested as (
    select
        numbered.tenant_id,
        numbered.tracking_category_id,
        numbered.tracking_category_name,
        numbered.category_number,
        numbered.is_archived,
        {{ xero_tracking_option_columns('option.element') }}
    from numbered
    cross join lateral jsonb_array_elements(numbered.tracking_options) as option (element)
),

final as (
    select
        tenant_id,
        tracking_category_id,
        tracking_category_name,
        category_number,
        tracking_option_id,
        tracking_option_name,
        is_archived or is_option_archived as is_archived
    from unnested
    where tracking_option_id is not null
)

select * from final
