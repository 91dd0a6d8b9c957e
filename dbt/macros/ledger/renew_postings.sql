{#- An incremental strategy for the ledgers: of the documents that this build looks at again, what is
    posted otherwise goes, what is new is appended, and what is posted as before stays where it is.
    Most of them are paid or edited without another posting of their own, and a posting that is
    written again is written into five indexes at random places of a large table. Equal is what is
    equal to the digit, so that a full refresh leaves the same.

    The days of what goes and of what comes are noted in int_account_days_moved, in the same
    transaction: whoever adds up days reads no others. -#}
{% macro get_incremental_renew_postings_sql(arg_dict) %}
    {%- set kept, made = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | list -%}
    {%- set is_same -%}
        made.tenant_id = kept.tenant_id
        and made.posting_id = kept.posting_id
        and record_image_eq(
            row(made.{{ columns | join(', made.') }}),
            row(kept.{{ columns | join(', kept.') }})
        )
    {%- endset -%}
    {#- How many documents were touched, the planner guesses too low. Without an index it would
        compare each posting with every other. -#}
    create index on {{ made }} (tenant_id, posting_id);
    analyze {{ made }};
    {%- for column in ['document_id', 'source_id'] %}
    with moved as (
        delete from {{ kept }} as kept
        using {{ ref('int_documents_touched') }} as touched
        where
            kept.tenant_id = touched.tenant_id
            and kept.{{ column }} = touched.document_id
            and not exists (select from {{ made }} as made where {{ is_same }})
        returning kept.tenant_id, kept.account_id, kept.posting_date
    )
    {{ note_moved_days(kept) }};
    {%- endfor %}
    with moved as (
        insert into {{ kept }} ({{ columns | join(', ') }})
        select {{ columns | join(', ') }}
        from {{ made }} as made
        where not exists (select from {{ kept }} as kept where {{ is_same }})
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
