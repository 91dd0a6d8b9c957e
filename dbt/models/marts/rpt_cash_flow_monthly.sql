{{ config(materialized='view') }}

with

cash_flow as (
    select * from {{ ref('rpt_cash_flow') }}
),

final as (
    select
        tenant_id,
        basis,
        day as month_end_date,
        line,
        account_id,
        account_code,
        account_name,
        section,
        activity,
        documents_amount,
        revaluation_amount,
        unexplained_amount,
        amount
    from cash_flow
    where
        is_month_end
        and period = 'month_to_date'
)

select * from final
