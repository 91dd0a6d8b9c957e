{#- Read from the versions themselves, since what a record named before it changed is in no table
    any more. -#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'document_id'], 'unique': true}],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

{%- for endpoint in document_endpoints() %}

{{ endpoint }} as not materialized (
    select * from {{ source('xero_raw', endpoint) }}
),
{%- endfor %}

united as (
    {%- for endpoint in document_endpoints() %}
    select
        record.tenant_id,
        document.document_id,
        false as is_own,
        null::text as terms,
        null::date as document_date,
        false as is_new
    from tenants
    inner join {{ endpoint }} as record
        on
            tenants.tenant_id = record.tenant_id
            and tenants.known_at >= record.known_from
            and (record.known_to is null or tenants.known_at < record.known_to)
    cross join lateral jsonb_array_elements_text(
        {{ xero_own_and_named_documents(endpoint, 'record') }}
    ) as document (document_id)
    where tenants.is_rebuilt
    union all
    -- Every version that was current at the last build or since.
    select
        record.tenant_id,
        document.document_id,
        document.document_id = record.record_id as is_own,
        {{ xero_terms(endpoint, 'record') }} as terms,
        {{ xero_date('Date', 'record.payload') }} as document_date,
        record.known_from > tenants.built_known_at as is_new
    from {{ endpoint }} as moved
    inner join tenants
        on
            moved.tenant_id = tenants.tenant_id
            and moved.known_from > tenants.built_known_at
            and moved.known_from <= tenants.known_at
    inner join {{ endpoint }} as record
        on
            moved.tenant_id = record.tenant_id
            and moved.record_id = record.record_id
            and tenants.known_at >= record.known_from
            and (record.known_to is null or tenants.built_known_at < record.known_to)
    cross join lateral jsonb_array_elements_text(
        {{ xero_own_and_named_documents(endpoint, 'record') }}
    ) as document (document_id)
    where
        {{ moved_lately('moved') }}
        and not tenants.is_rebuilt
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        tenant_id,
        {{ as_long_as_an_id('document_id') }} as document_id,
        case
            when
                bool_and(is_new) filter (where is_own)
                or min(coalesce(terms, '')) filter (where is_own)
                <> max(coalesce(terms, '')) filter (where is_own)
                then min(document_date) filter (where is_own and terms is not null)
        end as moved_from_date
    from united
    where document_id <> ''
    group by tenant_id, {{ as_long_as_an_id('document_id') }}
)

select * from final
