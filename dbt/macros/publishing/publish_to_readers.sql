{#- Post-hook of every mart, inside the transaction that swaps the table: a swap loses its grants,
    so readers never meet a table they may not read. The place of row-level security, too.

    The lock is there because two tables finishing together would both alter the schema's grants,
    and Postgres answers the second with "tuple concurrently updated". -#}
{% macro publish_to_readers() -%}
    do $publish$
    begin
        if exists (select from pg_catalog.pg_roles where rolname = 'bi_reader') then
            if not has_schema_privilege('bi_reader', '{{ this.schema }}', 'usage') then
                perform pg_advisory_xact_lock(hashtext('xero_marts grants'));
                grant usage on schema {{ this.schema }} to bi_reader;
            end if;
            grant select on {{ this }} to bi_reader;
        end if;
    end
    $publish$
{%- endmacro %}
