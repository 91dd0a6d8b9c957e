{{ config(materialized='table') }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

documents as (
    select * from {{ ref('int_documents_converted') }}
),

payments as (
    select * from {{ ref('int_payments_converted') }}
),

bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
),

dates as (
    select
        tenant_id,
        document_date
    from documents
    where is_counted
    union all
    select
        tenant_id,
        payment_date as document_date
    from payments
    where is_counted
    union all
    select
        tenant_id,
        transaction_date as document_date
    from bank_transactions
    where is_counted
),

first_dates as (
    select
        tenant_id,
        min(document_date) as first_document_date
    from dates
    group by tenant_id
),

-- A tenant without documents, or with future ones alone, still gets its last day.
final as (
    select
        tenants.tenant_id,
        tenants.base_currency_code,
        tenants.known_at,
        least(
            greatest(
                coalesce(first_dates.first_document_date, tenants.complete_day),
                tenants.complete_day - {{ var('restated_days') }}
            ),
            tenants.complete_day
        ) as first_day,
        tenants.complete_day as last_day
    from tenants
    left join first_dates on tenants.tenant_id = first_dates.tenant_id
)

select * from final
