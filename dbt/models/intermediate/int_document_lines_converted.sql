{{ config(
    materialized='incremental',
    incremental_strategy='renew_touched',
    unique_key=['tenant_id', 'document_id'],
    pre_hook="{{ forget_rebuilt() }}",
    indexes=[{'columns': ['tenant_id', 'document_id', 'line_number'], 'unique': true}],
) }}

with

documents as (
    select * from {{ moved_documents(ref('int_posting_documents_gathered')) }}
),

invoices as (
    select * from {{ ref('stg_xero__invoices') }}
),

credit_notes as (
    select * from {{ ref('stg_xero__credit_notes') }}
),

bank_transactions as (
    select * from {{ ref('stg_xero__bank_transactions') }}
),

manual_journals as (
    select * from {{ ref('stg_xero__manual_journals') }}
),

charts as (
    select * from {{ ref('int_charts_keyed') }}
),

accounts as (
    select * from {{ ref('int_accounts_keyed') }}
),

options as (
    select * from {{ ref('stg_xero__tracking_option_names') }}
),

listed as (
    select
        documents.*,
        case documents.document_kind
            when 'invoice' then invoices.line_items
            when 'bill' then invoices.line_items
            when 'credit_note' then credit_notes.line_items
            when 'manual_journal' then manual_journals.journal_lines
            else bank_transactions.line_items
        end as line_items
    from documents
    left join invoices
        on
            documents.tenant_id = invoices.tenant_id
            and documents.source_id = invoices.invoice_id
            and documents.document_kind in ('invoice', 'bill')
    left join credit_notes
        on
            documents.tenant_id = credit_notes.tenant_id
            and documents.source_id = credit_notes.credit_note_id
            and documents.document_kind = 'credit_note'
    left join bank_transactions
        on
            documents.tenant_id = bank_transactions.tenant_id
            and documents.source_id = bank_transactions.bank_transaction_id
            and documents.document_kind in ('bank_transaction', 'overpayment', 'prepayment')
    left join manual_journals
        on
            documents.tenant_id = manual_journals.tenant_id
            and documents.source_id = manual_journals.manual_journal_id
            and documents.document_kind = 'manual_journal'
),

-- A document without lines has one of its whole total, on no account: nothing is lost.
unnested as (
    select
        listed.tenant_id,
        listed.document_id,
        listed.document_kind,
        listed.control_account_id,
        listed.currency_rate,
        listed.total_amount,
        listed.total_base_amount,
        listed.line_amount_types,
        line.line_number::integer as line_number,
        {{ xero_posting_line_columns('line.element') }}
    from listed
    cross join lateral jsonb_array_elements(
        case
            when jsonb_array_length(listed.line_items) > 0 then listed.line_items
            else jsonb_build_array(jsonb_build_object('LineAmount', listed.total_amount))
        end
    ) with ordinality as line (element, line_number)
),

netted as (
    select
        *,
        {{ net_of_line('line_amount_types', 'line_amount', 'given_tax_amount') }} as net_amount,
        {{ tax_of_line('line_amount_types', 'given_tax_amount') }} as tax_amount
    from unnested
),

converted as (
    select
        *,
        {{ to_base('net_amount', 'currency_rate') }} as rounded_net_base_amount,
        {{ to_base('tax_amount', 'currency_rate') }} as tax_base_amount
    from netted
),

measured as (
    select
        *,
        row_number() over (
            partition by tenant_id, document_id
            order by abs(net_amount) desc, line_number asc
        ) as size_number,
        total_amount - sum(net_amount + tax_amount) over (
            partition by tenant_id, document_id
        ) as rounding_amount,
        total_base_amount - sum(rounded_net_base_amount + tax_base_amount) over (
            partition by tenant_id, document_id
        ) as missing_base_amount
    from converted
),

-- A total that somebody typed has more or less than its lines: that is ROUNDING's, in the
-- document's own currency first.
rounded as (
    select
        *,
        {{ to_base('rounding_amount', 'currency_rate') }} as rounding_base_amount
    from measured
),

-- Whole, nets and taxes are each rounded alone; what that leaves over goes to the line with the
-- largest net, the first of equal ones. Beside that line stands what is ROUNDING's.
settled as (
    select
        rounded.tenant_id,
        rounded.document_id,
        rounded.document_kind,
        rounded.control_account_id,
        part.is_rounding,
        rounded.given_account_id,
        rounded.given_account_code,
        rounded.category_1_id,
        rounded.option_1_id,
        rounded.option_1_name,
        rounded.category_2_id,
        rounded.option_2_id,
        rounded.option_2_name,
        case when part.is_rounding then 0 else rounded.line_number end as line_number,
        case when not part.is_rounding then rounded.tax_type end as tax_type,
        case when part.is_rounding then rounded.rounding_amount else rounded.net_amount end
            as net_amount,
        case when part.is_rounding then 0 else rounded.tax_amount end as tax_amount,
        case
            when part.is_rounding then rounded.rounding_base_amount
            when rounded.size_number = 1
                then
                    rounded.rounded_net_base_amount + rounded.missing_base_amount
                    - rounded.rounding_base_amount
            else rounded.rounded_net_base_amount
        end as net_base_amount,
        case when part.is_rounding then 0 else rounded.tax_base_amount end as tax_base_amount
    from rounded
    cross join lateral (values (false), (true)) as part (is_rounding)
    where
        not part.is_rounding
        or (rounded.size_number = 1 and rounded.rounding_base_amount <> 0)
),

keyed as (
    select
        settled.tenant_id,
        settled.document_id,
        settled.line_number,
        settled.is_rounding,
        case
            when settled.is_rounding then charts.rounding_account_id
            else {{ rule_overpayment(
                'settled.document_kind',
                'settled.control_account_id',
                'coalesce(by_id.account_id, by_code.account_id)'
            ) }}
        end as account_id,
        settled.tax_type,
        {{ tracking_option_columns(
            'settled', 'charts', 'option_1', 'option_2', 'not settled.is_rounding'
        ) }},
        settled.net_amount,
        settled.tax_amount,
        settled.net_base_amount,
        settled.tax_base_amount
    from settled
    inner join charts on settled.tenant_id = charts.tenant_id
    left join accounts as by_id
        on
            settled.tenant_id = by_id.tenant_id
            and settled.given_account_id = by_id.account_id
    left join accounts as by_code
        on
            settled.tenant_id = by_code.tenant_id
            and settled.given_account_code = by_code.account_code
            and by_code.is_by_code
    left join options as option_1
        on
            settled.tenant_id = option_1.tenant_id
            and settled.category_1_id = option_1.tracking_category_id
            and settled.option_1_name = option_1.tracking_option_name
    left join options as option_2
        on
            settled.tenant_id = option_2.tenant_id
            and settled.category_2_id = option_2.tracking_category_id
            and settled.option_2_name = option_2.tracking_option_name
),

-- Who takes what is left over when the document is settled in parts.
final as (
    select
        *,
        row_number() over (
            partition by tenant_id, document_id
            order by abs(net_base_amount) desc, is_rounding asc, line_number asc
        ) = 1 as takes_left_over
    from keyed
)

select * from final
