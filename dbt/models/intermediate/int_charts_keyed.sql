{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id'], 'unique': true}],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

accounts as (
    select * from {{ ref('int_accounts_keyed') }}
),

categories as (
    select * from {{ ref('int_tracking_options_numbered') }}
),

-- By Xero's own mark, never by name or code.
system_accounts as (
    select
        tenant_id,
        min(account_id) filter (where system_account = 'DEBTORS') as debtors_account_id,
        min(account_id) filter (where system_account = 'CREDITORS') as creditors_account_id,
        min(account_id) filter (where system_account = 'GST') as tax_account_id,
        min(account_id) filter (where system_account = 'ROUNDING') as rounding_account_id,
        min(account_id) filter (where system_account = 'REALISEDCURRENCYGAIN')
            as realised_gain_account_id
    from accounts
    group by tenant_id
),

tracking_categories as (
    select
        tenant_id,
        min(tracking_category_id) filter (where category_number = 1) as tracking_category_1_id,
        min(tracking_category_id) filter (where category_number = 2) as tracking_category_2_id
    from categories
    group by tenant_id
),

final as (
    select
        tenants.tenant_id,
        tenants.base_currency_code,
        system_accounts.debtors_account_id,
        system_accounts.creditors_account_id,
        system_accounts.tax_account_id,
        system_accounts.rounding_account_id,
        system_accounts.realised_gain_account_id,
        tracking_categories.tracking_category_1_id,
        tracking_categories.tracking_category_2_id,
        tenants.has_journals,
        tenants.has_cash_journals
    from tenants
    left join system_accounts on tenants.tenant_id = system_accounts.tenant_id
    left join tracking_categories on tenants.tenant_id = tracking_categories.tenant_id
)

select * from final
