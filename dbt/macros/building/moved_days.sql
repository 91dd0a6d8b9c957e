{#- Pre-hook of the models that join days with days. CTEs have no statistics: taken for single rows,
    they would be walked row by row. With Postgres's default their sorts and hashes, a row of a
    hundred figures per day, would go through the disk. -#}
{% macro join_many_days() -%}
    set local enable_nestloop = off;
    set local work_mem = '64MB'
{%- endmacro %}

{#- How many days before the window the ledger's levels begin: a day is compared with the beginning of
    the financial year in which the same day a year before lay, at most two years and some days
    before it. -#}
{% macro days_before_window() -%}
    {{ return(740) }}
{%- endmacro %}

{#- Pre-hook of daily tables: the days that this build makes again (int_days_moved) and those before
    the window go. `days_before` is how many days before the window the table has. -#}
{% macro forget_moved_days(days_before=0) -%}
    {#- Named before any condition, so that dbt knows of it. -#}
    {%- set moved_days = ref('int_days_moved') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        {#- Found through the index: joined, all days of all tenants would be read. #}
        delete from {{ this }}
        where ctid = any(array(
            select kept.place
            from {{ moved_days }} as moved
            cross join lateral (
                select later.ctid as place from {{ this }} as later
                where
                    later.tenant_id = moved.tenant_id
                    and later.day >= moved.first_day - case
                        when moved.first_day = moved.window_first_day then {{ days_before }} else 0
                    end
                union all
                select earlier.ctid as place from {{ this }} as earlier
                where
                    earlier.tenant_id = moved.tenant_id
                    and earlier.day < moved.window_first_day - {{ days_before }}
            ) as kept
        ))
    {%- endif -%}
{%- endmacro %}

{#- The table of a model as the last build left it, or none. No ref: it comes after who asks. A whole
    build needs none, and may find one of another shape. -#}
{% macro table_before_this_build(name) -%}
    {%- set found = namespace(relation=none) -%}
    {%- if execute and not flags.FULL_REFRESH -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.name == name -%}
            {%- set found.relation = load_relation(api.Relation.create(
                database=node.database, schema=node.schema, identifier=node.alias
            )) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found.relation) }}
{%- endmacro %}

{#- The currencies that a tenant had on the last day of the last build, as
    rpt_daily_statistics_by_currency still shows them. -#}
{% macro currencies_before_this_build() -%}
    {%- set shown = table_before_this_build('rpt_daily_statistics_by_currency') -%}
    select
    {%- if shown is none %}
        null::uuid as tenant_id,
        null::text as currency_code,
        null::integer as undated_document_count
    where false
    {%- else %}
        shown.tenant_id,
        shown.currency_code,
        shown.undated_document_count
    from {{ ref('stg_xero__tenants') }} as tenant
    inner join {{ shown }} as shown
        on
            tenant.tenant_id = shown.tenant_id
            and tenant.built_day = shown.day
    {%- endif -%}
{%- endmacro %}

{#- What the last day of the last build said of things that are no news of the books. -#}
{% macro last_days_before_this_build() -%}
    {%- set shown = table_before_this_build('rpt_daily_statistics') -%}
    select
    {%- if shown is none %}
        null::uuid as tenant_id,
        null::integer as token_expiry_days,
        null::bigint as api_calls_count
    where false
    {%- else %}
        shown.tenant_id,
        shown.token_expiry_days,
        shown.api_calls_count
    from {{ ref('stg_xero__tenants') }} as tenant
    inner join {{ shown }} as shown
        on
            tenant.tenant_id = shown.tenant_id
            and tenant.built_day = shown.day
    {%- endif -%}
{%- endmacro %}

{#- How long the consent of an organisation lasts without being used, after this moment. -#}
{% macro token_expiry_days(grants, moment) -%}
    (
        case
            when {{ grants }}.is_active
                then greatest(least(
                    60 - ceil(extract(epoch from {{ moment }} - {{ grants }}.refreshed_at) / 86400),
                    60
                ), 0)
            when {{ grants }}.is_active is false then 0
        end
    )::integer
{%- endmacro %}

{#- Where each tenant's calendar begins and ends, as dim_dates still shows it; found by index. -#}
{% macro calendars_before_this_build() -%}
    {%- set shown = table_before_this_build('dim_dates') -%}
    select
    {%- if shown is none %}
        null::uuid as tenant_id,
        null::date as first_day,
        null::date as last_day
    where false
    {%- else %}
        tenant.tenant_id,
        (select min(day) from {{ shown }} as shown where shown.tenant_id = tenant.tenant_id)
            as first_day,
        (select max(day) from {{ shown }} as shown where shown.tenant_id = tenant.tenant_id)
            as last_day
    from {{ ref('stg_xero__tenants') }} as tenant
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook of dim_dates: calendars that are made anew, and of the others the days that are over
    since the last build. -#}
{% macro forget_calendars() -%}
    {#- Named before any condition, so that dbt knows of it. -#}
    {%- set years = ref('int_financial_years_spanned') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        delete from {{ this }} as kept
        using {{ years }} as years
        where
            kept.tenant_id = years.tenant_id
            and years.known_day is null;
        delete from {{ this }} as kept
        using {{ years }} as years
        where
            kept.tenant_id = years.tenant_id
            and kept.day > years.known_day
            and kept.day >= years.financial_year_start_date
            and kept.day <= least(years.financial_year_end_date, years.complete_day)
    {%- endif -%}
{%- endmacro %}
