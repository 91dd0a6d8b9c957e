{{ config(materialized='view') }}

with

balance_sheet as (
    select * from {{ ref('rpt_balance_sheet') }}
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
        financial_year_start_date,
        documents_amount,
        revaluation_amount,
        unexplained_amount,
        amount,
        net_assets_amount
    from balance_sheet
    where is_month_end
)

select * from final
