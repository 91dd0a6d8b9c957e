{#- History: the night's figures of each closed day, written once by the first build that knows the
    day and not touched afterwards, by a full refresh least of all. A build after several late
    nights writes several days with one known_at. -#}
{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{{ forget_gone_tenants() }}",
) }}

{{ days_as_known('rpt_daily_statistics') }}
