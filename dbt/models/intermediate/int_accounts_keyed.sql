{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'account_id'], 'unique': true}],
) }}

with

accounts as (
    select * from {{ ref('stg_xero__accounts') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

-- Two accounts may share one code: it means the one in use, then always the same one.
numbered as (
    select
        accounts.tenant_id,
        accounts.account_id,
        accounts.account_code,
        accounts.system_account,
        accounts.currency_code,
        accounts.is_bank_account,
        tenants.base_currency_code,
        row_number() over (
            partition by accounts.tenant_id, accounts.account_code
            order by accounts.is_archived, accounts.account_id
        ) as code_number
    from accounts
    inner join tenants on accounts.tenant_id = tenants.tenant_id
),

final as (
    select
        tenant_id,
        account_id,
        account_code,
        system_account,
        currency_code,
        is_bank_account,
        (account_code is not null and code_number = 1) as is_by_code,
        (not is_bank_account or currency_code = base_currency_code) as is_in_base_currency
    from numbered
)

select * from final
