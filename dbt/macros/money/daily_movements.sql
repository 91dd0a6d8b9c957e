{#- Daily sums that follow what moved. What a touched document had added is taken out again, what it
    adds now is put in, and no other document is read.

    What it had added is asked of the views of movements before the tables under them change
    (int_movements_withdrawn), once per document until the sums have used it: a build that fails
    half way and comes again takes nothing out twice. The sums drop in their own transaction what
    they have used. Tenants that are made anew have no such rows but a mark, which stays until
    the sums have read all of their documents; so has everybody when a view is missing. -#}

{#- The views that list movements; the columns of each are the same. -#}
{% macro movement_models() -%}
    {{ return([
        'int_ageing_moved', 'int_open_documents_counted', 'int_credits_moved', 'int_flows_listed'
    ]) }}
{%- endmacro %}

{% macro movement_fields(relation, sign='') -%}
    {{ relation }}.tenant_id,
    {{ relation }}.document_id,
    {{ relation }}.currency_code,
    {{ relation }}.measure,
    {{ relation }}.event_date,
    {{ sign }}{{ relation }}.event_count as event_count,
    {{ sign }}{{ relation }}.amount as amount,
    {{ sign }}{{ relation }}.base_amount as base_amount
{%- endmacro %}

{#- The movements of some documents, found through the indexes: `documents` has one row per tenant
    with the array document_ids. Only so does Postgres look into a view of unions document by
    document. -#}
{% macro movements_of(documents, movements) -%}
    select {{ movement_fields('moved') }}
    from {{ documents }}
    cross join lateral (
        select * from {{ movements }} as listed
        where
            {{ documents }}.tenant_id = listed.tenant_id
            and listed.document_id = any({{ documents }}.document_ids)
        -- Keeps it apart from the outer query, and so its conditions inside the view.
        offset 0
    ) as moved
{%- endmacro %}

{#- The views as the last build left them, over tables that this build has not touched yet; none of
    them when one is missing. No ref: they come after who asks this. -#}
{% macro movements_before_this_build() -%}
    {%- set found = [] -%}
    {%- for name in movement_models() -%}
        {%- set relation = table_before_this_build(name) -%}
        {%- if relation is not none -%}
            {%- do found.append(relation) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found if found | length == movement_models() | length else []) }}
{%- endmacro %}

{#- A table's own rows before this build appends to it: none while it is new, or under a unit test,
    where there is no `this`. -#}
{% macro rows_before_this_build(columns) -%}
    {%- if not execute or not this or is_made_anew() -%}
    select
        {%- for name, type in columns.items() %}
        null::{{ type }} as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    where false
    {%- else -%}
    select
        {%- for name in columns %}
        {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ this }}
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook of int_movements_withdrawn: what a good build has used is not needed again. -#}
{% macro forget_used_movements() -%}
    {%- set tenants = ref('stg_xero__tenants') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        delete from {{ this }} as kept
        using {{ tenants }} as tenant
        where
            kept.tenant_id = tenant.tenant_id
            and kept.is_used
            and kept.known_at <= tenant.built_known_at
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook of int_daily_movements_summed: whoever is summed anew. -#}
{% macro forget_daily_movements() -%}
    {%- set withdrawn = ref('int_movements_withdrawn') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        delete from {{ this }}
        where tenant_id in (
            select marked.tenant_id from {{ withdrawn }} as marked
            where marked.is_whole and not marked.is_used
        )
    {%- endif -%}
{%- endmacro %}

{#- Post-hook of int_daily_movements_summed, within its transaction. A day on which all is nought
    again would be missing in a full refresh. What was withdrawn has done its work then, but for that
    of days which have nothing left: by it int_days_moved knows them. -#}
{% macro use_withdrawn_movements() -%}
    {%- set withdrawn = ref('int_movements_withdrawn') -%}
    delete from {{ this }}
    where
        {%- for column in movement_columns() %}
        {{ 'and ' if not loop.first }}{{ column.name }} = 0
        {%- endfor %};
    update {{ withdrawn }} as spent
    set is_used = true
    where
        not spent.is_used
        and spent.measure is not null
        and not exists (
            select from {{ this }} as summed
            where
                summed.tenant_id = spent.tenant_id
                and summed.currency_code = spent.currency_code
                and summed.day = spent.event_date
        );
    delete from {{ withdrawn }} where not is_used
{%- endmacro %}

{#- Pre-hook of the tables under the views of movements: what a document had added is asked first.
    Those that read other touched tables come after them anyway. -#}
{% macro after_withdrawal() -%}
    {%- do ref('int_movements_withdrawn') -%}
{%- endmacro %}
