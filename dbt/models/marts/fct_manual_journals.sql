{{ config(
    materialized='incremental',
    pre_hook="{{ forget_touched(['manual_journal_id']) }}",
) }}

with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

manual_journals as (
    select * from {{ ref('stg_xero__manual_journals') }}
),

posted_lines as (
    select * from {{ ref('int_document_lines_converted') }}
    where not is_rounding
),

accounts as (
    select * from {{ ref('int_accounts_keyed') }}
    where is_by_code
),

lines as (
    select
        manual_journals.tenant_id,
        manual_journals.manual_journal_id,
        manual_journals.journal_date,
        manual_journals.narration,
        manual_journals.status,
        manual_journals.is_posted,
        manual_journals.is_on_cash_basis,
        manual_journals.line_amount_types,
        manual_journals.updated_at,
        line.line_number::integer as line_number,
        {{ xero_line_item_columns('line.element') }}
    from touched
    inner join manual_journals
        on
            touched.tenant_id = manual_journals.tenant_id
            and touched.document_id = manual_journals.manual_journal_id
    cross join lateral jsonb_array_elements(manual_journals.journal_lines)
        with ordinality as line (element, line_number)
),

final as (
    select
        lines.tenant_id,
        lines.manual_journal_id,
        lines.line_number,
        lines.journal_date,
        lines.narration,
        lines.status,
        lines.is_posted,
        lines.is_on_cash_basis,
        coalesce(posted_lines.account_id, accounts.account_id) as account_id,
        lines.account_code,
        lines.description,
        lines.tax_type,
        posted_lines.tracking_option_1_id,
        posted_lines.tracking_option_2_id,
        {{ net_of_line('lines.line_amount_types', 'lines.line_amount', 'lines.tax_amount') }}
            as base_amount,
        {{ tax_of_line('lines.line_amount_types', 'lines.tax_amount') }} as tax_base_amount,
        lines.updated_at
    from lines
    left join posted_lines
        on
            lines.tenant_id = posted_lines.tenant_id
            and lines.manual_journal_id = posted_lines.document_id
            and lines.line_number = posted_lines.line_number
    left join accounts
        on
            lines.tenant_id = accounts.tenant_id
            and lines.account_code = accounts.account_code
)

select * from final
