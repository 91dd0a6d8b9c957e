{{ config(materialized='view') }}

{{ aged_by_contact('receivables', 'DEBTORS') }}
