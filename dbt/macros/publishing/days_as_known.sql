{#- The days of a restated table as the nights knew them that closed them: of each tenant those
    since its first extraction that neither its own table keeps yet nor a good build has closed. Of
    a closed day there may be no rows, and later knowledge adds none. Beside the marts those are left
    out that the marts' statistics, which have a row of every closed day, knew before, so that the
    rebuilt night's alone are there. -#}
{% macro days_as_known(restated) -%}
{%- set is_beside = is_beside_the_marts() %}
{%- set kept = history_in_the_marts('rpt_daily_statistics_as_known') if is_beside else none %}
with

statistics as not materialized (
    select * from {{ ref(restated) }}
),

runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
    where
        state = 'complete'
        and closes_day
),

closed as (
    select
        tenant_id,
        max(day) as last_day
    from (
        {%- if kept is none %}
        {{ rows_before_this_build({'tenant_id': 'uuid', 'day': 'date'}) }}
        {%- if not is_beside %}
        union all
        select
            tenant_id,
            built_day as day
        from {{ ref('stg_xero__tenants') }}
        {%- endif %}
        {%- else %}
        select
            known.tenant_id,
            known.day
        from {{ kept }} as known
        inner join {{ ref('stg_xero__tenants') }} as tenants
            on
                known.tenant_id = tenants.tenant_id
                and known.known_at < tenants.known_at
        {%- endif %}
    ) as closed_days
    group by tenant_id
),

-- Before the first extraction nobody knew anything; a later one for an older day changes nothing.
first_runs as (
    select
        tenant_id,
        (array_agg(day order by known_at, day))[1] as day
    from runs
    group by tenant_id
),

final as (
    select new_days.*
    from first_runs
    left join closed on first_runs.tenant_id = closed.tenant_id
    -- Through the index: joined, all days of all organisations would be read every night.
    cross join lateral (
        select statistics.*
        from statistics
        where
            first_runs.tenant_id = statistics.tenant_id
            and greatest(first_runs.day, closed.last_day + 1) <= statistics.day
        offset 0 -- noqa: AM09
    ) as new_days
)

select * from final
{%- endmacro %}
