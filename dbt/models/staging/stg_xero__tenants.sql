{#- Frozen first: a tenant whose extraction completes while dbt runs changes nothing half way. -#}
{{ config(materialized='table') }}

with

runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
),

tenants as (
    select * from {{ source('xero_ops', 'tenants') }}
),

organisations as (
    select * from {{ source('xero_raw', 'organisations') }}
),

timezones as (
    select * from {{ ref('xero_timezones') }}
),

{%- if var('known_at', none) %}

complete as (
    select
        tenant_id,
        max(known_at) as known_at,
        -- A refresh moves what is known, and closes no day.
        max(day) filter (where closes_day) as complete_day
    from runs
    where
        state = 'complete'
        and known_at <= '{{ var("known_at") }}'::timestamptz
    group by tenant_id
),

{%- else %}

complete as (
    select
        tenants.tenant_id,
        tenants.complete_at as known_at,
        -- A late run for an older day must not shorten the statistics.
        greatest(tenants.complete_day, max(runs.day)) as complete_day
    from tenants
    left join runs
        on
            tenants.tenant_id = runs.tenant_id
            and tenants.complete_at >= runs.known_at
            and runs.state = 'complete'
            and runs.closes_day
    where tenants.complete_at is not null
    group by tenants.tenant_id, tenants.complete_at, tenants.complete_day
),

{%- endif %}

renamed as (
    select
        complete.tenant_id,
        tenants.tenant_name,
        complete.known_at,
        complete.complete_day,
        {{ xero_code('BaseCurrency', 'organisations.payload') }} as base_currency_code,
        {{ xero_code('Timezone', 'organisations.payload') }} as xero_timezone,
        {{ xero_code('CountryCode', 'organisations.payload') }} as country_code,
        {{ xero_code('ShortCode', 'organisations.payload') }} as short_code,
        {{ xero_text('LegalName', 'organisations.payload') }} as legal_name,
        {{ xero_boolean('IsDemoCompany', 'organisations.payload') }} as is_demo_company,
        {{ xero_number('FinancialYearEndDay', 'organisations.payload') }}::integer
            as financial_year_end_day,
        {{ xero_number('FinancialYearEndMonth', 'organisations.payload') }}::integer
            as financial_year_end_month
    from complete
    inner join tenants on complete.tenant_id = tenants.tenant_id
    left join organisations
        on
            complete.tenant_id = organisations.tenant_id
            and complete.known_at >= organisations.known_from
            and (organisations.known_to is null or complete.known_at < organisations.known_to)
            and not organisations.is_deleted
),

final as (
    select
        renamed.tenant_id,
        renamed.tenant_name,
        renamed.known_at,
        renamed.complete_day,
        -- XXX is ISO 4217's "no currency": nothing converts to it, every document is an error row.
        coalesce(renamed.base_currency_code, 'XXX') as base_currency_code,
        coalesce(timezones.timezone, 'UTC') as timezone,
        timezones.timezone is not null as has_timezone,
        renamed.country_code,
        renamed.short_code,
        renamed.legal_name,
        coalesce(renamed.is_demo_company, false) as is_demo_company,
        renamed.financial_year_end_day,
        renamed.financial_year_end_month
    from renamed
    left join timezones on renamed.xero_timezone = timezones.xero_timezone
)

select * from final
