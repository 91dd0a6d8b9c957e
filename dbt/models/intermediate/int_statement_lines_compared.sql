with

reports as (
    select * from {{ ref('int_reports_listed') }}
    where report in ('ProfitAndLoss', 'BalanceSheet', 'BankSummary')
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

charts as (
    select
        accounts.tenant_id,
        accounts.account_id,
        accounts.account_name,
        accounts.account_class,
        accounts.system_account,
        accounts.is_bank_account,
        {{ is_temporary_account('accounts') }} as is_temporary,
        coalesce(accounts.system_account in ({{ currency_gains() }}), false) as is_currency_gain
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
        max(report_lines.line_label) as line_label,
        sum(case
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
        end) as xero_amount
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
    -- An account may stand on several lines of a statement.
    group by
        report_lines.tenant_id, report_lines.report_id, columns.measure, report_lines.account_id
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

final as (
    select
        reports.tenant_id,
        reports.report,
        reports.report_id,
        reports.basis,
        reports.report_date,
        reports.known_at,
        reports.is_comparable,
        matched.measure,
        matched.line_key,
        coalesce(matched.line_label, charts.account_name, 'Account missing') as line_label,
        charts.account_id,
        matched.documents_amount,
        matched.xero_amount
    from matched
    inner join reports
        on
            matched.tenant_id = reports.tenant_id
            and matched.report_id = reports.report_id
    left join charts
        on
            matched.tenant_id = charts.tenant_id
            and matched.line_key = charts.account_id
)

select * from final
