{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'bank_transfer_id'], 'unique': true}],
) }}

with

transfers as (
    select * from {{ ref('stg_xero__bank_transfers') }}
),

bank_transactions as not materialized (
    select * from {{ ref('stg_xero__bank_transactions') }}
    where is_transfer
),

accounts as (
    select * from {{ ref('int_accounts_keyed') }}
),

charts as (
    select * from {{ ref('int_charts_keyed') }}
),

joined as (
    select
        transfers.tenant_id,
        transfers.bank_transfer_id,
        transfers.is_approved,
        transfers.transfer_date,
        transfers.amount,
        transfers.reference,
        from_accounts.account_id as from_account_id,
        to_accounts.account_id as to_account_id,
        coalesce(from_accounts.currency_code, charts.base_currency_code) as currency_code,
        coalesce(from_accounts.is_in_base_currency, true) as is_from_base,
        coalesce(to_accounts.is_in_base_currency, true) as is_to_base,
        transfers.currency_rate,
        from_legs.total_amount as from_amount,
        from_legs.currency_rate as from_rate,
        to_legs.total_amount as to_amount,
        to_legs.currency_rate as to_rate
    from transfers
    inner join charts on transfers.tenant_id = charts.tenant_id
    left join accounts as from_accounts
        on
            transfers.tenant_id = from_accounts.tenant_id
            and transfers.from_account_id = from_accounts.account_id
    left join accounts as to_accounts
        on
            transfers.tenant_id = to_accounts.tenant_id
            and transfers.to_account_id = to_accounts.account_id
    left join bank_transactions as from_legs
        on
            transfers.tenant_id = from_legs.tenant_id
            and transfers.from_bank_transaction_id = from_legs.bank_transaction_id
    left join bank_transactions as to_legs
        on
            transfers.tenant_id = to_legs.tenant_id
            and transfers.to_bank_transaction_id = to_legs.bank_transaction_id
),

converted as (
    select
        *,
        {{ rule_bank_transfer_in_two_currencies(
            'is_from_base', 'is_to_base', 'amount', 'from_amount', 'from_rate', 'to_amount',
            'to_rate', 'currency_rate'
        ) }} as base_amount
    from joined
),

final as (
    select
        tenant_id,
        bank_transfer_id,
        is_approved,
        transfer_date,
        reference,
        from_account_id,
        to_account_id,
        currency_code,
        amount,
        base_amount,
        (is_from_base and is_to_base) is false as is_in_two_currencies,
        (
            is_approved
            and transfer_date is not null
            and amount is not null
            and base_amount is not null
        ) as is_counted,
        case
            when not is_approved then null
            when transfer_date is null then 'no_date'
            when amount is null then 'no_amount'
            when base_amount is null then 'no_rate'
        end as error
    from converted
)

select * from final
