{{ config(materialized='view') }}

with

trial_balance as (
    select * from {{ ref('rpt_trial_balance') }}
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
        account_class,
        section,
        section_number,
        month_start_date,
        financial_year_start_date,
        debit_amount,
        credit_amount,
        ytd_debit_amount,
        ytd_credit_amount,
        documents_month_amount,
        revaluation_month_amount,
        unexplained_month_amount,
        month_amount,
        documents_amount,
        revaluation_amount,
        unexplained_amount,
        amount
    from trial_balance
    where is_month_end
)

select * from final
