{#- A first night brings the reports of two years at once, and its CTEs have no statistics: taken
    for single rows, they would be walked row by row, hours instead of seconds. -#}
{{ config(
    materialized='table',
    pre_hook="set local enable_nestloop = off",
) }}

with

compared as (
    select * from {{ ref('int_statement_lines_compared') }}
),

explanations as (
    select * from {{ ref('int_explanations_gathered') }}
),

trial_balances as (
    select * from {{ ref('int_trial_balances_explained') }}
    where
        is_comparable
        and basis = 'accrual'
),

accounts as (
    select * from {{ ref('stg_xero__accounts') }}
),

charts as (
    select
        accounts.tenant_id,
        accounts.account_id,
        accounts.account_type,
        accounts.system_account,
        accounts.is_bank_account,
        accounts.system_account is null
        and accounts.account_class = 'EXPENSE'
        and accounts.account_type <> 'DEPRECIATN' as is_claimable
    from accounts
),

-- The cash basis owes and is owed nothing: of its gains only those of banks are there.
money_gains as (
    select
        tenant_id,
        report_date,
        known_at,
        sum(revaluation_amount) as revaluation_amount
    from trial_balances
    where measure = 'month' and system_account = 'BANKCURRENCYGAIN'
    group by tenant_id, report_date, known_at
),

-- What comes to the cash basis on another day than to the accrual one: claims when they are paid,
-- the cost of goods when their invoice is. Of claims the trial balance tells what was paid in the
-- month, as money that left the banks, and by how much that is more than what was claimed, of
-- which the tax is on another account.
timing as (
    select
        trial_balances.tenant_id,
        trial_balances.report_date,
        trial_balances.known_at,
        bool_or(trial_balances.cause like '%EXPENSE_CLAIMS%') as has_claims,
        bool_or(trial_balances.cause like '%INVENTORY%') as has_stock,
        coalesce(bool_or(
            trial_balances.system_account = 'HISTORICAL' and trial_balances.difference <> 0
        ) filter (where trial_balances.measure = 'month'), false) as has_conversion,
        -coalesce(sum(trial_balances.difference) filter (
            where
                trial_balances.measure = 'month'
                and (charts.is_bank_account or charts.system_account = 'ROUNDING')
        ), 0) as paid_amount,
        coalesce(sum(trial_balances.difference) filter (
            where
                trial_balances.measure = 'month'
                and charts.system_account in ('UNPAIDEXPCLM', 'GST')
        ), 0) as overpaid_amount,
        coalesce(sum(trial_balances.difference) filter (
            where trial_balances.measure = 'month' and charts.is_claimable
        ), 0) as accrued_amount
    from trial_balances
    left join charts
        on
            trial_balances.tenant_id = charts.tenant_id
            and trial_balances.line_key = charts.account_id
    group by trial_balances.tenant_id, trial_balances.report_date, trial_balances.known_at
),

-- There is one cause for all measures of the cash basis.
located as (
    select
        *,
        case when basis = 'cash' then 'cash' else measure end as cause_measure
    from compared
),

joined as (
    select
        located.*,
        case
            when located.basis = 'accrual' then coalesce(explained.revaluation_amount, 0)
            when
                located.line_key = 'FXGROUPID' or charts.system_account = 'BANKCURRENCYGAIN'
                then coalesce(money_gains.revaluation_amount, 0)
            else 0
        end as revaluation_amount,
        explained.difference as explained_difference,
        causes.cause as explained_cause,
        coalesce(timing.has_claims and charts.is_claimable, false) as is_claimable,
        coalesce(timing.has_stock and charts.account_type = 'DIRECTCOSTS', false) as is_sold,
        timing.has_claims,
        timing.has_stock,
        timing.has_conversion,
        timing.paid_amount,
        timing.overpaid_amount,
        timing.accrued_amount
    from located
    left join charts
        on
            located.tenant_id = charts.tenant_id
            and located.line_key = charts.account_id
    left join explanations as explained
        on
            located.tenant_id = explained.tenant_id
            and located.report_date = explained.report_date
            and located.known_at = explained.known_at
            and located.measure = explained.measure
            and located.line_key = explained.line_key
    left join explanations as causes
        on
            located.tenant_id = causes.tenant_id
            and located.report_date = causes.report_date
            and located.known_at = causes.known_at
            and located.cause_measure = causes.measure
            and located.line_key = causes.line_key
    left join money_gains
        on
            located.tenant_id = money_gains.tenant_id
            and located.report_date = money_gains.report_date
            and located.known_at = money_gains.known_at
    left join timing
        on
            located.tenant_id = timing.tenant_id
            and located.report_date = timing.report_date
            and located.known_at = timing.known_at
),

differing as (
    select
        *,
        xero_amount - documents_amount - revaluation_amount as difference,
        xero_amount - documents_amount - revaluation_amount - coalesce(explained_difference, 0)
            as other_amount,
        measure in ('received', 'spent') as is_one_way
    from joined
),

-- On cash basis a line differs by what it does on accrual basis, and besides by claims of other
-- months that were paid in this one, less those of this month that were not: no line by more than
-- was paid, or by less than was claimed, and all of them by what was paid beyond claims.
timed as (
    select
        *,
        is_claimable
        and (
            has_conversion
            or (
                other_amount >= -greatest(coalesce(explained_difference, 0), 0)
                and other_amount <= paid_amount
                and (
                    has_stock
                    or sum(difference) filter (where is_claimable) over by_report - accrued_amount
                    between overpaid_amount - paid_amount and overpaid_amount
                )
            )
        ) as is_paid_otherwise
    from differing
    window by_report as (partition by tenant_id, report_id)
),

-- A trial balance tells of money that came and went by the two together.
weighed as (
    select
        *,
        case
            when is_one_way
                then sum(difference) over (
                    partition by
                        tenant_id, report, basis, report_date, known_at, line_key, is_one_way
                )
            else difference
        end as explainable_difference
    from timed
),

named as (
    select
        weighed.*,
        case
            when weighed.explained_cause = 'OTHER' then 'OTHER'
            when weighed.other_amount = 0 then weighed.explained_cause
            when weighed.is_sold or weighed.is_paid_otherwise then causes_in_time.cause
        end as cash_cause
    from weighed
    cross join lateral (
        select string_agg(distinct named.cause, ', ' order by named.cause) as cause
        from unnest(string_to_array(concat_ws(
            ', ',
            weighed.explained_cause,
            case when weighed.is_sold then 'INVENTORY' else 'EXPENSE_CLAIMS' end
        ), ', ')) as named (cause)
    ) as causes_in_time
),

final as (
    select
        tenant_id,
        report,
        basis,
        report_date,
        known_at,
        is_comparable,
        measure,
        line_key,
        line_label,
        account_id,
        documents_amount,
        revaluation_amount,
        xero_amount,
        difference,
        case
            when difference = 0 then null
            when basis = 'cash' then coalesce(cash_cause, 'OTHER')
            when explainable_difference = explained_difference
                then coalesce(explained_cause, 'OTHER')
            else 'OTHER'
        end as cause
    from named
)

select * from final
