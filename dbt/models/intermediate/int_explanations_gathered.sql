with

trial_balances as (
    select * from {{ ref('int_trial_balances_explained') }}
    where
        is_comparable
        and basis = 'accrual'
),

-- What the trial balance of the same day explains, under the names of the statements' lines: it
-- alone has both sides of everything.
explanations as (
    select
        tenant_id,
        report_date,
        known_at,
        measure,
        line_key,
        revaluation_amount,
        difference,
        cause
    from trial_balances
    union all
    select
        tenant_id,
        report_date,
        known_at,
        'opening' as measure,
        line_key,
        case measure when 'balance' then revaluation_amount else -revaluation_amount end
            as revaluation_amount,
        case measure when 'balance' then difference else -difference end as difference,
        cause
    from trial_balances
    where not is_temporary
    union all
    -- What revaluation moved a bank account by is received, or spent when it is a loss.
    select
        trial_balances.tenant_id,
        trial_balances.report_date,
        trial_balances.known_at,
        ways.measure,
        trial_balances.line_key,
        case ways.measure
            when 'received' then greatest(trial_balances.revaluation_amount, 0)
            else least(trial_balances.revaluation_amount, 0)
        end as revaluation_amount,
        trial_balances.difference,
        trial_balances.cause
    from trial_balances
    cross join (values ('received'), ('spent')) as ways (measure)
    where
        not trial_balances.is_temporary
        and trial_balances.measure = 'month'
    union all
    select
        tenant_id,
        report_date,
        known_at,
        measure,
        'FXGROUPID' as line_key,
        revaluation_amount,
        difference,
        cause
    from trial_balances
    where system_account in ({{ currency_gains() }})
    union all
    select
        tenant_id,
        report_date,
        known_at,
        measure,
        '{{ current_year_earnings() }}' as line_key,
        revaluation_amount,
        difference,
        cause
    from trial_balances
    where is_temporary and measure = 'balance'
    union all
    -- There is no trial balance on cash basis: what an account ever owes its difference to.
    select
        tenant_id,
        report_date,
        known_at,
        'cash' as measure,
        line_key,
        revaluation_amount,
        difference,
        cause
    from trial_balances
    where is_temporary
),

explained as (
    select
        tenant_id,
        report_date,
        known_at,
        measure,
        line_key,
        sum(revaluation_amount) as revaluation_amount,
        sum(difference) as difference
    from explanations
    group by tenant_id, report_date, known_at, measure, line_key
),

causes as (
    select
        explanations.tenant_id,
        explanations.report_date,
        explanations.known_at,
        explanations.measure,
        explanations.line_key,
        {{ causes_united('named.cause') }} as cause
    from explanations
    cross join lateral unnest(string_to_array(explanations.cause, ', ')) as named (cause)
    group by
        explanations.tenant_id, explanations.report_date, explanations.known_at,
        explanations.measure, explanations.line_key
),

final as (
    select
        explained.tenant_id,
        explained.report_date,
        explained.known_at,
        explained.measure,
        explained.line_key,
        explained.revaluation_amount,
        explained.difference,
        causes.cause
    from explained
    left join causes
        on
            explained.tenant_id = causes.tenant_id
            and explained.report_date = causes.report_date
            and explained.known_at = causes.known_at
            and explained.measure = causes.measure
            and explained.line_key = causes.line_key
)

select * from final
