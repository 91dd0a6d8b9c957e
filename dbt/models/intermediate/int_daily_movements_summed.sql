{#- The one large sort of a whole build; with Postgres's default it would go through the disk. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['tenant_id', 'currency_code', 'day'],
    pre_hook=["set local work_mem = '64MB'", "{{ forget_daily_movements() }}"],
    post_hook="{{ use_withdrawn_movements() }}",
    indexes=[{'columns': ['tenant_id', 'currency_code', 'day'], 'unique': true}],
) }}

{%- set kept_columns = {'tenant_id': 'uuid', 'currency_code': 'text', 'day': 'date'} %}
{%- for column in movement_columns() %}
{%- do kept_columns.update({column.name: 'numeric'}) %}
{%- endfor %}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

withdrawn as (
    select * from {{ ref('int_movements_withdrawn') }}
    where not is_used
),

{%- for model in movement_models() %}

{{ model }} as not materialized (
    select * from {{ ref(model) }}
),

{%- endfor %}

kept as (
    {{ rows_before_this_build(kept_columns) }}
),

whole as (
    select tenants.tenant_id
    from tenants
    left join withdrawn
        on
            tenants.tenant_id = withdrawn.tenant_id
            and withdrawn.is_whole
    where
        tenants.is_rebuilt
        or withdrawn.tenant_id is not null
    group by tenants.tenant_id
),

-- Those whose former movements were noted: of a document that a failed build has touched, too.
documents as (
    select
        withdrawn.tenant_id,
        array_agg(withdrawn.document_id) as document_ids
    from withdrawn
    left join whole on withdrawn.tenant_id = whole.tenant_id
    where
        whole.tenant_id is null
        and withdrawn.measure is null
    group by withdrawn.tenant_id
),

touched as (
    {%- for model in movement_models() %}
    {{ movements_of('documents', model) }}
    union all
    {%- endfor %}
    select {{ movement_fields('withdrawn') }}
    from withdrawn
    left join whole on withdrawn.tenant_id = whole.tenant_id
    where
        whole.tenant_id is null
        and withdrawn.measure is not null
),

-- What a document gives as it gave before moves no day. Asked document by document: what one takes
-- away and another adds moves no sum, but how much of it is whose (int_concentrations_measured).
netted as (
    select
        tenant_id,
        document_id,
        currency_code,
        measure,
        event_date,
        sum(event_count) as event_count,
        sum(amount) as amount,
        sum(base_amount) as base_amount
    from touched
    group by tenant_id, document_id, currency_code, measure, event_date
    having
        sum(event_count) <> 0
        or sum(amount) <> 0
        or sum(base_amount) <> 0
),

movements as (
    {%- for model in movement_models() %}
    select {{ movement_fields(model) }}
    from {{ model }}
    inner join whole on {{ model }}.tenant_id = whole.tenant_id
    union all
    {%- endfor %}
    select {{ movement_fields('netted') }}
    from netted
),

moved as (
    select
        tenant_id,
        currency_code,
        event_date as day,
        measure,
        sum(event_count) as event_count,
        sum(amount) as amount,
        coalesce(sum(base_amount), 0) as base_amount
    from movements
    group by tenant_id, currency_code, event_date, measure
),

summed as (
    select
        tenant_id,
        currency_code,
        day,
        {%- for column in movement_columns() %}
        coalesce(sum({{ column.part }}) filter (where measure = '{{ column.measure }}'), 0)
            as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from moved
    group by tenant_id, currency_code, day
),

-- However it was added up, a figure is written in one way.
final as (
    select
        summed.tenant_id,
        summed.currency_code,
        summed.day,
        {%- for column in movement_columns() %}
        trim_scale(summed.{{ column.name }} + coalesce(kept.{{ column.name }}, 0))
            as {{ column.name }},
        {%- endfor %}
        tenants.known_at
    from summed
    inner join tenants on summed.tenant_id = tenants.tenant_id
    left join kept
        on
            summed.tenant_id = kept.tenant_id
            and summed.currency_code = kept.currency_code
            and summed.day = kept.day
)

select * from final
