{#- Whether a line gives an amount that cannot be read. Left out, it would fall to rounding; the
    whole record is left out instead, and is a row of fct_document_errors. -#}
{% macro xero_has_unreadable_line(list, fields) -%}
    exists (
        select
        from jsonb_array_elements({{ xero_list(list) }}) as line (element)
        where
            {%- for field in fields %}
            {{ 'or ' if not loop.first }}(
                {{ xero_code(field, 'line.element') }} is not null
                and {{ xero_number(field, 'line.element') }} is null
            )
            {%- endfor %}
    )
{%- endmacro %}

{#- The columns of one element of a nested list, so that the intermediate models which unnest the
    lists need not spell Xero's names. `element` is the jsonb value. -#}

{% macro xero_line_item_columns(element) -%}
    {{ xero_code('LineItemID', element) }} as line_item_id,
    {{ xero_code('AccountID', element) }} as account_id,
    {{ xero_code('AccountCode', element) }} as account_code,
    {{ xero_code('ItemCode', element) }} as item_code,
    {{ xero_code('TaxType', element) }} as tax_type,
    {{ xero_text('Description', element) }} as description,
    {{ xero_number('Quantity', element) }} as quantity,
    {{ xero_number('UnitAmount', element) }} as unit_amount,
    {{ xero_number('DiscountRate', element) }} as discount_rate,
    {{ xero_number('DiscountAmount', element) }} as discount_amount,
    {{ xero_number('LineAmount', element) }} as line_amount,
    coalesce({{ xero_number('TaxAmount', element) }}, 0) as tax_amount,
    {{ xero_list('Tracking', element) }} as tracking
{%- endmacro %}

{% macro xero_allocation_columns(element) -%}
    {{ xero_code('AllocationID', element) }} as allocation_id,
    {{ xero_code(['Invoice', 'InvoiceID'], element) }} as invoice_id,
    coalesce(
        {{ xero_number('Amount', element) }},
        {{ xero_number('AppliedAmount', element) }}
    ) as amount,
    {{ xero_date('Date', element) }} as allocation_date,
    coalesce({{ xero_boolean('IsDeleted', element) }}, false) as is_deleted
{%- endmacro %}

{#- A credit note, overpayment or prepayment as an invoice mentions it. -#}
{% macro xero_credit_stub_columns(element, id_field) -%}
    {{ xero_code(id_field, element) }} as credit_id,
    {{ xero_number('AppliedAmount', element) }} as applied_amount,
    {{ xero_date('Date', element) }} as credit_date
{%- endmacro %}

{#- A payment as an invoice mentions it. -#}
{% macro xero_payment_stub_columns(element) -%}
    {{ xero_code('PaymentID', element) }} as payment_id,
    {{ xero_date('Date', element) }} as payment_date,
    {{ xero_number('Amount', element) }} as amount
{%- endmacro %}

{#- A row of a trial balance; blank cells are zero. -#}
{% macro xero_trial_balance_columns(element) -%}
    {{ as_long_as_an_id(element ~ " -> 'Cells' -> 0 ->> 'Value'") }} as account_label,
    {{ xero_code('Value', element ~ " -> 'Cells' -> 0 -> 'Attributes' -> 0") }} as account_id,
    {%- for amount in ['debit', 'credit', 'ytd_debit', 'ytd_credit'] %}
    coalesce(
        {{ xero_number('Value', element ~ " -> 'Cells' -> " ~ loop.index) }}, 0
    ) as {{ amount }}_amount{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The account rows of a report, in sections or directly under it, as report_row (element). -#}
{% macro xero_report_rows(rows) -%}
    (
        select line.element
        from jsonb_array_elements({{ rows }}) as section (element)
        cross join lateral jsonb_array_elements(
            case
                when section.element ->> 'RowType' = 'Section'
                    then {{ xero_list('Rows', 'section.element') }}
                else jsonb_build_array(section.element)
            end
        ) as line (element)
        where line.element ->> 'RowType' = 'Row'
    ) as report_row
{%- endmacro %}

{#- An account's line of a budget, with the options that the budget is for. -#}
{% macro xero_budget_line_columns(element, tracking) -%}
    {{ xero_code('AccountID', element) }} as account_id,
    {{ xero_code('AccountCode', element) }} as account_code,
    {{ xero_list('BudgetBalances', element) }} as balances,
    {{ xero_code('TrackingOptionID', '(' ~ tracking ~ ' -> 0)') }} as tracking_option_1_id,
    {{ xero_code('TrackingOptionID', '(' ~ tracking ~ ' -> 1)') }} as tracking_option_2_id
{%- endmacro %}

{#- A month of such a line. -#}
{% macro xero_budget_balance_columns(element) -%}
    {{ xero_month('Period', element) }} as month_start_date,
    {{ xero_number('Amount', element) }} as base_amount
{%- endmacro %}
