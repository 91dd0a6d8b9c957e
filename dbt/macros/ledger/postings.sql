{#- The columns of a posting, in the order in which every builder gives them and both ledgers keep
    them. -#}
{% macro posting_columns(relation=none) -%}
    {%- for column in [
        'tenant_id', 'posting_id', 'posting_date', 'account_id', 'source_type', 'source_id',
        'document_id', 'line_number', 'contact_id', 'tax_type', 'tracking_option_1_id',
        'tracking_option_2_id', 'currency_code', 'amount', 'base_amount', 'rule',
        'is_from_journals', 'created_at'
    ] %}
    {{ relation ~ '.' if relation }}{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- What a line is tracked by: the options of the organisation's first and second category, whatever
    their order on the line. An option of another category, archived since, takes the place that is
    free, so that nothing tracked is lost; a line has two at most. `line`, `charts`, `option_1` and
    `option_2` are relations: the options are those of the line's places, found by name. -#}
{% macro tracking_option_columns(line, charts, option_1, option_2, condition='true') -%}
    {%- set category = [charts ~ '.tracking_category_1_id', charts ~ '.tracking_category_2_id'] -%}
    {%- set given = [] -%}
    {%- set other = [] -%}
    {%- for option in [option_1, option_2] -%}
        {%- set place = line ~ '.option_' ~ loop.index -%}
        {%- set own_category = line ~ '.category_' ~ loop.index ~ '_id' -%}
        {%- do given.append(
            'coalesce(' ~ place ~ '_id, ' ~ option ~ '.tracking_option_id, ' ~ place ~ '_name)'
        ) -%}
        {%- do other.append(
            'case when ' ~ own_category ~ ' is distinct from ' ~ category[0] ~ ' and '
            ~ own_category ~ ' is distinct from ' ~ category[1] ~ ' then ' ~ given[loop.index0]
            ~ ' end'
        ) -%}
    {%- endfor -%}
    {%- set own = [] -%}
    {%- for each in category -%}
        {%- do own.append(
            'case ' ~ each ~ ' when ' ~ line ~ '.category_1_id then ' ~ given[0] ~ ' when '
            ~ line ~ '.category_2_id then ' ~ given[1] ~ ' end'
        ) -%}
    {%- endfor -%}
    case
        when {{ condition }} then coalesce(
            {{ own[0] }},
            case
                when
                    {{ own[1] }} is not null
                    or ({{ other[0] }} is not null and {{ other[1] }} is not null)
                    then coalesce({{ other[0] }}, {{ other[1] }})
            end
        )
    end as tracking_option_1_id,
    case
        when {{ condition }} then coalesce(
            {{ own[1] }},
            case
                when
                    {{ own[0] }} is null
                    and {{ other[0] }} is not null
                    and {{ other[1] }} is not null
                    then {{ other[1] }}
                else coalesce({{ other[0] }}, {{ other[1] }})
            end
        )
    end as tracking_option_2_id
{%- endmacro %}

{#- How the ledgers are asked: by day, by account and day, by document and by what
    posts. -#}
{% macro posting_indexes() -%}
    {{ return([
        {'columns': ['tenant_id', 'posting_date']},
        {'columns': ['tenant_id', 'account_id', 'posting_date']},
        {'columns': ['tenant_id', 'document_id']},
        {'columns': ['tenant_id', 'source_id']},
    ]) }}
{%- endmacro %}
