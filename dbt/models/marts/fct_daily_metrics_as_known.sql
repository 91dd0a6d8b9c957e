{{ config(materialized='view') }}

with

statistics as (
    select * from {{ ref('rpt_daily_statistics_as_known') }}
),

final as (
    {{ narrow_metrics('statistics', 'rpt_daily_statistics', 'base_currency_code') }}
)

select * from final
