{#- Named columns alone: the tokens lie in the same table, and no model may read them. -#}
with

connections as (
    select
        tenant_id,
        grant_id
    from {{ source('xero_ops', 'connections') }}
    where disconnected_at is null
),

grants as (
    select
        grant_id,
        state,
        refreshed_at
    from {{ source('xero_ops', 'grants') }}
),

-- An organisation that several people connected lives as long as the longest of their grants.
final as (
    select
        connections.tenant_id,
        bool_or(grants.state = 'active') as is_active,
        max(grants.refreshed_at) filter (where grants.state = 'active') as refreshed_at
    from connections
    inner join grants on connections.grant_id = grants.grant_id
    group by connections.tenant_id
)

select * from final
