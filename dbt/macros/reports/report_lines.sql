{#- The reports that are held against the ledger: Xero's name, its endpoint and the endpoint's key
    in staging. -#}
{% macro tied_reports() -%}
    {{ return({
        'TrialBalance': ('trial_balances', 'trial_balance_id'),
        'ProfitAndLoss': ('profit_and_losses', 'profit_and_loss_id'),
        'BalanceSheet': ('balance_sheets', 'balance_sheet_id'),
        'BankSummary': ('bank_summaries', 'bank_summary_id'),
        'ExecutiveSummary': ('executive_summaries', 'executive_summary_id'),
    }) }}
{%- endmacro %}

{#- Pre-hook: the lines of reports that moved since the last build go, one delete a report. -#}
{% macro forget_moved_reports() -%}
    {%- for endpoint, _ in tied_reports().values() %}
    {{ forget_moved(endpoint, 'report_id') }}
    {{- ';' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- A line of any report: its label, the account it is about, and its figures from left to right.
    Blank cells are null; thousands' commas and per cent signs are taken off. Label and account
    name the line wherever it is compared, in indexes, too. -#}
{% macro xero_report_line_columns(element) -%}
    {{ as_long_as_an_id(element ~ " -> 'Cells' -> 0 ->> 'Value'") }} as line_label,
    {{ xero_code('Value', element ~ " -> 'Cells' -> 0 -> 'Attributes' -> 0") }} as account_id,
    array(
        select
            {{ number_below('1e15', "translate(cell.element ->> 'Value', ',%', '')") }}
        from
            jsonb_array_elements({{ xero_list('Cells', element) }})
            with ordinality as cell (element, cell_number)
        where cell.cell_number > 1
        order by cell.cell_number
    ) as amounts
{%- endmacro %}

{#- The rows of a report that are no sums, in sections or directly under it, as report_row
    (element, section_title, line_number). -#}
{% macro xero_titled_report_rows(rows) -%}
    (
        select
            line.element,
            section.element ->> 'Title' as section_title,
            row_number() over (order by section.section_number, line.row_number) as line_number
        from
            jsonb_array_elements({{ rows }})
            with ordinality as section (element, section_number)
        cross join lateral jsonb_array_elements(
            case
                when section.element ->> 'RowType' = 'Section'
                    then {{ xero_list('Rows', 'section.element') }}
                else jsonb_build_array(section.element)
            end
        ) with ordinality as line (element, row_number)
        where line.element ->> 'RowType' = 'Row'
    ) as report_row
{%- endmacro %}

{#- The account id under which Xero shows the open year's profit; no chart has it. -#}
{% macro current_year_earnings() -%}
    abababab-abab-abab-abab-abababababab
{%- endmacro %}

{#- Which reports a build holds against documents: those of tenants that it makes anew, those with a
    new version, and those that came back unchanged while documents may have moved. `relation` has
    the versions, the CTE `confirmed` is stg_xero__reports_confirmed, joined to it. -#}
{% macro is_compared_anew(relation) -%}
    (
        tenants.is_rebuilt
        or {{ relation }}.known_from > tenants.built_known_at
        or confirmed.report_id is not null
    )
{%- endmacro %}

{#- Whether the documents are those that a report was read beside, and when both were known. It came
    with the last complete extraction; or it was read after the documents, changed or not, by a try
    whose reports a retried, resumed or repeated extraction does not read again. -#}
{% macro known_with_documents(relation) -%}
    {%- set is_comparable -%}
        ({{ relation }}.known_from = tenants.known_at or confirmed.report_id is not null)
    {%- endset -%}
    case when {{ is_comparable }} then tenants.known_at else {{ relation }}.known_from end
        as known_at,
    {{ is_comparable }} as is_comparable
{%- endmacro %}
