with

compared as (
    select * from {{ ref('int_report_lines_compared') }}
),

reports as (
    select * from {{ ref('int_trial_balances_placed') }}
),

accounts as (
    select * from {{ ref('stg_xero__accounts') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

report_lines as (
    select * from {{ ref('int_report_lines_unnested') }}
),

account_days as not materialized (
    select * from {{ ref('int_account_days_summed') }}
),

-- The day of the first document.
first_days as (
    select
        accounts.tenant_id,
        min(days.day) as day
    from accounts
    cross join lateral (
        select account_days.day
        from account_days
        where
            accounts.tenant_id = account_days.tenant_id
            and account_days.basis = 'accrual'
            and accounts.account_id = account_days.account_id
        order by account_days.day
        limit 1
    ) as days
    where exists (
        select from reports
        where accounts.tenant_id = reports.tenant_id
    )
    group by accounts.tenant_id
),

-- The last days of the financial years that were closed before a report; counted once for each, and
-- not once for each line that may be of one.
year_ends as (
    select
        reports.tenant_id,
        reports.report_id,
        reports.known_at,
        reports.basis,
        {{ financial_year_start(
            "(reports.year_start_date + 1 - years.years * interval '1 year')",
            'tenants.financial_year_end_day',
            'tenants.financial_year_end_month',
        ) }} - 1 as day
    from reports
    inner join tenants on reports.tenant_id = tenants.tenant_id
    cross join generate_series(0, 19) as years (years)
),

-- Those of years of which there are documents.
closed_years as materialized (
    select
        year_ends.tenant_id,
        year_ends.report_id,
        year_ends.known_at,
        'TrialBalance:' || year_ends.day || ':' || year_ends.basis as year_end_report_id
    from year_ends
    inner join first_days
        on
            year_ends.tenant_id = first_days.tenant_id
            and year_ends.day >= first_days.day
),

-- Nothing is ever posted on the accounts of unrealised gains: what the trial balance of a year end
-- shows there is what the closed year left on retained earnings.
gains as (
    select
        report_lines.tenant_id,
        report_lines.report_id,
        accounts.system_account = 'BANKCURRENCYGAIN' as is_of_banks,
        coalesce(report_lines.amounts[3], 0) - coalesce(report_lines.amounts[4], 0) as amount
    from report_lines
    inner join accounts
        on
            report_lines.tenant_id = accounts.tenant_id
            and report_lines.account_id = accounts.account_id
            and accounts.system_account in ({{ unrealised_gains() }})
),

closed_gains as (
    select
        closed_years.tenant_id,
        closed_years.report_id,
        closed_years.known_at,
        coalesce(sum(gains.amount) filter (where gains.is_of_banks), 0) as banks_amount,
        coalesce(sum(gains.amount) filter (where not gains.is_of_banks), 0) as documents_amount
    from closed_years
    inner join gains
        on
            closed_years.tenant_id = gains.tenant_id
            and closed_years.year_end_report_id = gains.report_id
    group by closed_years.tenant_id, closed_years.report_id, closed_years.known_at
),

-- Reports of which the trial balance of a closed year is not known.
untold as (
    select distinct
        closed_years.tenant_id,
        closed_years.report_id,
        closed_years.known_at
    from closed_years
    where
        not exists (
            select from report_lines
            where
                closed_years.tenant_id = report_lines.tenant_id
                and closed_years.year_end_report_id = report_lines.report_id
        )
),

-- Unrealised gains are in reports alone; so is what they are the other side of.
differing as (
    select
        compared.*,
        compared.xero_amount - compared.documents_amount as raw_difference,
        case
            when
                accounts.system_account in ('DEBTORS', 'CREDITORS', 'UNREALISEDCURRENCYGAIN')
                then 'documents'
            when
                accounts.system_account = 'BANKCURRENCYGAIN'
                or (
                    accounts.is_bank_account
                    and accounts.currency_code <> tenants.base_currency_code
                )
                then 'banks'
            -- The gains of closed years.
            when
                accounts.system_account = 'RETAINEDEARNINGS' and compared.measure = 'balance'
                then 'closed'
        end as revaluation_group,
        accounts.system_account in ({{ unrealised_gains() }}) as is_gain
    from compared
    inner join tenants on compared.tenant_id = tenants.tenant_id
    left join accounts
        on
            compared.tenant_id = accounts.tenant_id
            and compared.account_id = accounts.account_id
),

groups as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        coalesce(sum(raw_difference) filter (where revaluation_group = 'documents'), 0)
            as documents_left,
        coalesce(sum(raw_difference) filter (where revaluation_group = 'banks'), 0)
            as banks_left,
        coalesce(sum(raw_difference) filter (where revaluation_group = 'closed'), 0)
            as closed_left,
        coalesce(bool_or(is_gain), false) as has_gain
    from differing
    where is_comparable
    group by tenant_id, report_id, known_at, measure
),

-- Of balances the gains of closed years count, too; and whether all of them are known.
with_closed_years as (
    select
        groups.*,
        coalesce(closed_gains.documents_amount, 0) as closed_documents_amount,
        coalesce(closed_gains.banks_amount, 0) as closed_banks_amount,
        untold.tenant_id is null as is_told
    from groups
    left join closed_gains
        on
            groups.tenant_id = closed_gains.tenant_id
            and groups.report_id = closed_gains.report_id
            and groups.known_at = closed_gains.known_at
            and groups.measure = 'balance'
    left join untold
        on
            groups.tenant_id = untold.tenant_id
            and groups.report_id = untold.report_id
            and groups.known_at = untold.known_at
),

judged as (
    select
        *,
        (has_gain or closed_documents_amount <> 0 or closed_banks_amount <> 0)
        and documents_left + closed_documents_amount = 0 as is_gain_of_documents,
        (has_gain or closed_documents_amount <> 0 or closed_banks_amount <> 0)
        and banks_left + closed_banks_amount = 0 as is_gain_of_banks
    from with_closed_years
),

-- The identity: what a group's accounts differ by is the opposite of its gain. Gains of closed
-- years are on retained earnings, of both groups in one figure, with whatever else documents do
-- not tell of those years: the trial balances of the year ends say how much. Where one of them was
-- not read, all that is left on retained earnings may be the opposite of both groups.
final as (
    select
        differing.tenant_id,
        differing.report,
        differing.report_id,
        differing.basis,
        differing.report_date,
        differing.known_at,
        differing.is_comparable,
        differing.measure,
        differing.line_key,
        differing.line_label,
        differing.account_id,
        differing.documents_amount,
        differing.xero_amount,
        case
            when differing.revaluation_group is null then 0
            when differing.revaluation_group = 'documents' and judged.is_gain_of_documents
                then differing.raw_difference
            when differing.revaluation_group = 'banks' and judged.is_gain_of_banks
                then differing.raw_difference
            when
                differing.revaluation_group = 'closed'
                and (judged.is_told or (judged.is_gain_of_documents and judged.is_gain_of_banks))
                then
                    case
                        when judged.is_gain_of_documents then judged.closed_documents_amount
                        else 0
                    end
                    + case
                        when judged.is_gain_of_banks then judged.closed_banks_amount
                        else 0
                    end
            when
                not judged.is_told
                and judged.has_gain
                and judged.closed_left <> 0
                and judged.documents_left + judged.banks_left + judged.closed_left = 0
                then differing.raw_difference
            else 0
        end as revaluation_amount
    from differing
    left join judged
        on
            differing.tenant_id = judged.tenant_id
            and differing.report_id = judged.report_id
            and differing.known_at = judged.known_at
            and differing.measure = judged.measure
)

select * from final
