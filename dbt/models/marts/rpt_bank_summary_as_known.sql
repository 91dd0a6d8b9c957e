{#- History, as rpt_daily_statistics_as_known. -#}
{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{{ forget_gone_tenants() }}",
) }}

{{ days_as_known('rpt_bank_summary') }}
