{#- Every row is of an organisation that dim_tenants has. -#}
{% test of_a_known_tenant(model, column_name) %}
    select held.{{ column_name }}
    from (
        {{ tenants_held_by(model) }}
    ) as held
    left join {{ ref('dim_tenants') }} as known on held.{{ column_name }} = known.tenant_id
    where known.tenant_id is null
{% endtest %}
