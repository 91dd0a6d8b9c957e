{#- Asked before any table under the movements changes. Rows stay until the sums have used them. -#}
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_used_movements() }}",
    indexes=[{'columns': ['tenant_id']}],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

touched as (
    select * from {{ ref('int_documents_touched') }}
),

waiting as (
    select * from (
        {{ rows_before_this_build({
            'tenant_id': 'uuid', 'document_id': 'text', 'is_whole': 'boolean', 'is_used': 'boolean',
        }) }}
    ) as kept
    where not is_used
),

-- What a failed build has taken note of is how the sums still know the document.
documents as (
    select
        touched.tenant_id,
        array_agg(touched.document_id) as document_ids
    from touched
    inner join tenants
        on
            touched.tenant_id = tenants.tenant_id
            and not tenants.is_rebuilt
    left join waiting
        on
            touched.tenant_id = waiting.tenant_id
            and (touched.document_id = waiting.document_id or waiting.is_whole)
    where waiting.tenant_id is null
    group by touched.tenant_id
),

{%- set movements = movements_before_this_build() %}

marked as (
    select
        tenants.tenant_id,
        null::text as document_id
    from tenants
    left join waiting
        on
            tenants.tenant_id = waiting.tenant_id
            and waiting.is_whole
    where
        waiting.tenant_id is null
        {%- if movements %}
        and tenants.is_rebuilt
        {%- endif %}
),

united as (
    select
        tenant_id,
        document_id,
        true as is_whole,
        null::text as currency_code,
        null::text as measure,
        null::date as event_date,
        0::integer as event_count,
        0::numeric as amount,
        0::numeric as base_amount
    from marked
    union all
    -- A document that had added nothing is noted, too: it must not be asked again.
    select
        documents.tenant_id,
        noted.document_id,
        false as is_whole,
        null::text as currency_code,
        null::text as measure,
        null::date as event_date,
        0::integer as event_count,
        0::numeric as amount,
        0::numeric as base_amount
    from documents
    cross join lateral unnest(documents.document_ids) as noted (document_id)
    {%- for relation in movements %}
    union all
    select
        moved.tenant_id,
        moved.document_id,
        false as is_whole,
        moved.currency_code,
        moved.measure,
        moved.event_date,
        -moved.event_count as event_count,
        -moved.amount as amount,
        -moved.base_amount as base_amount
    from (
        {{ movements_of('documents', relation) }}
    ) as moved
    {%- endfor %}
),

final as (
    select
        united.*,
        tenants.known_at,
        false as is_used
    from united
    inner join tenants on united.tenant_id = tenants.tenant_id
)

select * from final
