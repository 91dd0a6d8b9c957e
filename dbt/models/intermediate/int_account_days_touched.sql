{#- Asked of the ledgers as the last build left them, before this one takes rows out of them: a
    posting that is gone afterwards was on an account and a day, too. Where they are posted now
    comes from a hook of int_account_days_summed. Rows stay until a build went well, so that one
    that failed half way loses none. -#}
{{ config(
    materialized='incremental',
    pre_hook="{{ forget_good_builds() }}",
    indexes=[{'columns': ['tenant_id', 'basis', 'account_id', 'day']}],
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

{%- for basis in ledgers_by_basis() %}

{{ basis }} as not materialized (
    {{ ledger_before_this_build(basis) }}
),

{%- endfor %}

final as (
    {%- for basis in ledgers_by_basis() %}
    {%- set outer_loop = loop %}
    {%- for column in ['document_id', 'source_id'] %}
    select
        {{ basis }}.tenant_id,
        '{{ basis }}' as basis,
        coalesce({{ basis }}.account_id, '') as account_id,
        {{ basis }}.posting_date as day,
        tenants.known_at
    from touched
    inner join tenants
        on
            touched.tenant_id = tenants.tenant_id
            and not tenants.is_rebuilt
    inner join {{ basis }}
        on
            touched.tenant_id = {{ basis }}.tenant_id
            and touched.document_id = {{ basis }}.{{ column }}
    {%- if not (loop.last and outer_loop.last) %}
    union
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
)

select * from final
