{#- The records of one endpoint as its tenants were known at their last complete extraction
    (stg_xero__tenants froze that moment): one row per living record, payload as Xero sent it.
    Every staging model begins here; nothing else reads xero_raw. -#}
{% macro xero_records(endpoint) -%}
    select
        record.tenant_id,
        record.record_id,
        record.xero_updated_at,
        record.payload,
        tenant.base_currency_code,
        tenant.known_at
    from {{ source('xero_raw', endpoint) }} as record
    inner join {{ ref('stg_xero__tenants') }} as tenant
        on
            record.tenant_id = tenant.tenant_id
            and record.known_from <= tenant.known_at
            and (record.known_to is null or record.known_to > tenant.known_at)
    where not record.is_deleted
{%- endmacro %}
