with

transfers as (
    select * from {{ moved_documents(ref('int_bank_transfers_converted'), 'bank_transfer_id') }}
    where is_counted
),

final as (
    select
        transfers.tenant_id,
        transfers.bank_transfer_id || ':' || leg.part as posting_id,
        transfers.transfer_date as posting_date,
        leg.account_id,
        'TRANSFER' as source_type,
        transfers.bank_transfer_id as source_id,
        transfers.bank_transfer_id as document_id,
        null::integer as line_number,
        null as contact_id,
        null as tax_type,
        null as tracking_option_1_id,
        null as tracking_option_2_id,
        transfers.currency_code,
        leg.sign * transfers.amount as amount,
        leg.sign * transfers.base_amount as base_amount,
        case
            when transfers.is_in_two_currencies then 'bank_transfer_in_two_currencies'
            else 'bank_transfer'
        end as rule,
        false as is_from_journals,
        null::timestamptz as created_at
    from transfers
    cross join lateral (
        values
        ('to', transfers.to_account_id, 1),
        ('from', transfers.from_account_id, -1)
    ) as leg (part, account_id, sign)
    where transfers.base_amount <> 0
)

select * from final
