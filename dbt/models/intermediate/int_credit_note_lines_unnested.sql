with

credit_notes as (
    select * from {{ ref('stg_xero__credit_notes') }}
),

final as (
    select
        credit_notes.tenant_id,
        credit_notes.credit_note_id,
        line.line_number::integer as line_number,
        {{ xero_line_item_columns('line.element') }}
    from credit_notes
    cross join lateral jsonb_array_elements(credit_notes.line_items)
        with ordinality as line (element, line_number)
)

select * from final
