{#- The records of one endpoint as its tenants were known at their last complete extraction
    (stg_xero__tenants froze that moment): one row per living record, payload as Xero sent it.
    Every staging model begins here; nothing else reads xero_raw.

    Of the endpoints in moving_endpoints() it gives what a build needs and no more: every record of
    tenants that are built anew, of others those that moved since their last build. Their staging
    models are tables that grow: forget_moved() deletes, this is appended. -#}
{% macro xero_records(endpoint) -%}
    select
        record.tenant_id,
        record.record_id,
        record.known_from,
        record.xero_updated_at,
        record.payload,
        tenant.base_currency_code,
        tenant.known_at
    from {{ source('xero_raw', endpoint) }} as record
    inner join {{ ref('stg_xero__tenants') }} as tenant
        on
            record.tenant_id = tenant.tenant_id
            and record.known_from <= tenant.known_at
            and (record.known_to is null or record.known_to > tenant.known_at)
    where
        not record.is_deleted
    {%- if endpoint in moving_endpoints() %}
        and tenant.is_rebuilt is not false
    union all
    select
        record.tenant_id,
        record.record_id,
        record.known_from,
        record.xero_updated_at,
        record.payload,
        tenant.base_currency_code,
        tenant.known_at
    from {{ source('xero_raw', endpoint) }} as record
    inner join {{ ref('stg_xero__tenants') }} as tenant
        on
            record.tenant_id = tenant.tenant_id
            and record.known_from > tenant.built_known_at
            and record.known_from <= tenant.known_at
            and (record.known_to is null or record.known_to > tenant.known_at)
    where
        not record.is_deleted
        and not tenant.is_rebuilt
        and {{ moved_lately('record') }}
    {%- endif %}
{%- endmacro %}

{#- The endpoints whose records are many, and whose staging models therefore grow. -#}
{% macro moving_endpoints() -%}
    {{ return(document_endpoints() + [
        'contacts', 'items', 'batch_payments', 'linked_transactions', 'trial_balances',
        'profit_and_losses', 'balance_sheets', 'bank_summaries', 'executive_summaries',
        'budget_summaries',
    ]) }}
{%- endmacro %}

{#- Those of them from which documents, payments and postings are derived. -#}
{% macro document_endpoints() -%}
    {{ return([
        'invoices', 'credit_notes', 'payments', 'prepayments', 'overpayments',
        'bank_transactions', 'bank_transfers', 'manual_journals', 'quotes', 'purchase_orders',
        'journals', 'cash_journals',
    ]) }}
{%- endmacro %}

{#- The record's own id and those of other documents that its payload names and whose figures
    depend on it, as a list. -#}
{% macro xero_own_and_named_documents(endpoint, record) -%}
    {%- set paths = {
        'invoices': [
            '$.CreditNotes[*].CreditNoteID', '$.Overpayments[*].OverpaymentID',
            '$.Prepayments[*].PrepaymentID',
        ],
        'credit_notes': ['$.Allocations[*].Invoice.InvoiceID'],
        'overpayments': ['$.Allocations[*].Invoice.InvoiceID'],
        'prepayments': ['$.Allocations[*].Invoice.InvoiceID'],
        'payments': [
            '$.Invoice.InvoiceID', '$.CreditNote.CreditNoteID', '$.Overpayment.OverpaymentID',
            '$.Prepayment.PrepaymentID',
        ],
        'bank_transactions': ['$.OverpaymentID', '$.PrepaymentID'],
        'bank_transfers': ['$.FromBankTransactionID', '$.ToBankTransactionID'],
        'journals': ['$.SourceID'],
        'cash_journals': ['$.SourceID'],
    }.get(endpoint, []) -%}
    jsonb_build_array({{ record }}.record_id)
    {%- for path in paths %}
    || jsonb_path_query_array({{ record }}.payload, '{{ path }}')
    {%- endfor %}
{%- endmacro %}

{#- On what terms a document posts: whose it is, in what currency and when, as one value; null while
    it does not post, and of records that have no such terms. -#}
{% macro xero_terms(endpoint, record) -%}
    {%- if endpoint in ['invoices', 'credit_notes', 'bank_transactions'] -%}
    case
        when
            not {{ record }}.is_deleted
            and {{ xero_code('Status', record ~ '.payload') }} in ('AUTHORISED', 'PAID')
            then jsonb_build_array(
                {{ xero_code(['Contact', 'ContactID'], record ~ '.payload') }},
                {{ xero_currency('CurrencyCode', record ~ '.payload') }},
                {{ xero_number('CurrencyRate', record ~ '.payload') }},
                {{ xero_date('Date', record ~ '.payload') }}
            )::text
    end
    {%- else -%}
    null::text
    {%- endif -%}
{%- endmacro %}
