{#- Read from the versions themselves: Xero's pages and journals name an option without its id, and
    what was read before somebody renamed the option goes on naming it as it was called then. -#}
{{ config(
    materialized='table',
    indexes=[
        {
            'columns': ['tenant_id', 'tracking_category_id', 'tracking_option_name'],
            'unique': true,
        },
    ],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

versions as (
    select * from {{ source('xero_raw', 'tracking_categories') }}
),

unnested as (
    select
        versions.tenant_id,
        {{ as_long_as_an_id('versions.record_id') }} as tracking_category_id,
        versions.known_from,
        (
            not versions.is_deleted
            and (versions.known_to is null or versions.known_to > tenants.known_at)
        ) as is_current,
        {{ xero_tracking_option_columns('option.element') }}
    from tenants
    inner join versions
        on
            tenants.tenant_id = versions.tenant_id
            and tenants.known_at >= versions.known_from
    cross join lateral jsonb_array_elements(
        {{ xero_list('Options', 'versions.payload') }}
    ) as option (element)
),

held as (
    select
        tenant_id,
        tracking_category_id,
        {{ as_long_as_an_id('tracking_option_name') }} as tracking_option_name,
        tracking_option_id,
        min(known_from) as known_from,
        max(known_from) as last_known_from,
        bool_or(is_current) as is_current,
        coalesce(bool_and(is_option_archived) filter (where is_current), false) as is_archived
    from unnested
    where
        tracking_option_name is not null
        and tracking_option_id is not null
    group by
        tenant_id, tracking_category_id, {{ as_long_as_an_id('tracking_option_name') }},
        tracking_option_id
),

standing as (
    select
        *,
        bool_or(is_current) over (
            partition by tenant_id, tracking_category_id, tracking_option_id
        ) as is_listed
    from held
),

final as (
    select
        tenant_id,
        tracking_category_id,
        tracking_option_name,
        (
            array_agg(
                tracking_option_id
                order by
                    is_current desc, is_archived asc, last_known_from desc, tracking_option_id asc
            ) filter (where is_listed)
        )[1] as tracking_option_id,
        (array_agg(tracking_option_id order by known_from, tracking_option_id))[1]
            as first_tracking_option_id
    from standing
    group by tenant_id, tracking_category_id, tracking_option_name
)

select * from final
