{#- The builder of organisations that have Journals: NetAmount alone, because tax is posted again as
    a line of its own. `journals` is the staging model of one basis. -#}
{% macro journals_posted(journals) %}
with

-- Others are rows of fct_document_errors.
all_journals as not materialized (
    select * from {{ ref(journals) }}
    where
        journal_date is not null
        and has_unreadable_line is not true
),

touched as (
    select * from {{ ref('int_documents_touched') }}
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

documents as not materialized (
    select * from {{ ref('int_documents_converted') }}
),

bank_transactions as not materialized (
    select * from {{ ref('stg_xero__bank_transactions') }}
),

payments as not materialized (
    select * from {{ ref('int_payments_converted') }}
),

-- The journals of a touched source, of a touched journal without one, and of the money of a touched
-- document.
sources as (
    select
        tenant_id,
        document_id as source_id
    from touched
    union
    select
        touched.tenant_id,
        payments.payment_id as source_id
    from touched
    inner join payments
        on
            touched.tenant_id = payments.tenant_id
            and touched.document_id = payments.document_id
    union
    select
        touched.tenant_id,
        bank_transactions.bank_transaction_id as source_id
    from touched
    inner join bank_transactions
        on
            touched.tenant_id = bank_transactions.tenant_id
            and touched.document_id = bank_transactions.document_id
),

journals as (
    select all_journals.*
    from all_journals
    inner join sources
        on
            all_journals.tenant_id = sources.tenant_id
            and coalesce(all_journals.source_id, all_journals.journal_id) = sources.source_id
),

unnested as (
    select
        journals.tenant_id,
        journals.journal_id,
        journals.journal_date,
        journals.source_type,
        journals.source_id,
        journals.created_at,
        line.line_number::integer as line_number,
        {{ xero_journal_line_columns('line.element') }}
    from journals
    cross join lateral jsonb_array_elements(journals.journal_lines)
        with ordinality as line (element, line_number)
),

final as (
    select
        unnested.tenant_id,
        unnested.journal_id || ':' || unnested.line_number as posting_id,
        unnested.journal_date as posting_date,
        coalesce(by_id.account_id, by_code.account_id) as account_id,
        unnested.source_type,
        -- Conversion balances and what a reconciliation left over have no source but themselves.
        coalesce(unnested.source_id, unnested.journal_id) as source_id,
        coalesce(
            documents.document_id,
            bank_transactions.document_id,
            payments.document_id,
            case when unnested.source_type in ('MANJOURNAL', 'TRANSFER') then unnested.source_id end
        ) as document_id,
        unnested.line_number,
        coalesce(documents.contact_id, bank_transactions.contact_id, payments.contact_id)
            as contact_id,
        unnested.tax_type,
        {{ tracking_option_columns('unnested', 'charts', 'option_1', 'option_2') }},
        charts.base_currency_code as currency_code,
        null::numeric as amount,
        unnested.net_amount as base_amount,
        'journal' as rule,
        true as is_from_journals,
        unnested.created_at
    from unnested
    inner join charts on unnested.tenant_id = charts.tenant_id
    left join accounts as by_id
        on
            unnested.tenant_id = by_id.tenant_id
            and unnested.given_account_id = by_id.account_id
    left join accounts as by_code
        on
            unnested.tenant_id = by_code.tenant_id
            and unnested.given_account_code = by_code.account_code
            and by_code.is_by_code
    left join options as option_1
        on
            unnested.tenant_id = option_1.tenant_id
            and unnested.category_1_id = option_1.tracking_category_id
            and unnested.option_1_name = option_1.tracking_option_name
    left join options as option_2
        on
            unnested.tenant_id = option_2.tenant_id
            and unnested.category_2_id = option_2.tracking_category_id
            and unnested.option_2_name = option_2.tracking_option_name
    left join documents
        on
            unnested.tenant_id = documents.tenant_id
            and unnested.source_id = documents.document_id
    left join bank_transactions
        on
            unnested.tenant_id = bank_transactions.tenant_id
            and unnested.source_id = bank_transactions.bank_transaction_id
    left join payments
        on
            unnested.tenant_id = payments.tenant_id
            and unnested.source_id = payments.payment_id
    where unnested.net_amount <> 0
)

select * from final
{% endmacro %}
