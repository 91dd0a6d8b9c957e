with

document_errors as (
    select * from {{ ref('int_document_errors_listed') }}
),

final as (
    select
        tenant_id,
        document_kind,
        document_id,
        document_number,
        document_date,
        currency_code,
        amount,
        error
    from document_errors
)

select * from final
