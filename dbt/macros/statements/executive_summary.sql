{#- Xero's executive summary: its 23 rows by Xero's own names, in its order. Of each: the section,
    the line, the unit, the figure made of `month`'s, and which of those it is made of.

    Xero's own rules: without a denominator margins, return and ratios are blank, days are 0, and
    the average of no invoices is 0. Per cent are per cent: 61.5 is 61.5 %. -#}
{% macro executive_summary_lines(month='month') -%}
    {%- set surplus = month ~ '.received - ' ~ month ~ '.spent' -%}
    {%- set gross = month ~ '.income - ' ~ month ~ '.direct_costs' -%}
    {%- set costs = month ~ '.direct_costs + ' ~ month ~ '.expenses' -%}
    {%- set profit = gross ~ ' + ' ~ month ~ '.other_income - ' ~ month ~ '.expenses' -%}
    {%- set profits = ['income', 'direct_costs', 'other_income', 'expenses'] -%}
    {%- set liquid = month ~ '.bank + ' ~ month ~ '.current_assets' -%}
    {%- set average = 'round(coalesce(' ~ month ~ '.invoiced / nullif(' ~ month
        ~ '.invoices, 0), 0), 2)' -%}
    {{ return([
        ('Cash', 'Cash received', 'amount', month ~ '.received', ['received']),
        ('Cash', 'Cash spent', 'amount', month ~ '.spent', ['spent']),
        ('Cash', 'Cash surplus (deficit)', 'amount', surplus, ['received', 'spent']),
        ('Cash', 'Closing bank balance', 'amount', month ~ '.bank', ['bank']),
        ('Profitability', 'Income', 'amount', month ~ '.income', ['income']),
        ('Profitability', 'Direct costs', 'amount', month ~ '.direct_costs', ['direct_costs']),
        ('Profitability', 'Gross profit (loss)', 'amount', gross, profits[:2]),
        ('Profitability', 'Other Income', 'amount', month ~ '.other_income', ['other_income']),
        ('Profitability', 'Expenses', 'amount', month ~ '.expenses', ['expenses']),
        ('Profitability', 'Profit (loss)', 'amount', profit, profits),
        ('Balance Sheet', 'Debtors', 'amount', month ~ '.debtors', ['debtors']),
        ('Balance Sheet', 'Creditors', 'amount', month ~ '.creditors', ['creditors']),
        ('Balance Sheet', 'Net assets', 'amount', month ~ '.net_assets', ['net_assets']),
        ('Income', 'Number of invoices issued', 'count', month ~ '.invoices', ['invoices']),
        ('Income', 'Average value of invoices', 'amount', average, ['invoiced', 'invoices']),
        (
            'Performance', 'Gross profit margin', 'percent',
            precisely('(' ~ gross ~ ') * 100', month ~ '.income'), profits[:2],
        ),
        (
            'Performance', 'Net profit margin', 'percent',
            precisely('(' ~ profit ~ ') * 100', month ~ '.income'), profits,
        ),
        (
            'Performance', 'Return on investment (p.a.)', 'percent',
            precisely('(' ~ profit ~ ') * 1200', month ~ '.net_assets'),
            profits + ['net_assets'],
        ),
        (
            'Position', 'Average debtors days', 'days',
            'coalesce(' ~ precisely(month ~ '.debtors * ' ~ month ~ '.days', month ~ '.income')
            ~ ', 0)',
            ['debtors', 'income'],
        ),
        (
            'Position', 'Average creditors days', 'days',
            'coalesce(' ~ precisely(month ~ '.creditors * ' ~ month ~ '.days', costs) ~ ', 0)',
            ['creditors', 'direct_costs', 'expenses'],
        ),
        (
            'Position', 'Short term cash forecast', 'amount',
            month ~ '.debtors - ' ~ month ~ '.creditors', ['debtors', 'creditors'],
        ),
        (
            'Position', 'Current assets to liabilities', 'ratio',
            precisely(liquid, month ~ '.current_liabilities'),
            ['bank', 'current_assets', 'current_liabilities'],
        ),
        (
            'Position', 'Term assets to liabilities', 'ratio',
            precisely(month ~ '.term_assets', month ~ '.term_liabilities'),
            ['term_assets', 'term_liabilities'],
        ),
    ]) }}
{%- endmacro %}

{#- Whether a line of rpt_tie_out is an amount in base currency: only the executive summary has
    others. -#}
{% macro is_money_line(tie_out) -%}
    {%- set lines = [] -%}
    {%- for _, line, unit, _, _ in executive_summary_lines() if unit == 'amount' -%}
        {%- do lines.append(line) -%}
    {%- endfor -%}
    (
        {{ tie_out }}.report <> 'ExecutiveSummary'
        or {{ tie_out }}.line_key in ('{{ lines | join("', '") }}')
    )
{%- endmacro %}

{#- A quotient with so many places that a percentage of it is rounded once only. -#}
{% macro precisely(amount, by) -%}
    round({{ amount }}, 28) / nullif({{ by }}, 0)
{%- endmacro %}

{#- The lines of a month as a relation: line_number, section, line, unit, value (not rounded),
    figures (what it is made of). -#}
{% macro executive_summary_of(month) -%}
    lateral (
        values
        {%- for section, line, unit, value, figures in executive_summary_lines(month) %}
        (
            {{ loop.index }}, '{{ section }}', '{{ line }}', '{{ unit }}',
            {{ value }},
            array['{{ figures | join("', '") }}']
        ){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#- As many places as Xero shows, but six of days and ratios. -#}
{% macro executive_summary_rounded(value, unit) -%}
    round({{ value }}, case {{ unit }}
        when 'amount' then 2 when 'count' then 0 when 'percent' then 1 else 6
    end)
{%- endmacro %}

{#- The month's figures from sums of ledger measures: movements of the month, and levels at its
    end. -#}
{% macro executive_summary_measures() -%}
    {{ return({
        'movements': {
            'received': 'cash_received', 'spent': 'cash_spent', 'income': 'income',
            'direct_costs': 'direct_costs', 'other_income': 'other_income',
            'expenses': 'operating_expenses',
        },
        'levels': {
            'bank': 'bank', 'debtors': 'debtors', 'creditors': 'creditors',
            'current_assets': 'current_assets', 'current_liabilities': 'current_liabilities',
            'fixed_assets': 'fixed_assets', 'non_current_assets': 'non_current_assets',
            'unknown': 'unknown', 'term_liabilities': 'non_current_liabilities',
        },
    }) }}
{%- endmacro %}

{#- What is made of the levels. -#}
{% macro executive_summary_sums(month) -%}
    {{ month }}.fixed_assets + {{ month }}.non_current_assets as term_assets,
    {{ month }}.bank + {{ month }}.current_assets + {{ month }}.fixed_assets
    + {{ month }}.non_current_assets + {{ month }}.unknown - {{ month }}.current_liabilities
    - {{ month }}.term_liabilities as net_assets
{%- endmacro %}
