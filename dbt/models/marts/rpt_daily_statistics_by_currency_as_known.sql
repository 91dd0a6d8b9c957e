{#- History, as rpt_daily_statistics_as_known: a currency that turns up on a day which is closed
    already adds no row to it. -#}
{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{{ forget_gone_tenants() }}",
) }}

{{ days_as_known('rpt_daily_statistics_by_currency') }}
