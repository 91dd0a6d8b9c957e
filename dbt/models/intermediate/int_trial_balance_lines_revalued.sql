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

-- The last days of the financial years that were closed before a report; counted once for each, and
-- not once for each line that may be of one.
year_ends as materialized (
    select
        reports.tenant_id,
        reports.report_id,
        reports.known_at,
        'TrialBalance:' || ({{ financial_year_start(
            "(reports.year_start_date + 1 - years.years * interval '1 year')",
            'tenants.financial_year_end_day',
            'tenants.financial_year_end_month',
        ) }} - 1) || ':' || reports.basis as year_end_report_id
    from reports
    inner join tenants on reports.tenant_id = tenants.tenant_id
    cross join generate_series(0, 19) as years (years)
),

-- Nothing is ever posted on the accounts of unrealised gains: what the trial balance of a year end
-- shows there is what the closed year left on retained earnings.
closed_gains as (
    select
        year_ends.tenant_id,
        year_ends.report_id,
        year_ends.known_at,
        sum(
            coalesce(report_lines.amounts[3], 0) - coalesce(report_lines.amounts[4], 0)
        ) as closed_amount
    from year_ends
    inner join report_lines
        on
            year_ends.tenant_id = report_lines.tenant_id
            and year_ends.year_end_report_id = report_lines.report_id
    inner join accounts
        on
            report_lines.tenant_id = accounts.tenant_id
            and report_lines.account_id = accounts.account_id
            and accounts.system_account in ({{ unrealised_gains() }})
    group by year_ends.tenant_id, year_ends.report_id, year_ends.known_at
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

-- The identity: what a group's accounts differ by is the opposite of its gain. Gains of closed
-- years are on retained earnings, of both groups in one figure, with whatever else documents do
-- not tell of those years; the trial balances of the year ends, where they were read, say how much.
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
            when
                groups.documents_left + groups.banks_left + closed_gains.closed_amount = 0
                and differing.measure = 'balance'
                then case differing.revaluation_group
                    when 'closed' then closed_gains.closed_amount
                    else differing.raw_difference
                end
            when not groups.has_gain then 0
            when differing.revaluation_group = 'documents' and groups.documents_left = 0
                then differing.raw_difference
            when differing.revaluation_group = 'banks' and groups.banks_left = 0
                then differing.raw_difference
            when
                groups.closed_left <> 0
                and groups.documents_left + groups.banks_left + groups.closed_left = 0
                then differing.raw_difference
            else 0
        end as revaluation_amount
    from differing
    left join groups
        on
            differing.tenant_id = groups.tenant_id
            and differing.report_id = groups.report_id
            and differing.known_at = groups.known_at
            and differing.measure = groups.measure
    left join closed_gains
        on
            differing.tenant_id = closed_gains.tenant_id
            and differing.report_id = closed_gains.report_id
            and differing.known_at = closed_gains.known_at
)

select * from final
