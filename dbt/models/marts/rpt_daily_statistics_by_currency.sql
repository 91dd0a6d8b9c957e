{#- Of each tenant the days from the first one that moved (int_days_moved) are made again. -#}
{{ config(
    materialized='incremental',
    pre_hook=["{{ forget_moved_days() }}", "set local work_mem = '64MB'"],
) }}

with

days_moved as (
    select * from {{ ref('int_days_moved') }}
),

all_movements as (
    select * from {{ ref('int_daily_movements_summed') }}
),

document_errors as (
    select * from {{ ref('int_document_errors_listed') }}
    where
        error = 'no_date'
        and document_kind not in ('journal', 'cash_journal', 'quote', 'purchase_order')
),

rates as (
    select * from {{ ref('fct_currency_rates') }}
),

undated as (
    select
        tenant_id,
        currency_code,
        count(*) as undated_document_count
    from document_errors
    group by tenant_id, currency_code
),

-- What happened before the window opens it: levels carry over to the first day, flows do not.
movements as (
    select
        all_movements.tenant_id,
        all_movements.currency_code,
        greatest(all_movements.day, days_moved.first_day) as day,
        {%- for column in movement_columns() %}
        {%- if column.is_level %}
        sum(all_movements.{{ column.name }}) as {{ column.name }},
        {%- else %}
        coalesce(
            sum(all_movements.{{ column.name }})
            filter (where all_movements.day >= days_moved.first_day), 0
        ) as {{ column.name }},
        {%- endif %}
        {%- endfor %}
        count(*) as movement_count
    from all_movements
    inner join days_moved
        on
            all_movements.tenant_id = days_moved.tenant_id
            and all_movements.day <= days_moved.last_day
    group by
        all_movements.tenant_id,
        all_movements.currency_code,
        greatest(all_movements.day, days_moved.first_day)
),

-- Every currency met so far, and the base currency even on a tenant without documents.
currencies as (
    select
        tenant_id,
        currency_code
    from movements
    union
    select
        tenant_id,
        currency_code
    from undated
    union
    select
        tenant_id,
        base_currency_code as currency_code
    from days_moved
),

-- The last rate up to each day; what is older than the first day that is made again stands on it.
rate_dates as (
    select
        rates.tenant_id,
        rates.currency_code,
        greatest(rates.rate_date, days_moved.first_day) as day,
        max(rates.rate_date) as rate_date
    from rates
    inner join days_moved
        on
            rates.tenant_id = days_moved.tenant_id
            and rates.rate_date <= days_moved.last_day
    group by
        rates.tenant_id, rates.currency_code, greatest(rates.rate_date, days_moved.first_day)
),

spine as (
    select
        days_moved.tenant_id,
        currencies.currency_code,
        days.day::date as day,
        days_moved.base_currency_code,
        days_moved.known_at
    from days_moved
    inner join currencies on days_moved.tenant_id = currencies.tenant_id
    cross join lateral generate_series(
        days_moved.first_day::timestamp, days_moved.last_day::timestamp, interval '1 day'
    ) as days (day)
),

running as (
    select
        spine.tenant_id,
        spine.base_currency_code,
        spine.known_at,
        spine.currency_code,
        spine.day,
        {%- for column in movement_columns() %}
        {%- if column.is_level %}
        coalesce(sum(movements.{{ column.name }}) over until_day, 0) as {{ column.name }},
        {%- else %}
        coalesce(movements.{{ column.name }}, 0) as {{ column.name }},
        {%- endif %}
        {%- endfor %}
        coalesce(movements.movement_count, 0) as movement_count,
        max(rate_dates.rate_date) over until_day as last_rate_date
    from spine
    left join movements
        on
            spine.tenant_id = movements.tenant_id
            and spine.currency_code = movements.currency_code
            and spine.day = movements.day
    left join rate_dates
        on
            spine.tenant_id = rate_dates.tenant_id
            and spine.currency_code = rate_dates.currency_code
            and spine.day = rate_dates.day
    window until_day as (
        partition by spine.tenant_id, spine.currency_code
        order by spine.day
        rows between unbounded preceding and current row
    )
),

final as (
    select
        running.tenant_id,
        running.day,
        running.currency_code,
        running.base_currency_code,
        {%- for ledger in ledgers() %}
        {%- for count in [
            'issued', 'credit_notes_issued', 'paid', 'voided', 'outstanding', 'overdue'
        ] + unapproved_levels() %}
        running.{{ ledger }}_{{ count }}_count::integer as {{ ledger }}_{{ count }}_count,
        {%- endfor %}
        {%- for unit in ['amount', 'base_amount'] %}
        {%- for flow in ['issued', 'credit_notes_issued', 'paid', 'voided'] %}
        running.{{ ledger }}_{{ flow }}_{{ unit }},
        {%- endfor %}
        (
            {%- for bucket in ageing_buckets() %}
            {{ '+ ' if not loop.first }}running.{{ ledger }}_{{ bucket }}_{{ unit }}
            {%- endfor %}
        ) as {{ ledger }}_outstanding_{{ unit }},
        (
            {%- for bucket in ageing_buckets()[1:] %}
            {{ '+ ' if not loop.first }}running.{{ ledger }}_{{ bucket }}_{{ unit }}
            {%- endfor %}
        ) as {{ ledger }}_overdue_{{ unit }},
        {%- for level in (
            ageing_buckets() + credit_levels() + expected_levels() + unapproved_levels()
        ) %}
        running.{{ ledger }}_{{ level }}_{{ unit }},
        {%- endfor %}
        {%- endfor %}
        {%- endfor %}
        running.cash_received_count::integer as cash_received_count,
        running.cash_spent_count::integer as cash_spent_count,
        {%- for unit in ['amount', 'base_amount'] %}
        running.cash_received_{{ unit }},
        running.cash_spent_{{ unit }},
        running.cash_received_{{ unit }} - running.cash_spent_{{ unit }} as cash_surplus_{{ unit }},
        {%- endfor %}
        running.conversion_error_count::integer as conversion_error_count,
        coalesce(undated.undated_document_count, 0)::integer as undated_document_count,
        rates.currency_rate as last_currency_rate,
        running.last_rate_date,
        running.day - running.last_rate_date as last_rate_days,
        running.known_at
    from running
    left join undated
        on
            running.tenant_id = undated.tenant_id
            and running.currency_code = undated.currency_code
    left join rates
        on
            running.tenant_id = rates.tenant_id
            and running.currency_code = rates.currency_code
            and running.last_rate_date = rates.rate_date
)

select * from final
