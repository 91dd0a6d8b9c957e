{#- The index must not be unique, though the rows are: with the proof that there is one row at
    most, the planner turns `exists` into a join by two columns, which it takes for a single row. -#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'document_id']}],
) }}

with

moved as (
    select * from {{ ref('stg_xero__moved_documents') }}
),

allocations as not materialized (
    select * from {{ ref('int_allocations_listed') }}
),

bank_transfers as not materialized (
    select * from {{ ref('stg_xero__bank_transfers') }}
),

-- What a credit takes off an invoice can depend on every other credit of that invoice, and holds
-- from the later of the two dates: both ends are made again.
united as (
    select
        tenant_id,
        document_id
    from moved
    union all
    select
        allocations.tenant_id,
        allocations.credit_id as document_id
    from moved
    inner join allocations
        on
            moved.tenant_id = allocations.tenant_id
            and moved.document_id = allocations.invoice_id
    union all
    select
        allocations.tenant_id,
        allocations.invoice_id as document_id
    from moved
    inner join allocations
        on
            moved.tenant_id = allocations.tenant_id
            and moved.document_id = allocations.credit_id
    union all
    -- A leg knows nothing of its transfer.
    {%- for leg in ['from', 'to'] %}
    select
        bank_transfers.tenant_id,
        bank_transfers.bank_transfer_id as document_id
    from moved
    inner join bank_transfers
        on
            moved.tenant_id = bank_transfers.tenant_id
            and moved.document_id = bank_transfers.{{ leg }}_bank_transaction_id
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        tenant_id,
        document_id
    from united
    group by tenant_id, document_id
)

select * from final
