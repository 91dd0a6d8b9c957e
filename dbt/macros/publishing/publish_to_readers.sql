{#- Post-hook of every mart, inside the transaction that makes or swaps it: a swap loses grants and
    policies, so readers never meet a table they may not read, nor one that shows them too much.

    A table gets row-level security: its rows are read by those who may read their tenant
    (xero_ops.readable_tenants), by members of bi_reader_of_all, and by its owner, which is dbt. A
    view is read with the rights of who asks, so that the policies of the tables beneath it hold; a
    plain view shows every tenant. What is built beside the marts (var schema_suffix) is protected
    alike and granted to nobody: readers read xero_marts and nothing else.

    Only what is missing is done: altering a table waits for everybody who reads it. A full refresh
    renews the policies of the tables that it leaves alone. -#}
{% macro publish_to_readers() -%}
    {%- set kind = model.config.materialized -%}
    do $publish$
    begin
        {%- if kind == 'view' %}
        {{ read_as_invoker() }};
        {%- elif kind not in ['table', 'incremental'] %}
        {{ exceptions.raise_compiler_error(
            this.identifier ~ ': row-level security holds for tables and views, not for ' ~ kind
        ) }}
        {%- elif 'tenant_id' in model.columns %}
        {{ show_to_readers_of_the_tenant() }}
        {#- While dbt parses, a model has no columns yet. -#}
        {%- elif execute %}
        {{ exceptions.raise_compiler_error(
            this.identifier ~ ': without a tenant_id nobody could say who may read which row'
        ) }}
        {%- endif %}
        {%- if not var('schema_suffix', '') %}
        {{ grant_to_readers() }}
        {%- endif %}
    end
    $publish$
{%- endmacro %}

{#- The tenants are asked for once a query, as an array that an index can be searched with; the
    equality of uuids leaks nothing, so that the conditions of the query keep their indexes. Whoever
    reads all has a policy of their own: the planner strikes the first out, so that no row costs
    anything, and a thousand tenants are not looked through for each. -#}
{% macro show_to_readers_of_the_tenant() -%}
    {%- set policies = {
        'readers_of_the_tenant': (
            'public',
            'tenant_id = any(array(select readable.tenant_id from xero_ops.readable_tenants'
            ~ ' as readable))',
        ),
        'readers_of_all': ('bi_reader_of_all', 'true'),
    } -%}
        if not (
            select relrowsecurity from pg_catalog.pg_class where oid = '{{ this }}'::regclass
        ) then
            alter table {{ this }} enable row level security;
        end if;
    {%- for policy, (readers, condition) in policies.items() %}
    {%- if flags.FULL_REFRESH %}
        drop policy if exists {{ policy }} on {{ this }};
    {%- endif %}
        if (
            '{{ readers }}' = 'public'
            or exists (select from pg_catalog.pg_roles where rolname = '{{ readers }}')
        ) and not exists (
            select from pg_catalog.pg_policy
            where polrelid = '{{ this }}'::regclass and polname = '{{ policy }}'
        ) then
            create policy {{ policy }} on {{ this }} for select to {{ readers }}
            using ({{ condition }});
        end if;
    {%- endfor %}
{%- endmacro %}

{#- The lock is there because two tables finishing together would both alter the schema's grants,
    and Postgres answers the second with "tuple concurrently updated". -#}
{% macro grant_to_readers() -%}
    {%- for role in ['bi_reader', 'bi_reader_of_all'] %}
        if exists (select from pg_catalog.pg_roles where rolname = '{{ role }}') then
            if not has_schema_privilege('{{ role }}', '{{ this.schema }}', 'usage') then
                perform pg_advisory_xact_lock(hashtext('xero_marts grants'));
                grant usage on schema {{ this.schema }} to {{ role }};
            end if;
            grant select on {{ this }} to {{ role }};
        end if;
    {%- endfor %}
{%- endmacro %}

{#- What a view reads is read with the rights of who asks. -#}
{% macro read_as_invoker() -%}
    alter view {{ this }} set (security_invoker = true)
{%- endmacro %}
