{#- A table, so that the planner knows how many days there are when they are joined. Here it thinks
    of one day where there are thousands, and would compare each with every other. -#}
{{ config(materialized='table', pre_hook="{{ join_many_days() }}") }}

with

by_currency as (
    select * from {{ ref('rpt_daily_statistics_by_currency') }}
),

windows as (
    select * from {{ ref('int_days_moved') }}
),

movements as (
    select * from {{ ref('int_daily_movements_summed') }}
),

concentrations as (
    select * from {{ ref('int_concentrations_measured') }}
),

summed as (
    select
        tenant_id,
        day,
        {%- for ledger in ledgers() %}
        {%- for count in [
            'issued', 'credit_notes_issued', 'paid', 'voided', 'outstanding', 'overdue'
        ] %}
        sum({{ ledger }}_{{ count }}_count)::integer as {{ ledger }}_{{ count }}_count,
        {%- endfor %}
        {%- for amount in [
            'issued', 'credit_notes_issued', 'paid', 'voided', 'outstanding', 'overdue'
        ] + ageing_buckets() + credit_levels() + expected_levels() %}
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
    where
        exists (
            select from windows
            where
                by_currency.tenant_id = windows.tenant_id
                and by_currency.day >= windows.first_day
        )
    group by tenant_id, day
),

-- The days before the window count in the trailing ones.
spine as (
    select
        windows.tenant_id,
        days.day::date as day,
        windows.first_day
    from windows
    cross join lateral generate_series(
        (windows.first_day - {{ trailing_days() - 1 }})::timestamp,
        windows.last_day::timestamp,
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
    where
        exists (
            select from windows
            where
                movements.tenant_id = windows.tenant_id
                and movements.day > windows.first_day - {{ trailing_days() }}
                and movements.day <= windows.last_day
        )
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
