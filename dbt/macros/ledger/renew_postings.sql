{#- The incremental strategy of the ledgers: as renew_touched, for postings, which name a document
    and what posts them, a payment, say. The days of what goes and of what comes are noted in
    int_account_days_moved, in the same transaction: whoever adds up days reads no others. -#}
{% macro get_incremental_renew_postings_sql(arg_dict) %}
    {%- set kept, made = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    {%- set key = ['tenant_id', 'posting_id'] -%}
    {%- set stood = make_temp_relation(kept, '__stood') -%}
    {{ remember_touched(kept, stood, ['document_id', 'source_id']) }};
    analyze {{ made }};
    with moved as (
        {{ delete_what_differs(kept, made, stood, key, columns) }}
        returning kept.tenant_id, kept.account_id, kept.posting_date
    )
    {{ note_moved_days(kept) }};
    with moved as (
        {{ insert_what_is_new(kept, made, stood, key, columns) }}
        returning tenant_id, account_id, posting_date
    )
    {{ note_moved_days(kept) }}
{% endmacro %}

{#- Of tenants that are built anew all days are added up in any case. -#}
{% macro note_moved_days(ledger) -%}
    insert into {{ ref('int_account_days_moved') }} (tenant_id, basis, account_id, day, known_at)
    select
        moved.tenant_id,
        '{{ basis_of(ledger) }}',
        coalesce(moved.account_id, ''),
        moved.posting_date,
        tenant.known_at
    from moved
    inner join {{ ref('stg_xero__tenants') }} as tenant
        on
            moved.tenant_id = tenant.tenant_id
            and not tenant.is_rebuilt
    group by moved.tenant_id, moved.account_id, moved.posting_date, tenant.known_at
{%- endmacro %}

{% macro basis_of(ledger) -%}
    {%- for basis, name in ledgers_by_basis().items() if name == ledger.identifier -%}
        {{ basis }}
    {%- endfor -%}
{%- endmacro %}
