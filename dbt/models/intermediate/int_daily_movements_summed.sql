{#- The one large sort of a build; with Postgres's default it would go through the disk. -#}
{{ config(materialized='table', pre_hook="set local work_mem = '64MB'") }}

with

windows as (
    select * from {{ ref('int_windows_spanned') }}
),

ageing as (
    select * from {{ ref('int_ageing_moved') }}
),

open_documents as (
    select * from {{ ref('int_open_documents_counted') }}
),

credits as (
    select * from {{ ref('int_credits_moved') }}
),

flows as (
    select * from {{ ref('int_flows_listed') }}
),

document_errors as (
    select * from {{ ref('int_document_errors_listed') }}
),

levels as (
    select * from ageing
    union all
    select * from open_documents
    union all
    select * from credits
    union all
    select
        tenant_id,
        currency_code,
        'conversion_error' as measure,
        document_date as event_date,
        1 as event_count,
        0::numeric as amount,
        0::numeric as base_amount
    from document_errors
    where error = 'no_rate'
),

-- What happened before the window opens it: levels carry over to the first day, flows do not.
dated as (
    select
        levels.tenant_id,
        levels.currency_code,
        levels.measure,
        greatest(levels.event_date, windows.first_day) as day,
        sum(levels.event_count) as event_count,
        sum(levels.amount) as amount,
        coalesce(sum(levels.base_amount), 0) as base_amount
    from levels
    inner join windows
        on
            levels.tenant_id = windows.tenant_id
            and levels.event_date <= windows.last_day
    group by levels.tenant_id, levels.currency_code, levels.measure, day
    union all
    select
        flows.tenant_id,
        flows.currency_code,
        flows.measure,
        flows.event_date as day,
        sum(flows.event_count) as event_count,
        sum(flows.amount) as amount,
        coalesce(sum(flows.base_amount), 0) as base_amount
    from flows
    inner join windows
        on
            flows.tenant_id = windows.tenant_id
            and flows.event_date between windows.first_day and windows.last_day
    group by flows.tenant_id, flows.currency_code, flows.measure, flows.event_date
),

final as (
    select
        tenant_id,
        currency_code,
        day,
        {%- for measure in statistics_flows() %}
        coalesce(sum(event_count) filter (where measure = '{{ measure }}'), 0)
            as {{ measure }}_count,
        coalesce(sum(amount) filter (where measure = '{{ measure }}'), 0) as {{ measure }}_amount,
        coalesce(sum(base_amount) filter (where measure = '{{ measure }}'), 0)
            as {{ measure }}_base_amount,
        {%- endfor %}
        {%- for measure in statistics_levels() %}
        coalesce(sum(amount) filter (where measure = '{{ measure }}'), 0) as {{ measure }}_amount,
        coalesce(sum(base_amount) filter (where measure = '{{ measure }}'), 0)
            as {{ measure }}_base_amount,
        {%- endfor %}
        {%- for measure in statistics_level_counts() %}
        coalesce(sum(event_count) filter (where measure = '{{ measure }}'), 0)
            as {{ measure }}_count{{ ',' if not loop.last }}
        {%- endfor %}
    from dated
    group by tenant_id, currency_code, day
)

select * from final
