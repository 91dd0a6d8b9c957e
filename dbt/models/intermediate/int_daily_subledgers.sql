{#- A table, so that the planner knows how many days there are when they are joined. Here it thinks
    of one day where there are thousands, and would compare each with every other. -#}
{{ config(materialized='table', pre_hook="{{ join_many_days() }}") }}

with

all_currencies as not materialized (
    select * from {{ ref('rpt_daily_statistics_by_currency') }}
),

days_moved as (
    select * from {{ ref('int_days_moved') }}
),

all_movements as not materialized (
    select * from {{ ref('int_daily_movements_summed') }}
),

concentrations as (
    select * from {{ ref('int_concentrations_measured') }}
),

-- Through the indexes, however few or many days are made again: hashed, all days would be read.
by_currency as (
    select shown.*
    from days_moved
    cross join lateral (
        select all_currencies.*
        from all_currencies
        where
            days_moved.tenant_id = all_currencies.tenant_id
            and days_moved.first_day <= all_currencies.day
        offset 0 -- noqa: AM09
    ) as shown
),

movements as (
    select moved.*
    from days_moved
    cross join lateral (
        select all_movements.*
        from all_movements
        where
            days_moved.tenant_id = all_movements.tenant_id
            and days_moved.first_day - {{ trailing_days() }} < all_movements.day
            and days_moved.last_day >= all_movements.day
        offset 0 -- noqa: AM09
    ) as moved
),

summed as (
    select
        tenant_id,
        day,
        {%- for ledger in ledgers() %}
        {%- for count in [
            'issued', 'credit_notes_issued', 'paid', 'voided', 'outstanding', 'overdue'
        ] + unapproved_levels() %}
        sum({{ ledger }}_{{ count }}_count)::integer as {{ ledger }}_{{ count }}_count,
        {%- endfor %}
        {%- for amount in [
            'issued', 'credit_notes_issued', 'paid', 'voided', 'outstanding', 'overdue'
        ] + ageing_buckets() + credit_levels() + expected_levels() + unapproved_levels() %}
        sum({{ ledger }}_{{ amount }}_base_amount) as {{ ledger }}_{{ amount }}_base_amount,
        {%- endfor %}
        {%- endfor %}
        sum(cash_received_count)::integer as cash_received_count,
        sum(cash_spent_count)::integer as cash_spent_count,
        sum(cash_received_base_amount) as cash_received_base_amount,
        sum(cash_spent_base_amount) as cash_spent_base_amount,
        sum(cash_surplus_base_amount) as cash_surplus_base_amount,
        sum(conversion_error_count)::integer as conversion_error_count,
        sum(undated_document_count)::integer as undated_document_count
    from by_currency
    group by tenant_id, day
),

-- The days before the window count in the trailing ones.
spine as (
    select
        days_moved.tenant_id,
        days.day::date as day,
        days_moved.first_day
    from days_moved
    cross join lateral generate_series(
        (days_moved.first_day - {{ trailing_days() - 1 }})::timestamp,
        days_moved.last_day::timestamp,
        interval '1 day'
    ) as days (day)
),

daily as (
    select
        tenant_id,
        day,
        {%- for ledger in ledgers() %}
        {%- for name in trailing_columns() %}
        sum({{ ledger }}_{{ name }}) as {{ ledger }}_{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from movements
    group by tenant_id, day
),

averaged as (
    select
        spine.tenant_id,
        spine.day,
        spine.first_day,
        {%- for ledger in ledgers() %}
        {%- for name in trailing_columns() %}
        sum(daily.{{ ledger }}_{{ name }}) over trailing_days as {{ ledger }}_{{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from spine
    left join daily
        on
            spine.tenant_id = daily.tenant_id
            and spine.day = daily.day
    window trailing_days as (
        partition by spine.tenant_id
        order by spine.day
        rows between {{ trailing_days() - 1 }} preceding and current row
    )
),

final as (
    select
        summed.*,
        {%- for ledger in ledgers() %}
        (
            summed.{{ ledger }}_outstanding_base_amount
            - summed.{{ ledger }}_unapplied_credit_base_amount
            - summed.{{ ledger }}_paid_ahead_base_amount
        ) as {{ ledger }}_control_base_amount,
        round(
            summed.{{ ledger }}_issued_base_amount / nullif(summed.{{ ledger }}_issued_count, 0), 2
        ) as {{ ledger }}_average_issued_base_amount,
        round(
            averaged.{{ ledger }}_issued_base_amount
            / nullif(averaged.{{ ledger }}_issued_count, 0), 2
        ) as {{ ledger }}_average_issued_trailing_{{ trailing_days() }}_base_amount,
        {%- for name in ['days_to_pay', 'days_late'] %}
        round(
            averaged.{{ ledger }}_{{ name }}_times_days
            / nullif(averaged.{{ ledger }}_{{ name }}_base_amount, 0), 6
        ) as {{ ledger }}_average_{{ name }}_trailing_{{ trailing_days() }}_days,
        {%- endfor %}
        {%- for top in concentration_tops() %}
        {{ ledger }}_concentration.top_{{ top }}_share as {{ ledger }}_top_{{ top }}_contacts_share,
        {%- endfor %}
        {{ ledger }}_concentration.herfindahl_ratio as {{ ledger }}_contacts_herfindahl_ratio
        {{- ',' if not loop.last }}
        {%- endfor %}
    from summed
    inner join averaged
        on
            summed.tenant_id = averaged.tenant_id
            and summed.day = averaged.day
    {%- for ledger in ledgers() %}
    left join concentrations as {{ ledger }}_concentration
        on
            summed.tenant_id = {{ ledger }}_concentration.tenant_id
            and summed.day = {{ ledger }}_concentration.day
            and {{ ledger }}_concentration.ledger = '{{ ledger }}'
    {%- endfor %}
)

select * from final
