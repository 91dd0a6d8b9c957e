{#- Pre-hooks of the tables that grow from build to build: they delete what the model is about to
    append again, within the model's own transaction, so that building twice changes nothing.

    Two things go in any case: the rows of tenants that are built anew, and of tenants that are
    gone. `forget_moved` then deletes the records of one endpoint that moved since the last build,
    `forget_touched` every row of which one of the named columns is in int_documents_touched. -#}

{% macro forget_moved(endpoint, id_column) -%}
    {%- set records = source('xero_raw', endpoint) -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        delete from {{ this }} as kept
        using {{ records }} as moved, {{ ref('stg_xero__tenants') }} as tenant
        where
            {{ moved_lately('moved') }}
            and moved.tenant_id = tenant.tenant_id
            and moved.known_from > tenant.built_known_at
            and moved.known_from <= tenant.known_at
            and not tenant.is_rebuilt
            and kept.tenant_id = moved.tenant_id
            and kept.{{ id_column }} = moved.record_id
    {%- endif -%}
{%- endmacro %}

{% macro forget_touched(columns, touched='int_documents_touched') -%}
    {#- Named before any condition, so that dbt knows of it. -#}
    {%- set touched_documents = ref(touched) -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        {%- for column in columns %}
        delete from {{ this }} as kept
        using {{ touched_documents }} as touched
        where
            kept.tenant_id = touched.tenant_id
            and kept.{{ column }} = touched.document_id
        {{- ';' if not loop.last }}
        {%- endfor %}
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook of tables whose rows follow from their tenant alone, and of those that are renewed by
    what differs (renew_touched). -#}
{% macro forget_rebuilt() -%}
    {%- set tenants = ref('stg_xero__tenants') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }}
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook of fct_budgets: what is planned follows from all versions of a tenant's budgets. -#}
{% macro forget_replanned() -%}
    {%- set tenants = ref('stg_xero__tenants') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        delete from {{ this }} as kept
        using {{ tenants }} as tenant
        where
            kept.tenant_id = tenant.tenant_id
            and tenant.is_replanned
    {%- endif -%}
{%- endmacro %}

{% macro forget_tenants() -%}
    delete from {{ this }}
    where tenant_id = any(array(
        select held.tenant_id
        from (
            {{ tenants_held_by(this) }}
        ) as held
        left join {{ ref('stg_xero__tenants') }} as tenant on held.tenant_id = tenant.tenant_id
        where tenant.is_rebuilt is not false
    ))
{%- endmacro %}

{#- The tenants that a table has rows of, looked up one by one through its index: nothing is scanned. -#}
{% macro tenants_held_by(relation) -%}
    with recursive held as (
        (select tenant_id from {{ relation }} order by tenant_id limit 1)
        union all
        select (
            select later.tenant_id from {{ relation }} as later
            where later.tenant_id > held.tenant_id
            order by later.tenant_id limit 1
        )
        from held
        where held.tenant_id is not null
    )

    select tenant_id from held
    where tenant_id is not null
{%- endmacro %}

{#- Whether a version came within the moments in which anything can have moved; null when nothing
    can. A tenant that has learnt nothing since its last build, a disconnected one, say, does not
    hold them back. Both ends are said, although each tenant's own are asked besides: of one end
    that it does not know yet the planner expects a third of the table, and reads all of it, of a
    range one row in two hundred. -#}
{% macro moved_lately(record) -%}
    {{ record }}.known_from > (
        select min(built_known_at) from {{ ref('stg_xero__tenants') }}
        where not is_rebuilt and known_at > built_known_at
    )
    and {{ record }}.known_from <= (
        select max(known_at) from {{ ref('stg_xero__tenants') }}
        where not is_rebuilt and known_at > built_known_at
    )
{%- endmacro %}

{#- Whether dbt makes the table anew by itself: nothing to delete then. -#}
{% macro is_made_anew() -%}
    {{ return(
        load_relation(this) is none
        or (flags.FULL_REFRESH and model.config.get('full_refresh') is not false)
    ) }}
{%- endmacro %}

{#- A new table must be filled whole; a build that selects single models could fill it in part,
    and nobody would notice. -#}
{% macro require_whole_build() -%}
    do $require$
    begin
        if exists (select from {{ ref('stg_xero__tenants') }} where not is_rebuilt) then
            raise exception 'only a whole build can fill {{ this.identifier }}: run dbt build --full-refresh';
        end if;
    end
    $require$
{%- endmacro %}

{#- Pre-hook of tables that keep history: tenants that are gone take theirs with them. Beside the
    marts all goes: it begins with what the marts keep. A newer yml may promise other types. -#}
{% macro forget_gone_tenants() -%}
    {%- set tenants = ref('stg_xero__tenants') -%}
    {%- if is_made_anew() -%}
        select 1
    {%- else -%}
        {{ give_promised_types() }}
        {%- if is_beside_the_marts() %}
        delete from {{ this }}
        {%- else %}
        delete from {{ this }} as kept
        where not exists (select from {{ tenants }} as tenant where tenant.tenant_id = kept.tenant_id)
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
