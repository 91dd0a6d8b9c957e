with

documents as (
    select * from {{ moved_documents(ref('int_posting_documents_gathered')) }}
),

lines as (
    select * from {{ moved_documents(ref('int_document_lines_converted')) }}
),

charts as (
    select * from {{ ref('int_charts_keyed') }}
),

-- The bank, or the control account of a document that waits for money.
wholes as (
    select
        tenant_id,
        document_id,
        'whole' as part,
        null::integer as line_number,
        whole_account_id as account_id,
        null as tax_type,
        null as tracking_option_1_id,
        null as tracking_option_2_id,
        whole_sign * total_amount as amount,
        whole_sign * total_base_amount as base_amount
    from documents
    where document_kind <> 'manual_journal'
),

-- Against it each line, one posting a line ...
line_parts as (
    select
        lines.tenant_id,
        lines.document_id,
        case when lines.is_rounding then 'rounding' else 'line' end as part,
        nullif(lines.line_number, 0) as line_number,
        lines.account_id,
        lines.tax_type,
        lines.tracking_option_1_id,
        lines.tracking_option_2_id,
        -documents.whole_sign * lines.net_amount as amount,
        -documents.whole_sign * lines.net_base_amount as base_amount
    from lines
    inner join documents
        on
            lines.tenant_id = documents.tenant_id
            and lines.document_id = documents.document_id
),

taxed as (
    select
        lines.tenant_id,
        lines.document_id,
        sum(lines.tax_amount) as tax_amount,
        sum(lines.tax_base_amount) as tax_base_amount
    from lines
    where
        lines.tax_amount <> 0
        or lines.tax_base_amount <> 0
    group by lines.tenant_id, lines.document_id
),

-- ... and all tax together.
taxes as (
    select
        documents.tenant_id,
        documents.document_id,
        'tax' as part,
        null::integer as line_number,
        charts.tax_account_id as account_id,
        null as tax_type,
        null as tracking_option_1_id,
        null as tracking_option_2_id,
        -documents.whole_sign * {{ rule_manual_journal_taxed('taxed.tax_amount') }} as amount,
        -documents.whole_sign * {{ rule_manual_journal_taxed('taxed.tax_base_amount') }}
            as base_amount
    from taxed
    inner join documents
        on
            taxed.tenant_id = documents.tenant_id
            and taxed.document_id = documents.document_id
    inner join charts on taxed.tenant_id = charts.tenant_id
),

united as (
    select * from wholes
    union all
    select * from line_parts
    union all
    select * from taxes
),

final as (
    select
        united.tenant_id,
        documents.source_id || ':' || united.part || coalesce(':' || united.line_number, '')
            as posting_id,
        documents.posting_date,
        united.account_id,
        documents.source_type,
        documents.source_id,
        united.document_id,
        united.line_number,
        documents.contact_id,
        united.tax_type,
        united.tracking_option_1_id,
        united.tracking_option_2_id,
        documents.currency_code,
        united.amount,
        united.base_amount,
        case
            when documents.document_kind = 'manual_journal' and united.part = 'tax'
                then 'manual_journal_taxed'
            else documents.document_kind
        end as rule,
        false as is_from_journals,
        null::timestamptz as created_at,
        documents.is_on_cash_basis
    from united
    inner join documents
        on
            united.tenant_id = documents.tenant_id
            and united.document_id = documents.document_id
    where
        united.base_amount <> 0
        or united.amount <> 0
)

select * from final
