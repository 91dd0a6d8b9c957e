{{ config(materialized='table') }}

with

windows as (
    select * from {{ ref('int_windows_spanned') }}
),

movements as (
    select * from {{ ref('int_daily_movements_summed') }}
),

document_errors as (
    select * from {{ ref('int_document_errors_listed') }}
),

-- Every currency met in the window, and the base currency even on a tenant without documents.
currencies as (
    select
        tenant_id,
        currency_code
    from movements
    union
    select
        tenant_id,
        currency_code
    from document_errors
    union
    select
        tenant_id,
        base_currency_code as currency_code
    from windows
),

final as (
    select
        windows.tenant_id,
        currencies.currency_code,
        days.day::date as day,
        windows.base_currency_code,
        windows.known_at
    from windows
    inner join currencies on windows.tenant_id = currencies.tenant_id
    cross join lateral generate_series(
        windows.first_day::timestamp, windows.last_day::timestamp, interval '1 day'
    ) as days (day)
)

select * from final
