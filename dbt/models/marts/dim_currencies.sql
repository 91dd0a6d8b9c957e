with

currencies as (
    select * from {{ ref('stg_xero__currencies') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

final as (
    select
        currencies.tenant_id,
        currencies.currency_code,
        currencies.currency_name,
        currencies.currency_code = tenants.base_currency_code as is_base_currency
    from currencies
    inner join tenants on currencies.tenant_id = tenants.tenant_id
)

select * from final
