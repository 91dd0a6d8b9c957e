with

by_currency as (
    select * from {{ ref('rpt_daily_statistics_by_currency') }}
),

summed as (
    select
        tenant_id,
        day,
        base_currency_code,
        known_at,
        {%- for ledger in ['receivables', 'payables'] %}
        {%- for count in [
            'issued', 'credit_notes_issued', 'paid', 'voided', 'outstanding', 'overdue'
        ] %}
        sum({{ ledger }}_{{ count }}_count)::integer as {{ ledger }}_{{ count }}_count,
        {%- endfor %}
        {%- for amount in [
            'issued', 'credit_notes_issued', 'paid', 'voided', 'outstanding', 'overdue'
        ] + ageing_buckets() + ['unapplied_credit', 'unapplied_prepayment', 'paid_ahead'] %}
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
    group by tenant_id, day, base_currency_code, known_at
),

final as (
    select
        *,
        {%- for ledger in ['receivables', 'payables'] %}
        (
            {{ ledger }}_outstanding_base_amount
            - {{ ledger }}_unapplied_credit_base_amount
            - {{ ledger }}_paid_ahead_base_amount
        ) as {{ ledger }}_control_base_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from summed
)

select * from final
