{#- What is compared of two versions of a record, and what it counts for while it is current. The
    only place that spells Xero's names of it; stg_xero__compared_versions reads it. -#}

{#- The endpoints whose versions are compared. Over- and prepayments are left out: their money is a
    bank transaction, and would count twice. -#}
{% macro compared_endpoints() -%}
    {{ return([
        'contacts', 'invoices', 'credit_notes', 'payments', 'bank_transactions', 'bank_transfers',
        'manual_journals', 'items', 'quotes', 'purchase_orders', 'repeating_invoices',
    ]) }}
{%- endmacro %}

{#- Those of which a record counts from the first reading on, and not when it changes alone. -#}
{% macro counted_endpoints() -%}
    {{ return([
        'bank_transactions', 'manual_journals', 'items', 'quotes', 'purchase_orders',
        'repeating_invoices',
    ]) }}
{%- endmacro %}

{#- One version: whether it is approved, its date, what it is worth, and the level it belongs to. -#}
{% macro xero_version_columns(endpoint, base_currency_code) -%}
    {%- set currency = {
        'payments': ['Invoice', 'CurrencyCode'], 'contacts': none, 'items': none,
        'manual_journals': none, 'bank_transfers': none,
    }.get(endpoint, 'CurrencyCode') -%}
    {%- set amount = {
        'payments': 'Amount', 'bank_transfers': 'Amount', 'items': 'TotalCostPool',
    }.get(endpoint, 'Total') -%}
    {{ xero_code('ContactStatus' if endpoint == 'contacts' else 'Status') }} as status,
    {%- if endpoint in ['invoices', 'credit_notes', 'payments', 'bank_transactions'] %}
    coalesce({{ xero_code('Status') }} in ('AUTHORISED', 'PAID'), false)
    {%- elif endpoint == 'bank_transfers' %}
    -- Transfers had no status before July 2026; deleted ones were not listed then.
    coalesce({{ xero_code('Status') }}, 'AUTHORISED') = 'AUTHORISED'
    {%- elif endpoint == 'manual_journals' %}
    coalesce({{ xero_code('Status') }} = 'POSTED', false)
    {%- else %}
    false
    {%- endif %} as is_approved,
    -- A leg of a transfer changes with it, and would count thrice.
    {{ "coalesce(" ~ xero_code('Type') ~ " like '%-TRANSFER', false)"
        if endpoint == 'bank_transactions' else 'false' }} as is_leg,
    {{ xero_date('Date') }} as document_date,
    {%- if currency %}
    {%- if endpoint == 'payments' %}
    coalesce(
        {%- for document in ['Invoice', 'CreditNote', 'Overpayment', 'Prepayment'] %}
        {{ xero_currency([document, 'CurrencyCode']) }}{{ ',' if not loop.last }}
        {%- endfor %}
    ) as currency_code,
    {%- else %}
    {{ xero_currency(currency) }} as currency_code,
    {%- endif %}
    {{ xero_number('CurrencyRate') }} as currency_rate,
    {%- elif endpoint == 'bank_transfers' %}
    -- The account's, which a transfer does not name; one rate tells that it is not the base's.
    case when coalesce({{ xero_number('CurrencyRate') }}, 1) = 1 then {{ base_currency_code }} end
        as currency_code,
    {{ xero_number('CurrencyRate') }} as currency_rate,
    {%- else %}
    {{ base_currency_code }} as currency_code,
    1::numeric as currency_rate,
    {%- endif %}
    {%- if endpoint == 'manual_journals' %}
    (
        select
            sum(greatest(
                {{ net_of_line(
                    xero_code('LineAmountTypes'),
                    xero_number('LineAmount', 'line.element'),
                    'coalesce(' ~ xero_number('TaxAmount', 'line.element') ~ ', 0)'
                ) }},
                0
            ))
        from jsonb_array_elements({{ xero_list('JournalLines') }}) as line (element)
    ) as amount,
    {%- elif endpoint == 'repeating_invoices' %}
    round(
        {{ xero_number('Total') }}
        * case {{ xero_code(['Schedule', 'Unit']) }}
            when 'MONTHLY' then 1 when 'WEEKLY' then 52 / 12.0
        end
        / nullif({{ xero_integer(['Schedule', 'Period']) }}, 0),
        2
    ) as amount,
    {%- elif endpoint == 'contacts' %}
    null::numeric as amount,
    {%- else %}
    {{ xero_number(amount) }} as amount,
    {%- endif %}
    {{ xero_number('QuantityOnHand') if endpoint == 'items' else 'null::numeric' }} as quantity,
    {{ xero_version_measure(endpoint) }} as measure
{%- endmacro %}

{#- The level that the version raises while it is current; null when none. -#}
{% macro xero_version_measure(endpoint) -%}
    {%- if endpoint == 'bank_transactions' -%}
    case
        when
            {{ xero_code('Status') }} in ('AUTHORISED', 'PAID')
            and {{ xero_boolean('IsReconciled') }} is not true
            then case
                when {{ xero_code('Type') }} like 'RECEIVE%' then 'unreconciled_received'
                when {{ xero_code('Type') }} like 'SPEND%' then 'unreconciled_spent'
            end
    end
    {%- elif endpoint == 'items' -%}
    case when {{ xero_boolean('IsTrackedAsInventory') }} then 'stock' end
    {%- elif endpoint == 'quotes' -%}
    case
        when {{ xero_code('Status') }} in ('DRAFT', 'SENT', 'ACCEPTED', 'DECLINED', 'INVOICED')
            then 'quotes_' || lower({{ xero_code('Status') }})
    end
    {%- elif endpoint == 'purchase_orders' -%}
    case when {{ xero_code('Status') }} = 'AUTHORISED' then 'purchase_orders_open' end
    {%- elif endpoint == 'repeating_invoices' -%}
    case
        -- A template whose next date lies behind its end writes nothing any more.
        when
            {{ xero_code('Status') }} = 'AUTHORISED'
            and (
                {{ xero_date(['Schedule', 'EndDate']) }}
                < {{ xero_date(['Schedule', 'NextScheduledDate']) }}
            ) is not true
            then case {{ xero_code('Type') }}
                when 'ACCREC' then 'repeating_receivables'
                when 'ACCPAY' then 'repeating_payables'
            end
    end
    {%- else -%}
    null::text
    {%- endif -%}
{%- endmacro %}

{#- The option of a line, which Xero's pages tell by its name alone: `option_names` holds the ids of
    whoever had the organisation's names first, which no later renaming moves. -#}
{% macro xero_option_of_any_name(element) -%}
    coalesce(
        {{ xero_code('TrackingOptionID', element) }},
        option_names
        ->> concat_ws(
            ':', {{ xero_text('TrackingCategoryID', element) }}, {{ xero_text('Option', element) }}
        ),
        {{ xero_text('Option', element) }}
    )
{%- endmacro %}

{#- What people approve of a record, as one value: another one is a change. What settling, sending,
    reconciling and attaching write is not in it. Of contacts it is where their money goes. -#}
{% macro xero_version_content(endpoint) -%}
    {%- set document = [
        'Type', 'Reference', 'LineAmountTypes', 'CurrencyCode', ['Contact', 'ContactID']
    ] -%}
    {%- set texts = {
        'contacts': [
            'BankAccountDetails', ['BatchPayments', 'BankAccountNumber'],
            ['BatchPayments', 'BankAccountName'],
        ],
        'invoices': document + ['InvoiceNumber'],
        'credit_notes': document + ['CreditNoteNumber'],
        'payments': ['Reference', ['Account', 'AccountID']],
        'bank_transactions': document + [['BankAccount', 'AccountID']],
        'bank_transfers': [
            'Reference', ['FromBankAccount', 'AccountID'], ['ToBankAccount', 'AccountID'],
        ],
        'manual_journals': ['Narration', 'LineAmountTypes', 'ShowOnCashBasisReports'],
    }.get(endpoint, []) -%}
    {%- set numbers = {
        'invoices': ['CurrencyRate', 'SubTotal', 'TotalTax', 'Total'],
        'credit_notes': ['CurrencyRate', 'SubTotal', 'TotalTax', 'Total'],
        'payments': ['Amount', 'BankAmount'],
        'bank_transactions': ['CurrencyRate', 'SubTotal', 'TotalTax', 'Total'],
        'bank_transfers': ['Amount'],
    }.get(endpoint, []) -%}
    {%- set dates = {'contacts': [], 'invoices': ['Date', 'DueDate']}.get(endpoint, ['Date']) -%}
    {%- set lines = {
        'invoices': 'LineItems', 'credit_notes': 'LineItems', 'bank_transactions': 'LineItems',
        'manual_journals': 'JournalLines',
    }.get(endpoint) -%}
    jsonb_build_array(
        {%- for field in texts %}
        {{ xero_code(field) }}{{ ',' if not loop.last or numbers or dates or lines }}
        {%- endfor %}
        {%- for field in numbers %}
        {{ xero_number(field) }}{{ ',' if not loop.last or dates or lines }}
        {%- endfor %}
        {%- for field in dates %}
        {{ xero_date(field) }}{{ ',' if not loop.last or lines }}
        {%- endfor %}
        {%- if lines %}
        -- Codes and names change without anybody touching the document: ids come first.
        case
            when payload @? '$.{{ lines }}[*].AccountID'
                then jsonb_path_query_array(payload, '$.{{ lines }}[*].AccountID')
            else jsonb_path_query_array(payload, '$.{{ lines }}[*].AccountCode')
        end,
        (
            select jsonb_agg({{ xero_option_of_any_name('tracked.element') }} order by tracked.place)
            from
                jsonb_path_query(payload, '$.{{ lines }}[*].Tracking[*]')
                with ordinality as tracked (element, place)
        ),
        {%- for field in [
            'Description', 'TaxType', 'Quantity', 'UnitAmount', 'DiscountRate', 'LineAmount',
            'TaxAmount',
        ] %}
        jsonb_path_query_array(payload, '$.{{ lines }}[*].{{ field }}')
        {{- ',' if not loop.last }}
        {%- endfor %}
        {%- endif %}
    )
{%- endmacro %}
