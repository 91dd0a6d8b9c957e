with

trial_balances as (
    select * from {{ ref('stg_xero__trial_balances') }}
),

-- A row stands in a section, or directly under the report.
unnested as (
    select
        trial_balances.tenant_id,
        trial_balances.report_date,
        trial_balances.basis,
        {{ xero_trial_balance_columns('report_row.element') }}
    from trial_balances
    cross join lateral {{ xero_report_rows('trial_balances.report_rows') }}
),

final as (
    select * from unnested
    where account_id is not null
)

select * from final
