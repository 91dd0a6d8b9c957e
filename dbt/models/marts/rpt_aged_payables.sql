{{ config(materialized='view') }}

{{ aged_by_contact('payables', 'CREDITORS') }}
