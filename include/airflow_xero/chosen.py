"""Which connection of an organisation is used, where several of its users made one: as SQL.

Two pieces of a question to xero_ops, whose parameter is `conn_id`. Must not know who asks.
"""

from __future__ import annotations

# One connection a tenant: a live one before others, an active grant before others, one that Xero
# does not refuse, the one that may read most (a broad scope counts as what it stands for), the
# newest.
# Whoever paused the organisation paused it whoever connects it.
CHOSEN = """
chosen as (
    select distinct on (connections.tenant_id)
        connections.tenant_id,
        connections.grant_id,
        connections.connected_at,
        connections.disconnected_at,
        max(connections.paused_at) over (partition by connections.tenant_id) as paused_at,
        max(connections.paused_by) over (partition by connections.tenant_id) as paused_by,
        grants.state as grant_state,
        grants.state_reason as grant_reason,
        coalesce(connections.connected_by, grants.connected_by) as connected_by,
        grants.user_name,
        grants.scopes,
        grants.refreshed_at
    from xero_ops.connections
    inner join xero_ops.grants using (grant_id)
    where connections.conn_id = %(conn_id)s
    order by
        connections.tenant_id,
        connections.disconnected_at is not null,
        grants.state <> 'active',
        connections.refused_at is not null,
        (
            select coalesce(sum(case
                when scope like 'accounting.transactions%%' then 4
                when scope = 'accounting.reports.read' then 8
                else 1
            end), 0)
            from unnest(grants.scopes) as scope
        ) desc,
        connections.connected_at desc,
        connections.connection_id
)
"""

# What an extraction asks of an organisation before it begins.
IS_LIVE = """
chosen.disconnected_at is null and chosen.grant_state = 'active' and chosen.paused_at is null
"""
