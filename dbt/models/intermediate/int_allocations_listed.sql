{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['listing_id'], 'stg_xero__moved_documents') }}",
    indexes=[
        {'columns': ['tenant_id', 'listing_id', 'credit_kind', 'list_number'], 'unique': true},
        {'columns': ['tenant_id', 'invoice_id']},
        {'columns': ['tenant_id', 'credit_id']},
    ],
) }}

with

moved as (
    select * from {{ ref('stg_xero__moved_documents') }}
),

invoices as not materialized (
    select * from {{ ref('stg_xero__invoices') }}
),

{%- for credit in ['credit_note', 'overpayment', 'prepayment'] %}

{{ credit }}s as (
    select * from {{ ref('stg_xero__' ~ credit ~ 's') }}
),
{%- endfor %}

listed_by_credits as (
    {%- for credit in ['credit_note', 'overpayment', 'prepayment'] %}
    select
        {{ credit }}s.tenant_id,
        {{ credit }}s.{{ credit }}_id as listing_id,
        'credit' as listed_by,
        '{{ credit }}' as credit_kind,
        {{ credit }}s.{{ credit }}_id as credit_id,
        {{ credit }}s.{{ credit }}_date as credit_date,
        allocation.list_number::integer as list_number,
        {{ xero_allocation_columns('allocation.element') }}
    from moved
    inner join {{ credit }}s
        on
            moved.tenant_id = {{ credit }}s.tenant_id
            and moved.document_id = {{ credit }}s.{{ credit }}_id
    cross join lateral jsonb_array_elements({{ credit }}s.allocations)
        with ordinality as allocation (element, list_number)
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

listed_by_invoices as (
    {%- for credit in ['credit_note', 'overpayment', 'prepayment'] %}
    {%- set id_field = {
        'credit_note': 'CreditNoteID', 'overpayment': 'OverpaymentID', 'prepayment': 'PrepaymentID'
    }[credit] %}
    select
        invoices.tenant_id,
        invoices.invoice_id as listing_id,
        'invoice' as listed_by,
        '{{ credit }}' as credit_kind,
        credit.list_number::integer as list_number,
        invoices.invoice_id,
        {{ xero_credit_stub_columns('credit.element', id_field) }}
    from moved
    inner join invoices
        on
            moved.tenant_id = invoices.tenant_id
            and moved.document_id = invoices.invoice_id
    cross join lateral jsonb_array_elements(invoices.{{ credit }}s)
        with ordinality as credit (element, list_number)
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        tenant_id,
        listing_id,
        listed_by,
        credit_kind,
        list_number,
        credit_id,
        invoice_id,
        amount,
        credit_date,
        allocation_date
    from listed_by_credits
    where
        not is_deleted
        and invoice_id is not null
        and amount is not null
    union all
    select
        tenant_id,
        listing_id,
        listed_by,
        credit_kind,
        list_number,
        credit_id,
        invoice_id,
        applied_amount as amount,
        credit_date,
        null as allocation_date
    from listed_by_invoices
    where credit_id is not null
)

select * from final
