{#- A first night brings the reports of two years at once, and its CTEs have no statistics: taken
    for single rows, they would be walked row by row, hours instead of seconds. -#}
{{ config(
    materialized='table',
    pre_hook="set local enable_nestloop = off",
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

accounts as (
    select * from {{ ref('stg_xero__accounts') }}
),

report_lines as (
    select * from {{ ref('int_report_lines_unnested') }}
),

account_days as (
    select * from {{ ref('int_account_days_summed') }}
),

postings as not materialized (
    select * from {{ ref('fct_ledger_postings') }}
),

trial_balances as (
    select * from {{ ref('int_trial_balances_explained') }}
    where basis = 'accrual'
),

confirmed as (
    select * from {{ ref('stg_xero__reports_confirmed') }}
),

-- A report without a line is none; its header alone says nothing.
reports as (
    select
        report_lines.tenant_id,
        report_lines.report,
        report_lines.report_id,
        report_lines.basis,
        report_lines.report_date,
        {{ known_with_documents('report_lines') }},
        date_trunc('month', report_lines.report_date)::date as month_start_date,
        {{ financial_year_start(
            'report_lines.report_date',
            'tenants.financial_year_end_day',
            'tenants.financial_year_end_month',
        ) }} as year_start_date,
        -- Outside the United States all currency gains are one line of the profit and loss.
        bool_or(report_lines.account_id = 'FXGROUPID') as has_gain_line
    from report_lines
    inner join tenants on report_lines.tenant_id = tenants.tenant_id
    left join confirmed
        on
            report_lines.tenant_id = confirmed.tenant_id
            and report_lines.report_id = confirmed.report_id
    where
        report_lines.report in ('ProfitAndLoss', 'BalanceSheet', 'BankSummary')
        and {{ is_compared_anew('report_lines') }}
    group by
        report_lines.tenant_id, report_lines.report, report_lines.report_id, report_lines.basis,
        report_lines.report_date, report_lines.known_from, tenants.known_at, confirmed.report_id,
        tenants.financial_year_end_day, tenants.financial_year_end_month
),

charts as (
    select
        accounts.tenant_id,
        accounts.account_id,
        accounts.account_name,
        accounts.account_class,
        accounts.account_type,
        accounts.system_account,
        accounts.is_bank_account,
        accounts.system_account is null
        and accounts.account_class = 'EXPENSE'
        and accounts.account_type <> 'DEPRECIATN' as is_claimable,
        {{ is_temporary_account('accounts') }} as is_temporary,
        coalesce(accounts.system_account in (
            'REALISEDCURRENCYGAIN', 'UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN'
        ), false) as is_currency_gain
    from accounts
),

retained as (
    select
        tenant_id,
        min(account_id) as account_id
    from charts
    where system_account = 'RETAINEDEARNINGS'
    group by tenant_id
),

days as (
    select
        reports.tenant_id,
        reports.report,
        reports.report_id,
        reports.has_gain_line,
        account_days.account_id,
        coalesce(charts.is_temporary, false) as is_temporary,
        coalesce(charts.is_bank_account, false) as is_bank_account,
        coalesce(charts.is_currency_gain, false) as is_currency_gain,
        sum(account_days.documents_amount) as amount,
        coalesce(sum(account_days.documents_amount) filter (
            where account_days.day >= reports.year_start_date
        ), 0) as year_amount,
        coalesce(sum(account_days.documents_amount) filter (
            where account_days.day >= reports.month_start_date
        ), 0) as month_amount
    from reports
    inner join account_days
        on
            reports.tenant_id = account_days.tenant_id
            and reports.basis = account_days.basis
            and reports.report_date >= account_days.day
    left join charts
        on
            account_days.tenant_id = charts.tenant_id
            and account_days.account_id = charts.account_id
    where reports.is_comparable
    group by
        reports.tenant_id, reports.report, reports.report_id, reports.has_gain_line,
        account_days.account_id, charts.is_temporary, charts.is_bank_account,
        charts.is_currency_gain
),

-- What came and what went, by what posts: as in int_ledger_days_summed, what was booked and
-- cancelled again did neither. Through the index, whatever the years.
sources as (
    select
        reports.tenant_id,
        reports.report_id,
        charts.account_id,
        moved.amount
    from reports
    inner join charts
        on
            reports.tenant_id = charts.tenant_id
            and charts.is_bank_account
    cross join lateral (
        select sum(postings.base_amount) as amount
        from postings
        where
            reports.tenant_id = postings.tenant_id
            and charts.account_id = postings.account_id
            and reports.month_start_date <= postings.posting_date
            and reports.report_date >= postings.posting_date
        group by postings.posting_date, postings.source_id
        offset 0 -- noqa: AM09
    ) as moved
    where
        reports.report = 'BankSummary'
        and reports.is_comparable
),

money as (
    select
        tenant_id,
        report_id,
        account_id,
        sum(greatest(amount, 0)) as received_amount,
        sum(least(amount, 0)) as spent_amount
    from sources
    group by tenant_id, report_id, account_id
),

documented as (
    select
        tenant_id,
        report_id,
        'month' as measure,
        case when has_gain_line and is_currency_gain then 'FXGROUPID' else account_id end
            as line_key,
        month_amount as amount
    from days
    where report = 'ProfitAndLoss' and is_temporary
    union all
    select
        days.tenant_id,
        days.report_id,
        'balance' as measure,
        case
            when not days.is_temporary then days.account_id
            else coalesce(retained.account_id, 'RETAINEDEARNINGS')
        end as line_key,
        days.amount - case when days.is_temporary then days.year_amount else 0 end as amount
    from days
    left join retained on days.tenant_id = retained.tenant_id
    where days.report = 'BalanceSheet'
    union all
    select
        tenant_id,
        report_id,
        'balance' as measure,
        '{{ current_year_earnings() }}' as line_key,
        year_amount as amount
    from days
    where report = 'BalanceSheet' and is_temporary
    union all
    select
        days.tenant_id,
        days.report_id,
        columns.measure,
        days.account_id as line_key,
        case columns.measure
            when 'balance' then days.amount
            else days.amount - days.month_amount
        end as amount
    from days
    cross join (values ('opening'), ('balance')) as columns (measure)
    where days.report = 'BankSummary' and days.is_bank_account
    {%- for measure in ['received', 'spent'] %}
    union all
    select
        tenant_id,
        report_id,
        '{{ measure }}' as measure,
        account_id as line_key,
        {{ measure }}_amount as amount
    from money
    {%- endfor %}
),

documents as (
    select
        tenant_id,
        report_id,
        measure,
        line_key,
        sum(amount) as documents_amount
    from documented
    group by tenant_id, report_id, measure, line_key
    having sum(amount) <> 0
),

-- Debit positive, whichever way the statement shows it.
reported as (
    select
        report_lines.tenant_id,
        report_lines.report_id,
        columns.measure,
        report_lines.account_id as line_key,
        report_lines.line_label,
        case
            when report_lines.report = 'BankSummary' then
                case columns.measure
                    when 'opening' then coalesce(report_lines.amounts[1], 0)
                    when 'received' then coalesce(report_lines.amounts[2], 0)
                    when 'spent' then -coalesce(report_lines.amounts[3], 0)
                    else coalesce(report_lines.amounts[4], 0)
                end
            when charts.account_class in ('ASSET', 'EXPENSE')
                then coalesce(report_lines.amounts[1], 0)
            when charts.account_class is null and report_lines.section_title like 'Less %'
                then coalesce(report_lines.amounts[1], 0)
            else -coalesce(report_lines.amounts[1], 0)
        end as xero_amount
    from reports
    inner join report_lines
        on
            reports.tenant_id = report_lines.tenant_id
            and reports.report_id = report_lines.report_id
    inner join (
        values
        ('ProfitAndLoss', 'month'),
        ('BalanceSheet', 'balance'),
        ('BankSummary', 'opening'),
        ('BankSummary', 'received'),
        ('BankSummary', 'spent'),
        ('BankSummary', 'balance')
    ) as columns (report, measure)
        on reports.report = columns.report
    left join charts
        on
            report_lines.tenant_id = charts.tenant_id
            and report_lines.account_id = charts.account_id
    where report_lines.account_id is not null
),

matched as (
    select
        coalesce(reported.tenant_id, documents.tenant_id) as tenant_id,
        coalesce(reported.report_id, documents.report_id) as report_id,
        coalesce(reported.measure, documents.measure) as measure,
        coalesce(reported.line_key, documents.line_key) as line_key,
        reported.line_label,
        coalesce(reported.xero_amount, 0) as xero_amount,
        coalesce(documents.documents_amount, 0) as documents_amount
    from reported
    full join documents
        on
            reported.tenant_id = documents.tenant_id
            and reported.report_id = documents.report_id
            and reported.measure = documents.measure
            and reported.line_key = documents.line_key
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
    where is_comparable
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
    where is_comparable and not is_temporary
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
        trial_balances.is_comparable
        and not trial_balances.is_temporary
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
    where
        is_comparable
        and system_account in (
            'REALISEDCURRENCYGAIN', 'UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN'
        )
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
    where is_comparable and is_temporary and measure = 'balance'
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
    where is_comparable and is_temporary
),

-- The cash basis owes and is owed nothing: of its gains only those of banks are there.
money_gains as (
    select
        tenant_id,
        report_date,
        known_at,
        sum(revaluation_amount) as revaluation_amount
    from trial_balances
    where is_comparable and measure = 'month' and system_account = 'BANKCURRENCYGAIN'
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
    where trial_balances.is_comparable
    group by trial_balances.tenant_id, trial_balances.report_date, trial_balances.known_at
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

-- Each cause once; one that has no name spoils those that have.
causes as (
    select
        explanations.tenant_id,
        explanations.report_date,
        explanations.known_at,
        explanations.measure,
        explanations.line_key,
        case
            when bool_or(named.cause = 'OTHER') then 'OTHER'
            else string_agg(distinct named.cause, ', ' order by named.cause)
        end as cause
    from explanations
    cross join lateral unnest(string_to_array(explanations.cause, ', ')) as named (cause)
    group by
        explanations.tenant_id, explanations.report_date, explanations.known_at,
        explanations.measure, explanations.line_key
),

-- There is one cause for all measures of the cash basis.
located as (
    select
        matched.*,
        reports.report,
        reports.basis,
        reports.report_date,
        reports.known_at,
        reports.is_comparable,
        case when reports.basis = 'cash' then 'cash' else matched.measure end as cause_measure
    from matched
    inner join reports
        on
            matched.tenant_id = reports.tenant_id
            and matched.report_id = reports.report_id
),

joined as (
    select
        located.tenant_id,
        located.report_id,
        located.report,
        located.basis,
        located.report_date,
        located.known_at,
        located.is_comparable,
        located.measure,
        located.line_key,
        coalesce(located.line_label, charts.account_name, 'Account missing') as line_label,
        charts.account_id,
        located.documents_amount,
        located.xero_amount,
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
    left join explained
        on
            located.tenant_id = explained.tenant_id
            and located.report_date = explained.report_date
            and located.known_at = explained.known_at
            and located.measure = explained.measure
            and located.line_key = explained.line_key
    left join causes
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
