{{ config(materialized='view') }}

with

profit_and_loss as (
    select * from {{ ref('rpt_profit_and_loss') }}
),

final as (
    select
        tenant_id,
        basis,
        day as month_end_date,
        account_id,
        account_code,
        account_name,
        account_type,
        section,
        section_number,
        documents_amount,
        revaluation_amount,
        unexplained_amount,
        amount,
        profit_amount
    from profit_and_loss
    where
        is_month_end
        and period = 'month_to_date'
)

select * from final
