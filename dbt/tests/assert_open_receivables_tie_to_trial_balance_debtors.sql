-- A warning: conversion balances and journals on DEBTORS are real differences, to be looked at.
{{ config(severity='warn') }}

{{ control_account_differences('receivables', 'DEBTORS') }}
