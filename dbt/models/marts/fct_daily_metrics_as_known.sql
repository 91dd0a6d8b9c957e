{{ config(materialized='view') }}

with

statistics as (
    select * from {{ ref('rpt_daily_statistics_as_known') }}
),

by_currency as (
    select * from {{ ref('rpt_daily_statistics_by_currency_as_known') }}
),

final as (
    {{ narrow_metrics('statistics', 'rpt_daily_statistics', 'base_currency_code') }}
    union all
    {{ narrow_metrics('by_currency', 'rpt_daily_statistics_by_currency', 'currency_code') }}
)

select * from final
