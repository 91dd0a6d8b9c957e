{#- The control account of a ledger as Xero reports it for the last complete day, against the
    documents of the same extraction: equal, to a cent per part-paid foreign document. Tenants with
    open foreign documents are left out: their trial balance holds revaluation, which documents do
    not have. `ledger` is receivables or payables, `system_account` DEBTORS or CREDITORS. -#}
{% macro control_account_differences(ledger, system_account) %}
with

statistics as (
    select * from {{ ref('rpt_daily_statistics') }}
),

by_currency as (
    select * from {{ ref('rpt_daily_statistics_by_currency') }}
),

tenants as (
    select * from {{ ref('dim_tenants') }}
),

-- A remark names what may be missing, `endpoint: why` each; most of it, such as the users that the
-- app may not read, is no part of the comparison.
runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
    where
        closes_day
        and not exists (
            select
            from regexp_split_to_table(state_reason, '; ') as gaps (gap)
            where
                split_part(gaps.gap, ':', 1) in (
                    'organisations',
                    'accounts',
                    'invoices',
                    'credit_notes',
                    'payments',
                    'prepayments',
                    'overpayments',
                    'bank_transactions',
                    'trial_balances'
                )
        )
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where system_account = '{{ system_account }}'
),

trial_balances as (
    select * from {{ ref('stg_xero__trial_balances') }}
    where basis = 'accrual'
),

trial_balance as (
    select * from {{ ref('int_trial_balance_lines_unnested') }}
    where basis = 'accrual'
),

settlements as (
    select * from {{ ref('int_settlements_dated') }}
    where ledger = '{{ ledger }}'
),

reported as (
    select
        trial_balances.tenant_id,
        trial_balances.report_date,
        {{ '-' if ledger == 'payables' }}
        coalesce(sum(trial_balance.ytd_debit_amount - trial_balance.ytd_credit_amount), 0)
            as reported_amount
    from trial_balances
    inner join accounts on trial_balances.tenant_id = accounts.tenant_id
    left join trial_balance
        on
            trial_balances.tenant_id = trial_balance.tenant_id
            and trial_balances.report_date = trial_balance.report_date
            and accounts.account_id = trial_balance.account_id
    group by trial_balances.tenant_id, trial_balances.report_date
),

foreign_open as (
    select
        by_currency.tenant_id,
        by_currency.day
    from by_currency
    where
        by_currency.currency_code <> by_currency.base_currency_code
        and (
            by_currency.{{ ledger }}_outstanding_amount <> 0
            or by_currency.{{ ledger }}_unapplied_credit_amount <> 0
        )
    group by by_currency.tenant_id, by_currency.day
),

-- What is settled at once is converted once, and leaves no cent.
part_paid as (
    select
        settlements.tenant_id,
        settlements.document_id
    from settlements
    inner join tenants
        on
            settlements.tenant_id = tenants.tenant_id
            and settlements.currency_code <> tenants.base_currency_code
    group by settlements.tenant_id, settlements.document_id
    having count(*) > 1
),

tolerated as (
    select
        tenant_id,
        0.01 * count(*) as tolerance
    from part_paid
    group by tenant_id
),

final as (
    select
        statistics.tenant_id,
        statistics.day,
        statistics.{{ ledger }}_control_base_amount,
        reported.reported_amount,
        reported.reported_amount - statistics.{{ ledger }}_control_base_amount as difference
    from statistics
    inner join tenants
        on
            statistics.tenant_id = tenants.tenant_id
            and statistics.day = tenants.complete_day
    -- Documents and report of one extraction alone are held against each other.
    inner join runs
        on
            tenants.tenant_id = runs.tenant_id
            and tenants.known_at = runs.known_at
            and tenants.complete_day = runs.day
    inner join reported
        on
            statistics.tenant_id = reported.tenant_id
            and statistics.day = reported.report_date
    left join foreign_open
        on
            statistics.tenant_id = foreign_open.tenant_id
            and statistics.day = foreign_open.day
    left join tolerated on statistics.tenant_id = tolerated.tenant_id
    where
        foreign_open.tenant_id is null
        and abs(reported.reported_amount - statistics.{{ ledger }}_control_base_amount)
        > coalesce(tolerated.tolerance, 0)
)

select * from final
{% endmacro %}
