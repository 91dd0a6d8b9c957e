{{ config(materialized='view', post_hook="{{ read_as_invoker() }}") }}

{{ aged_by_contact('receivables', 'DEBTORS') }}
