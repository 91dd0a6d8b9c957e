{{ config(
    materialized='incremental',
    incremental_strategy='renew_touched',
    unique_key=['tenant_id', 'document_id'],
    pre_hook="{{ forget_rebuilt() }}",
    indexes=[
        {
            'columns': ['tenant_id', 'document_id', 'settlement_id', 'line_number'],
            'unique': true,
        },
    ],
) }}

with

-- An overpayment never has lines of its own to give back.
sides as (
    select * from {{ moved_documents(ref('int_settlement_sides_converted')) }}
    where not {{ rule_cash_overpayment('document_kind') }}
),

documents as (
    select * from {{ ref('int_posting_documents_gathered') }}
),

lines as (
    select * from {{ ref('int_document_lines_converted') }}
),

-- Of a document that cannot be read the whole stands on no account: nothing is lost.
joined as (
    select
        sides.tenant_id,
        sides.settlement_id,
        sides.document_id,
        sides.base_amount,
        documents.total_base_amount,
        coalesce(lines.line_number, 0) as line_number,
        coalesce(lines.is_rounding, false) as is_rounding,
        lines.account_id,
        lines.tax_type,
        lines.tracking_option_1_id,
        lines.tracking_option_2_id,
        coalesce(lines.net_base_amount, sides.base_amount) as net_base_amount,
        coalesce(lines.tax_base_amount, 0) as tax_base_amount,
        coalesce(lines.takes_left_over, true) as takes_left_over
    from sides
    left join documents
        on
            sides.tenant_id = documents.tenant_id
            and sides.document_id = documents.document_id
    left join lines
        on
            sides.tenant_id = lines.tenant_id
            and sides.document_id = lines.document_id
),

-- Gross and tax of each line are each rounded alone, pro rata to the document's gross.
shared as (
    select
        *,
        coalesce(
            round(
                (net_base_amount + tax_base_amount) * base_amount / nullif(total_base_amount, 0), 2
            ), 0
        ) as gross_base_share,
        coalesce(
            round(tax_base_amount * base_amount / nullif(total_base_amount, 0), 2), 0
        ) as tax_base_share
    from joined
),

summed as (
    select
        tenant_id,
        settlement_id,
        document_id,
        sum(gross_base_share) as gross_base_share
    from shared
    group by tenant_id, settlement_id, document_id
),

-- Net is what remains; what the grosses leave over goes to the line with the largest net.
final as (
    select
        shared.tenant_id,
        shared.settlement_id,
        shared.document_id,
        shared.line_number,
        shared.is_rounding,
        shared.account_id,
        shared.tax_type,
        shared.tracking_option_1_id,
        shared.tracking_option_2_id,
        shared.gross_base_share - shared.tax_base_share + case
            when shared.takes_left_over then shared.base_amount - summed.gross_base_share else 0
        end as net_base_share,
        shared.tax_base_share
    from shared
    inner join summed
        on
            shared.tenant_id = summed.tenant_id
            and shared.settlement_id = summed.settlement_id
            and shared.document_id = summed.document_id
)

select * from final
