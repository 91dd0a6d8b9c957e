with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

final as (
    select
        tenant_id,
        tenant_name,
        legal_name,
        short_code,
        country_code,
        base_currency_code,
        timezone,
        has_timezone,
        financial_year_end_day,
        financial_year_end_month,
        is_demo_company,
        complete_day,
        known_at
    from tenants
)

select * from final
