{#- The measures of the daily statistics, named once: the models that sum and publish them loop
    over these lists. A level holds from its day on and is a running sum; a flow belongs to its day
    alone. -#}

{% macro ledgers() -%}
    {{ return(['receivables', 'payables']) }}
{%- endmacro %}

{% macro ageing_buckets() -%}
    {{ return(['not_due', 'overdue_1_30', 'overdue_31_60', 'overdue_61_90', 'overdue_91_plus']) }}
{%- endmacro %}

{#- Days ahead in which money is expected. -#}
{% macro expected_days() -%}
    {{ return([7, 30, 60, 90]) }}
{%- endmacro %}

{% macro expected_levels() -%}
    {%- set levels = [] -%}
    {%- for days in expected_days() -%}
        {%- do levels.append('expected_in_' ~ days ~ '_days') -%}
    {%- endfor -%}
    {{ return(levels) }}
{%- endmacro %}

{#- What is not outstanding and shown beside it. -#}
{% macro credit_levels() -%}
    {{ return(['unapplied_credit', 'unapplied_prepayment', 'paid_ahead']) }}
{%- endmacro %}

{#- What nobody has approved yet, by its status: on no account, and shown apart. -#}
{% macro unapproved_levels() -%}
    {{ return(['draft', 'submitted']) }}
{%- endmacro %}

{#- Each of the names for both ledgers. -#}
{% macro of_both_ledgers(names) -%}
    {%- set measures = [] -%}
    {%- for ledger in ledgers() -%}
        {%- for name in names -%}
            {%- do measures.append(ledger ~ '_' ~ name) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(measures) }}
{%- endmacro %}

{% macro statistics_flows() -%}
    {{ return(
        of_both_ledgers(['issued', 'credit_notes_issued', 'paid', 'voided'])
        + ['cash_received', 'cash_spent']
    ) }}
{%- endmacro %}

{#- Levels that are amounts. -#}
{% macro statistics_levels() -%}
    {{ return(of_both_ledgers(
        ageing_buckets() + credit_levels() + expected_levels() + unapproved_levels()
    )) }}
{%- endmacro %}

{#- Levels that are counts. -#}
{% macro statistics_level_counts() -%}
    {{ return(
        of_both_ledgers(['outstanding', 'overdue'] + unapproved_levels())
        + ['conversion_error']
    ) }}
{%- endmacro %}

{#- Flows in base currency alone. -#}
{% macro statistics_base_flows() -%}
    {{ return(of_both_ledgers(['issued_net'])) }}
{%- endmacro %}

{#- Flows that weigh days by money: a base amount, and the sum of base amounts times days. -#}
{% macro statistics_weights() -%}
    {{ return(of_both_ledgers(['days_to_pay', 'days_late'])) }}
{%- endmacro %}

{#- The columns of int_daily_movements_summed: the measure, the part of a movement that it sums, and
    whether it is a level. -#}
{% macro movement_columns() -%}
    {%- set columns = [] -%}
    {%- for measure in statistics_flows() -%}
        {%- for ending, part in [
            ('_count', 'event_count'), ('_amount', 'amount'), ('_base_amount', 'base_amount')
        ] -%}
            {%- do columns.append(
                {'name': measure ~ ending, 'measure': measure, 'part': part, 'is_level': false}
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for measure in statistics_base_flows() -%}
        {%- do columns.append({
            'name': measure ~ '_base_amount', 'measure': measure, 'part': 'base_amount',
            'is_level': false,
        }) -%}
    {%- endfor -%}
    {%- for measure in statistics_weights() -%}
        {%- for ending, part in [('_base_amount', 'base_amount'), ('_times_days', 'amount')] -%}
            {%- do columns.append(
                {'name': measure ~ ending, 'measure': measure, 'part': part, 'is_level': false}
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for measure in statistics_levels() -%}
        {%- for ending, part in [('_amount', 'amount'), ('_base_amount', 'base_amount')] -%}
            {%- do columns.append(
                {'name': measure ~ ending, 'measure': measure, 'part': part, 'is_level': true}
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- for measure in statistics_level_counts() -%}
        {%- do columns.append({
            'name': measure ~ '_count', 'measure': measure, 'part': 'event_count',
            'is_level': true,
        }) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- The span of averages: today's figure of a small organisation says little. -#}
{% macro trailing_days() -%}
    {{ return(90) }}
{%- endmacro %}

{#- What averages over the trailing days are made of. -#}
{% macro trailing_columns() -%}
    {{ return([
        'issued_count', 'issued_base_amount', 'days_to_pay_base_amount', 'days_to_pay_times_days',
        'days_late_base_amount', 'days_late_times_days',
    ]) }}
{%- endmacro %}

{#- How many of the largest contacts share what is outstanding. -#}
{% macro concentration_tops() -%}
    {{ return([1, 5, 10]) }}
{%- endmacro %}

{#- How many days of a flow a balance stands for; null without a flow. -#}
{% macro days_of(balance, flow, days) -%}
    round({{ balance }} * {{ days }} / nullif({{ flow }}, 0), 6)
{%- endmacro %}
