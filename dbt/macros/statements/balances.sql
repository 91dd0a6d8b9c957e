{#- The parts that every line of a statement is made of: what documents (or Journals) post, what
    reports alone add by revaluation, and what neither explains. Their sum is Xero's figure. -#}
{% macro statement_parts() -%}
    {{ return(['documents', 'revaluation', 'unexplained']) }}
{%- endmacro %}

{#- What stood on an account at the end of a day, found through the index of the sparse balances;
    the line's relation has tenant_id, basis and account_id. Nothing stands before the first day. -#}
{% macro balance_at(line, day) -%}
    lateral (
        select
            {%- for part in statement_parts() %}
            balances.{{ part }}_closing_amount{{ ',' if not loop.last }}
            {%- endfor %}
        from balances
        where
            {{ line }}.tenant_id = balances.tenant_id
            and {{ line }}.basis = balances.basis
            and {{ line }}.account_id = balances.account_id
            and {{ day }} >= balances.day
        order by balances.day desc
        limit 1
    )
{%- endmacro %}

{#- What documents moved on each account and day, as fct_account_balances still shows it. No ref: it
    is built after what asks this. -#}
{% macro balances_before_this_build() -%}
    {%- set shown = table_before_this_build('fct_account_balances') -%}
    select
    {%- if shown is none %}
        null::uuid as tenant_id,
        null::text as basis,
        null::text as account_id,
        null::date as day,
        null::numeric as documents_amount
    where false
    {%- else %}
        tenant_id,
        basis,
        account_id,
        day,
        documents_amount
    from {{ shown }}
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook of fct_account_balances: what int_account_balances_moved says is made again. -#}
{% macro forget_balances() -%}
    {#- Named before any condition, so that dbt knows of it. -#}
    {%- set moved_balances = ref('int_account_balances_moved') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        delete from {{ this }} as kept
        using {{ moved_balances }} as moved
        where
            kept.tenant_id = moved.tenant_id
            and kept.basis = moved.basis
            and kept.account_id = moved.account_id
            and kept.day >= moved.first_day
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook of small tables that are written anew in every build, without being swapped: a swap
    would drop the views that read them. -#}
{% macro forget_all() -%}
    {#- Named before any condition, for analyze_table. -#}
    {%- set tenants = ref('stg_xero__tenants') -%}
    {%- if not is_made_anew() -%}
        delete from {{ this }}
    {%- endif -%}
{%- endmacro %}
