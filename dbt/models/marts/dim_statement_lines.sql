{{ config(
    materialized='incremental',
    pre_hook="{{ forget_all() }}",
) }}

with

accounts as (
    select * from {{ ref('dim_accounts') }}
),

tenants as (
    select * from {{ ref('dim_tenants') }}
),

balances as (
    select * from {{ ref('fct_account_balances') }}
    -- The newest of each account.
    where next_day = '9999-12-31'
),

retained as (
    select
        tenant_id,
        min(account_id) as account_id
    from accounts
    where system_account = 'RETAINEDEARNINGS'
    group by tenant_id
),

-- What is posted and not in the chart, and what no chart has: nothing is lost for want of a line.
posted as (
    select
        tenant_id,
        account_id
    from balances
    group by tenant_id, account_id
),

united as (
    select
        accounts.tenant_id,
        accounts.account_id,
        accounts.account_code,
        accounts.account_name,
        accounts.account_type,
        {{ statement_class('accounts') }} as account_class,
        accounts.system_account,
        case when retained.account_id is not null then 'retained_earnings' end as line_role
    from accounts
    left join retained
        on
            accounts.tenant_id = retained.tenant_id
            and accounts.account_id = retained.account_id
    union all
    select
        posted.tenant_id,
        posted.account_id,
        null as account_code,
        case posted.account_id
            when '' then 'Account missing' else 'Account not in the chart'
        end as account_name,
        null as account_type,
        null as account_class,
        null as system_account,
        null as line_role
    from posted
    left join accounts
        on
            posted.tenant_id = accounts.tenant_id
            and posted.account_id = accounts.account_id
    where
        accounts.account_id is null
        and posted.account_id <> 'RETAINEDEARNINGS'
    union all
    select
        tenants.tenant_id,
        'RETAINEDEARNINGS' as account_id,
        null as account_code,
        'Retained Earnings' as account_name,
        null as account_type,
        'EQUITY' as account_class,
        null as system_account,
        'retained_earnings' as line_role
    from tenants
    left join retained on tenants.tenant_id = retained.tenant_id
    where retained.account_id is null
    union all
    -- Xero's own id of the line, which is in no chart.
    select
        tenant_id,
        'abababab-abab-abab-abab-abababababab' as account_id,
        null as account_code,
        'Current Year Earnings' as account_name,
        null as account_type,
        'EQUITY' as account_class,
        null as system_account,
        'current_year_earnings' as line_role
    from tenants
),

sectioned as (
    select
        *,
        {{ statement_section('united') }} as section
    from united
),

final as (
    select
        tenant_id,
        account_id,
        account_code,
        account_name,
        account_type,
        account_class,
        system_account,
        line_role,
        section in ('income', 'direct_costs', 'other_income', 'operating_expenses')
            as is_profit_and_loss,
        section,
        array_position(
            array[
                'income', 'direct_costs', 'other_income', 'operating_expenses', 'bank',
                'current_assets', 'fixed_assets', 'non_current_assets', 'unknown',
                'current_liabilities', 'non_current_liabilities', 'equity'
            ],
            section
        ) as section_number,
        case
            when
                section in (
                    'income', 'other_income', 'current_liabilities', 'non_current_liabilities',
                    'equity'
                )
                then -1
            else 1
        end as presentation_sign,
        case
            when section in ('income', 'other_income') then 1
            when section in ('direct_costs', 'operating_expenses') then -1
            when section in ('current_liabilities', 'non_current_liabilities') then -1
            when section = 'equity' then 0
            else 1
        end as total_sign
    from sectioned
)

select * from final
