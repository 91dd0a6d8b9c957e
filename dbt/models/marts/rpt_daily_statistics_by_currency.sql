with

spine as (
    select * from {{ ref('int_days_spanned') }}
),

movements as (
    select * from {{ ref('int_daily_movements_summed') }}
),

document_errors as (
    select * from {{ ref('int_document_errors_listed') }}
),

undated as (
    select
        tenant_id,
        currency_code,
        count(*) as undated_document_count
    from document_errors
    where error = 'no_date'
    group by tenant_id, currency_code
),

running as (
    select
        spine.tenant_id,
        spine.base_currency_code,
        spine.known_at,
        spine.currency_code,
        spine.day,
        {%- for measure in statistics_flows() %}
        coalesce(movements.{{ measure }}_count, 0) as {{ measure }}_count,
        coalesce(movements.{{ measure }}_amount, 0) as {{ measure }}_amount,
        coalesce(movements.{{ measure }}_base_amount, 0) as {{ measure }}_base_amount,
        {%- endfor %}
        {%- for measure in statistics_levels() %}
        coalesce(sum(movements.{{ measure }}_amount) over until_day, 0) as {{ measure }}_amount,
        coalesce(sum(movements.{{ measure }}_base_amount) over until_day, 0)
            as {{ measure }}_base_amount,
        {%- endfor %}
        {%- for measure in statistics_level_counts() %}
        coalesce(sum(movements.{{ measure }}_count) over until_day, 0)
            as {{ measure }}_count{{ ',' if not loop.last }}
        {%- endfor %}
    from spine
    left join movements
        on
            spine.tenant_id = movements.tenant_id
            and spine.currency_code = movements.currency_code
            and spine.day = movements.day
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
        {%- for ledger in ['receivables', 'payables'] %}
        {%- for flow in ['issued', 'credit_notes_issued', 'paid', 'voided'] %}
        running.{{ ledger }}_{{ flow }}_count::integer as {{ ledger }}_{{ flow }}_count,
        {%- endfor %}
        running.{{ ledger }}_outstanding_count::integer as {{ ledger }}_outstanding_count,
        running.{{ ledger }}_overdue_count::integer as {{ ledger }}_overdue_count,
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
        {%- for level in ageing_buckets() + [
            'unapplied_credit', 'unapplied_prepayment', 'paid_ahead'
        ] %}
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
        running.known_at
    from running
    left join undated
        on
            running.tenant_id = undated.tenant_id
            and running.currency_code = undated.currency_code
)

select * from final
