with

documents as (
    select * from {{ ref('int_documents_converted') }}
    where is_counted
),

bank_transactions as (
    select * from {{ ref('int_bank_transactions_converted') }}
    where
        is_counted
        and not is_overpayment
        and not is_prepayment
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

united as (
    select
        tenant_id,
        currency_code,
        document_date as rate_date,
        currency_rate
    from documents
    union all
    select
        tenant_id,
        currency_code,
        transaction_date as rate_date,
        currency_rate
    from bank_transactions
),

final as (
    select
        united.tenant_id,
        united.currency_code,
        united.rate_date,
        percentile_disc(0.5) within group (order by united.currency_rate) as currency_rate,
        min(united.currency_rate) as lowest_currency_rate,
        max(united.currency_rate) as highest_currency_rate,
        count(*)::integer as document_count
    from united
    inner join tenants on united.tenant_id = tenants.tenant_id
    where
        united.currency_code <> tenants.base_currency_code
        and united.currency_rate is not null
    group by united.tenant_id, united.currency_code, united.rate_date
)

select * from final
