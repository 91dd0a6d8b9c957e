{#- Of the days on which anything moved those are written that say something else than before,
    to the digit, so that known_at tells which ones moved. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['tenant_id', 'basis', 'day'],
    pre_hook="{{ forget_rebuilt() }}",
    post_hook="{{ forget_empty_ledger_days() }}",
    indexes=[
        {'columns': ['tenant_id', 'basis', 'day'], 'unique': true},
        {'columns': ['tenant_id', 'known_at']},
    ],
) }}

{%- set measures = ledger_measures().keys() | list + ledger_flows() %}
{%- set kept_columns = {'tenant_id': 'uuid', 'basis': 'text', 'day': 'date'} %}
{%- for measure in measures %}
{%- do kept_columns.update({measure ~ '_amount': 'numeric'}) %}
{%- endfor %}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

moved_days as (
    select * from {{ ref('int_account_days_moved') }}
),

account_days as not materialized (
    select * from {{ ref('int_account_days_summed') }}
),

postings as not materialized (
    select * from {{ ref('fct_ledger_postings') }}
),

accounts as (
    select * from {{ measured_accounts() }} as measured
),

kept as (
    {{ rows_before_this_build(kept_columns) }}
),

moved as (
    select
        moved_days.tenant_id,
        moved_days.basis,
        moved_days.day
    from moved_days
    inner join tenants
        on
            moved_days.tenant_id = tenants.tenant_id
            and not tenants.is_rebuilt
    group by moved_days.tenant_id, moved_days.basis, moved_days.day
),

days as (
    select account_days.*
    from account_days
    inner join tenants
        on
            account_days.tenant_id = tenants.tenant_id
            and tenants.is_rebuilt
    union all
    select account_days.*
    from moved
    inner join account_days
        on
            moved.tenant_id = account_days.tenant_id
            and moved.basis = account_days.basis
            and moved.day = account_days.day
),

-- Accounts that no chart has count as unknown, as in the statements.
sectioned as (
    select
        days.tenant_id,
        days.basis,
        days.day,
        days.documents_amount,
        coalesce(accounts.section, 'unknown') as section,
        accounts.account_type,
        accounts.system_account
    from days
    left join accounts
        on
            days.tenant_id = accounts.tenant_id
            and days.account_id = accounts.account_id
),

summed as (
    select
        tenant_id,
        basis,
        day,
        {%- for measure, (condition, sign) in ledger_measures().items() %}
        {{ measure_sum('documents_amount', condition, sign) }}
            as {{ measure }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from sectioned
    group by tenant_id, basis, day
),

-- Money and tax are asked by what posts, on the accounts that hold them.
watched as (
    select
        accounts.tenant_id,
        accounts.account_id,
        accounts.section,
        tenants.is_rebuilt
    from accounts
    inner join tenants on accounts.tenant_id = tenants.tenant_id
    where
        accounts.section = 'bank'
        or accounts.system_account = 'GST'
),

{%- set columns %}
        postings.tenant_id,
        postings.account_id,
        postings.posting_date as day,
        postings.source_id,
        postings.source_type,
        postings.tax_type,
        postings.base_amount,
        watched.section = 'bank' as is_bank
{%- endset %}

posted as (
    select {{ columns }}
    from watched
    inner join postings
        on
            watched.tenant_id = postings.tenant_id
            and watched.account_id = postings.account_id
    where
        watched.is_rebuilt
    union all
    select {{ columns }}
    from moved
    inner join watched on moved.tenant_id = watched.tenant_id
    inner join postings
        on
            watched.tenant_id = postings.tenant_id
            and watched.account_id = postings.account_id
            and moved.day = postings.posting_date
    where
        moved.basis = 'accrual'
        and not watched.is_rebuilt
),

-- What was booked and cancelled again neither came nor went: a source counts by its sum on an
-- account.
sources as (
    select
        tenant_id,
        day,
        sum(base_amount) as bank_amount
    from posted
    where is_bank
    group by tenant_id, account_id, day, source_id
),

money as (
    select
        tenant_id,
        day,
        sum(greatest(bank_amount, 0)) as cash_received_amount,
        sum(greatest(-bank_amount, 0)) as cash_spent_amount
    from sources
    group by tenant_id, day
),

-- The tax of lines. A line that is itself on the tax account, as its payment, has a tax type, and
-- journals of bookkeepers are neither sales nor purchases.
taxes as (
    select
        tenant_id,
        day,
        {{ measure_sum('base_amount', "source_type ~ '^(ACCREC|AR|CASHREC)'", -1) }}
            as tax_output_amount,
        {{ measure_sum('base_amount', "source_type ~ '^(ACCPAY|AP|CASHPAID)'", 1) }}
            as tax_input_amount
    from posted
    where
        not is_bank
        and tax_type is null
    group by tenant_id, day
),

completed as (
    select
        summed.*,
        {%- for flow in ledger_flows() %}
        coalesce({{ 'money' if loop.index < 3 else 'taxes' }}.{{ flow }}_amount, 0)
            as {{ flow }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from summed
    left join money
        on
            summed.tenant_id = money.tenant_id
            and summed.day = money.day
            and summed.basis = 'accrual'
    left join taxes
        on
            summed.tenant_id = taxes.tenant_id
            and summed.day = taxes.day
            and summed.basis = 'accrual'
),

final as (
    select
        completed.*,
        tenants.known_at
    from completed
    inner join tenants on completed.tenant_id = tenants.tenant_id
    left join kept
        on
            completed.tenant_id = kept.tenant_id
            and completed.basis = kept.basis
            and completed.day = kept.day
    where
        kept.tenant_id is null
        {%- for measure in measures %}
        or completed.{{ measure }}_amount::text <> kept.{{ measure }}_amount::text
        {%- endfor %}
)

select * from final
