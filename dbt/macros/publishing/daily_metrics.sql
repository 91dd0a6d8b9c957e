{#- The metrics of the daily statistics, from their one definition: the columns of a wide table that
    say their theme in its yml. Each is a name, a theme, a unit and a description. Known only while
    models run. -#}
{% macro daily_metrics(model_name) -%}
    {%- set metrics = [] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.name == model_name -%}
            {%- for column in node.columns.values() if column.meta.get('theme') -%}
                {%- do metrics.append({
                    'name': column.name,
                    'theme': column.meta.theme,
                    'unit': column.meta.unit,
                    'description': column.description,
                }) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(metrics) }}
{%- endmacro %}

{#- A wide table's metrics, one below the other; what is null there has no row here. Amounts are in
    the currency of the named column, other units in none, but for those of a table by currency. -#}
{% macro narrow_metrics(relation, model_name, currency_column) -%}
    select
        {{ relation }}.tenant_id,
        {{ relation }}.day,
        metrics.metric,
        case when metrics.has_currency then {{ relation }}.{{ currency_column }} end
            as currency_code,
        metrics.value
    from {{ relation }}
    cross join lateral (
        values
        {%- for metric in daily_metrics(model_name) %}
        (
            '{{ metric.name }}',
            {{ relation }}.{{ metric.name }}::numeric,
            {{ metric.unit == 'amount' or currency_column == 'currency_code' }}
        ){{ ',' if not loop.last }}
        {%- else %}
        ('', 0::numeric, false)
        {%- endfor %}
    ) as metrics (metric, value, has_currency)
    where metrics.value is not null
{%- endmacro %}
