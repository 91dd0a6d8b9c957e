with

credit_notes as (
    select * from {{ ref('stg_xero__credit_notes') }}
),

unnested as (
    select
        credit_notes.tenant_id,
        credit_notes.credit_note_id,
        allocation.allocation_number::integer as allocation_number,
        {{ xero_allocation_columns('allocation.element') }}
    from credit_notes
    cross join lateral jsonb_array_elements(credit_notes.allocations)
        with ordinality as allocation (element, allocation_number)
),

final as (
    select
        tenant_id,
        credit_note_id,
        allocation_number,
        allocation_id,
        invoice_id,
        amount
    from unnested
    where
        not is_deleted
        and invoice_id is not null
        and amount is not null
)

select * from final
