-- A warning: conversion balances and journals on CREDITORS are real differences, to be looked at.
{{ config(severity='warn') }}

{{ control_account_differences('payables', 'CREDITORS') }}
