{#- The measures of the daily statistics, named once: the models that sum and publish them loop
    over these lists. A level holds from its day on and is a running sum; a flow belongs to its day
    alone. -#}

{% macro ageing_buckets() -%}
    {{ return(['not_due', 'overdue_1_30', 'overdue_31_60', 'overdue_61_90', 'overdue_91_plus']) }}
{%- endmacro %}

{% macro statistics_flows() -%}
    {%- set measures = [] -%}
    {%- for ledger in ['receivables', 'payables'] -%}
        {%- for flow in ['issued', 'credit_notes_issued', 'paid', 'voided'] -%}
            {%- do measures.append(ledger ~ '_' ~ flow) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(measures + ['cash_received', 'cash_spent']) }}
{%- endmacro %}

{#- Levels that are amounts. -#}
{% macro statistics_levels() -%}
    {%- set measures = [] -%}
    {%- for ledger in ['receivables', 'payables'] -%}
        {%- for level in ageing_buckets() + [
            'unapplied_credit', 'unapplied_prepayment', 'paid_ahead'
        ] -%}
            {%- do measures.append(ledger ~ '_' ~ level) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(measures) }}
{%- endmacro %}

{#- Levels that are counts. -#}
{% macro statistics_level_counts() -%}
    {{ return([
        'receivables_outstanding', 'receivables_overdue', 'payables_outstanding',
        'payables_overdue', 'conversion_error',
    ]) }}
{%- endmacro %}
