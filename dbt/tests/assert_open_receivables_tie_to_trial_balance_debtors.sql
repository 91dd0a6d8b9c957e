-- Only a warning, in dbt's log and xero_ops.build_results: conversion balances and journals on
-- DEBTORS are differences of the books themselves, and figures that are right must not go
-- unpublished for them. Whether a difference has a cause the tie-out knows (rpt_tie_out): what has
-- none is told to people, is read again, and fails the run where somebody wants that.
{{ config(severity='warn') }}

{{ control_account_differences('receivables', 'DEBTORS') }}
