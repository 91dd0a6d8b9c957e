{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['quote_id']) }}",
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

quotes as (
    select * from {{ ref('stg_xero__quotes') }}
),

final as (
    select
        quotes.tenant_id,
        quotes.quote_id,
        quotes.contact_id,
        quotes.contact_name,
        quotes.status,
        quotes.quote_number,
        quotes.reference,
        quotes.title,
        quotes.quote_date,
        quotes.expiry_date,
        quotes.currency_code,
        quotes.currency_rate,
        quotes.net_amount,
        quotes.tax_amount,
        quotes.total_amount,
        {{ to_base('quotes.total_amount', 'quotes.currency_rate') }}
            as total_base_amount,
        quotes.updated_at
    from touched
    inner join quotes
        on
            touched.tenant_id = quotes.tenant_id
            and touched.document_id = quotes.quote_id
)

select * from final
