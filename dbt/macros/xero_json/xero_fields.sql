{#- One field of a payload, by its Xero name, as a typed column.

    `field` is a name, or a list of names that leads into nested objects. Xero writes a missing
    object as [] or leaves it out; both are null here, because a field of an array is null. A
    value that is not what the field promises is null, too: one organisation's odd record must not
    stop the build of all others. Dates are recognised by the field's name, never by the value. -#}

{% macro xero_json(field, object='payload') -%}
    {%- set path = [field] if field is string else field -%}
    {{ object }}{% for name in path %} -> '{{ name }}'{% endfor %}
{%- endmacro %}

{#- Text as it stands. -#}
{% macro xero_text(field, object='payload') -%}
    {%- set path = [field] if field is string else field -%}
    {{ object }}{% for name in path %} {{ '->>' if loop.last else '->' }} '{{ name }}'{% endfor %}
{%- endmacro %}

{#- An id, a code or an enumeration: the empty string means there is none. -#}
{% macro xero_code(field, object='payload') -%}
    nullif({{ as_long_as_an_id(xero_text(field, object)) }}, '')
{%- endmacro %}

{#- No longer than an index can hold, 2,704 bytes a row; Xero's own ids have 36 characters. -#}
{% macro as_long_as_an_id(text) -%}
    left({{ text }}, 600)
{%- endmacro %}

{#- A currency by its three letters, ISO 4217. -#}
{% macro xero_currency(field, object='payload') -%}
    substring({{ xero_text(field, object) }} from '^[A-Z]{3}$')
{%- endmacro %}

{#- A JSON number, or a number that Xero wrote as a string ("600.00"). Exact, never a float. Of
    more than thirteen digits before the point it is a slip, which totals could not hold. -#}
{% macro xero_number(field, object='payload') -%}
    {{ number_below('1e13', xero_text(field, object)) }}
{%- endmacro %}

{#- A text as a number, null where it is none or too great. Postgres holds no more than 16,383 digits
    after the point, and Xero writes a dozen; bounds within the pattern would make it twice as slow. -#}
{% macro number_below(limit, text) -%}
    case
        when length({{ text }}) <= 60 and {{ text }} ~ '^-?[0-9]+([.][0-9]+)?$'
            then case when abs(({{ text }})::numeric) < {{ limit }} then ({{ text }})::numeric end
    end
{%- endmacro %}

{#- A whole number, or one that Xero wrote as a string or with a decimal point (2.0). -#}
{% macro xero_integer(field, object='payload') -%}
    case
        when
            length({{ xero_text(field, object) }}) <= 60
            and {{ xero_text(field, object) }} ~ '^-?[0-9]{1,18}([.]0+)?$'
            then ({{ xero_text(field, object) }})::numeric::bigint
    end
{%- endmacro %}

{#- A whole number of a range, as that of a month; null outside it. -#}
{% macro xero_integer_between(field, first, last, object='payload') -%}
    case
        when {{ xero_integer(field, object) }} between {{ first }} and {{ last }}
            then ({{ xero_integer(field, object) }})::integer
    end
{%- endmacro %}

{#- true, false, or the strings "true" and "false". -#}
{% macro xero_boolean(field, object='payload') -%}
    case lower({{ xero_text(field, object) }}) when 'true' then true when 'false' then false end
{%- endmacro %}

{#- A business date, "/Date(1297814400000+0000)/": a stamp of midnight UTC, so its UTC date and
    nothing else. Milliseconds may be negative, the offset may be absent. ISO texts pass, too. Of the
    years 1 to 9999, since few programs that read the marts know others. -#}
{% macro xero_date(field, object='payload') -%}
    case
        when {{ is_a_moment(field, object) }}
            then
                date '1970-01-01' + floor(
                    substring({{ xero_text(field, object) }} from '-?[0-9]+')::numeric / 86400000
                )::integer
        when {{ xero_text(field, object) }} ~ '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
            -- to_date() alone would stop everything at a 31st of February.
            then case
                when
                    extract(
                        day from to_date(left({{ xero_text(field, object) }}, 7), 'YYYY-MM')
                        + substring({{ xero_text(field, object) }} from 9 for 2)::integer - 1
                    ) = substring({{ xero_text(field, object) }} from 9 for 2)::integer
                    then
                        to_date(left({{ xero_text(field, object) }}, 7), 'YYYY-MM')
                        + substring({{ xero_text(field, object) }} from 9 for 2)::integer - 1
            end
    end
{%- endmacro %}

{#- A month, "2019-08", as its first day; a date in it passes, too. -#}
{% macro xero_month(field, object='payload') -%}
    case
        when {{ xero_text(field, object) }} ~ '^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])$'
            then to_date({{ xero_text(field, object) }}, 'YYYY-MM')
        else date_trunc('month', {{ xero_date(field, object) }})::date
    end
{%- endmacro %}

{#- A moment, "/Date(1289566516347+0000)/", as an aware timestamp. -#}
{% macro xero_timestamp(field, object='payload') -%}
    case
        when {{ is_a_moment(field, object) }}
            then
                timestamptz '1970-01-01 00:00:00+00'
                + substring({{ xero_text(field, object) }} from '-?[0-9]+')::bigint
                * interval '1 millisecond'
    end
{%- endmacro %}

{#- Whether the text is a moment as Xero writes it, from the year 1 to 9999. -#}
{% macro is_a_moment(field, object) -%}
    case
        when {{ xero_text(field, object) }} ~ '^/Date[(]-?[0-9]{1,15}([+-][0-9]{4})?[)]/$'
            then
                substring({{ xero_text(field, object) }} from '-?[0-9]+')::bigint
                between -62135596800000 and 253402300799999
    end
{%- endmacro %}

{#- A list; anything else that Xero writes for "none" is the empty list. -#}
{% macro xero_list(field, object='payload') -%}
    case
        when jsonb_typeof({{ xero_json(field, object) }}) = 'array' then {{ xero_json(field, object) }}
        else '[]'::jsonb
    end
{%- endmacro %}
