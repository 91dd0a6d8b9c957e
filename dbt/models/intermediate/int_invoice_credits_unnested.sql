with

invoices as (
    select * from {{ ref('stg_xero__invoices') }}
),

unnested as (
    {%- for kind in ['credit_note', 'overpayment', 'prepayment'] %}
    {%- set id_field = {
        'credit_note': 'CreditNoteID', 'overpayment': 'OverpaymentID', 'prepayment': 'PrepaymentID'
    }[kind] %}
    select
        invoices.tenant_id,
        invoices.invoice_id,
        '{{ kind }}' as credit_kind,
        credit.credit_number::integer as credit_number,
        {{ xero_credit_stub_columns('credit.element', id_field) }}
    from invoices
    cross join lateral jsonb_array_elements(invoices.{{ kind }}s)
        with ordinality as credit (element, credit_number)
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select * from unnested
    where credit_id is not null
)

select * from final
