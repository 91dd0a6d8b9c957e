{#- What the ledger needs of one line of a document, a manual journal or a journal. `element` is
    the jsonb value. A line is tracked by two categories at most; a page of documents names the
    option of each, and gives its id only where the record was asked for alone. -#}

{% macro xero_posting_line_columns(element, tracking='Tracking') -%}
    {{ xero_code('AccountID', element) }} as given_account_id,
    {{ xero_code('AccountCode', element) }} as given_account_code,
    {{ xero_code('TaxType', element) }} as tax_type,
    coalesce({{ xero_number('LineAmount', element) }}, 0) as line_amount,
    coalesce({{ xero_number('TaxAmount', element) }}, 0) as given_tax_amount,
    {{ xero_line_tracking_columns(element, tracking) }}
{%- endmacro %}

{% macro xero_journal_line_columns(element) -%}
    {{ xero_code('JournalLineID', element) }} as journal_line_id,
    {{ xero_code('AccountID', element) }} as given_account_id,
    {{ xero_code('AccountCode', element) }} as given_account_code,
    {{ xero_code('TaxType', element) }} as tax_type,
    coalesce({{ xero_number('NetAmount', element) }}, 0) as net_amount,
    {{ xero_line_tracking_columns(element, 'TrackingCategories') }}
{%- endmacro %}

{% macro xero_line_tracking_columns(element, tracking) -%}
    {%- for place in [0, 1] %}
    {%- set tracked = "(" ~ element ~ " -> '" ~ tracking ~ "' -> " ~ place ~ ")" %}
    {{ xero_code('TrackingCategoryID', tracked) }} as category_{{ loop.index }}_id,
    {{ xero_code('TrackingOptionID', tracked) }} as option_{{ loop.index }}_id,
    {{ xero_code('Option', tracked) }} as option_{{ loop.index }}_name{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- One option of a tracking category. -#}
{% macro xero_tracking_option_columns(element) -%}
    {{ xero_code('TrackingOptionID', element) }} as tracking_option_id,
    {{ xero_text('Name', element) }} as tracking_option_name,
    coalesce({{ xero_code('Status', element) }} = 'ARCHIVED', false) as is_option_archived
{%- endmacro %}
