{{ config(materialized='view') }}

with

days as not materialized (
    select * from {{ ref('dim_dates') }}
    where is_known
),

tenants as (
    select * from {{ ref('dim_tenants') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_bank_account
),

balances as not materialized (
    select * from {{ ref('fct_account_balances') }}
),

postings as not materialized (
    select * from {{ ref('fct_ledger_postings') }}
),

on_day as (
    select
        days.tenant_id,
        days.day,
        days.is_month_end,
        accounts.account_id,
        accounts.account_code,
        accounts.account_name,
        accounts.currency_code,
        tenants.base_currency_code,
        tenants.known_at,
        'accrual' as basis
    from days
    inner join tenants on days.tenant_id = tenants.tenant_id
    inner join accounts on days.tenant_id = accounts.tenant_id
),

found as (
    select
        on_day.*,
        {%- for part in statement_parts() %}
        now.{{ part }}_closing_amount as {{ part }}_amount,
        coalesce(formerly.{{ part }}_closing_amount, 0) as {{ part }}_opening_amount,
        {%- endfor %}
        coalesce(moved.received_amount, 0) as received_amount,
        coalesce(moved.spent_amount, 0) as spent_amount
    from on_day
    -- An account is shown from the first day on which anything moved it.
    inner join {{ balance_at('on_day', 'on_day.day') }} as now on true
    left join {{ balance_at('on_day', 'on_day.day - 1') }} as formerly on true
    -- What was booked and cancelled again neither came nor went: a source counts by its sum.
    cross join lateral ( -- noqa: ST05
        select
            sum(greatest(sources.amount, 0)) as received_amount,
            sum(greatest(-sources.amount, 0)) as spent_amount
        from (
            select sum(postings.base_amount) as amount
            from postings
            where
                on_day.tenant_id = postings.tenant_id
                and on_day.account_id = postings.account_id
                and on_day.day = postings.posting_date
            group by postings.source_id
        ) as sources
    ) as moved
),

final as (
    select
        tenant_id,
        day,
        account_id,
        account_code,
        account_name,
        currency_code,
        base_currency_code,
        is_month_end,
        documents_opening_amount + revaluation_opening_amount + unexplained_opening_amount
            as opening_amount,
        received_amount,
        spent_amount,
        revaluation_amount - revaluation_opening_amount
        + unexplained_amount - unexplained_opening_amount as reported_amount,
        documents_amount,
        revaluation_amount,
        unexplained_amount,
        documents_amount + revaluation_amount + unexplained_amount as amount,
        known_at
    from found
)

select * from final
