{#- A level is what a report said and documents did not. Where they say it later, it would count
    twice. That documents moved up to its day is not enough: what is entered late moves them, too,
    and leaves the gap. So on a later night the account has to be broken no longer, and what ends is
    what was broken; where the tie-out could not tell that from what has a cause, the account has to
    differ again as it did before. And what is taken away sums to zero: a document that comes late
    fills all of its accounts. -#}
{{ config(
    materialized='table',
    indexes=[
        {'columns': ['tenant_id', 'basis', 'report_date', 'account_id'], 'unique': true},
    ],
) }}

with

-- One row a report: of the lines, years of them, only those are looked up that can matter.
summaries as (
    select * from {{ ref('rpt_tie_out_summary') }}
    where
        report = 'TrialBalance'
        and lines > not_compared_lines
),

tie_out as not materialized (
    select * from {{ ref('rpt_tie_out') }}
    where
        report = 'TrialBalance'
        and measure = 'balance'
        and status <> 'not_compared'
),

account_days as not materialized (
    select * from {{ ref('int_account_days_summed') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

charts as not materialized (
    select
        accounts.tenant_id,
        accounts.account_id,
        accounts.system_account,
        {{ is_temporary_account('accounts') }} as is_temporary
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

broken_tenants as (
    select tenant_id
    from summaries
    where broken_lines > 0
    group by tenant_id
),

-- One that brought past days alone tells nothing of today; of a day that was compared again the
-- last time holds.
reports as (
    select
        summaries.*,
        summaries.report_date >= max(summaries.report_date) over (
            partition by summaries.tenant_id, summaries.basis
            order by summaries.known_at
        ) as is_of_today,
        summaries.known_at = max(summaries.known_at) over (
            partition by summaries.tenant_id, summaries.basis, summaries.report_date
        ) as is_valid
    from summaries
    inner join broken_tenants on summaries.tenant_id = broken_tenants.tenant_id
),

differing as (
    select tie_out.*
    from reports
    inner join tie_out
        on
            reports.tenant_id = tie_out.tenant_id
            and reports.basis = tie_out.basis
            and reports.report_date = tie_out.report_date
            and reports.known_at = tie_out.known_at
            and tie_out.difference <> 0
    where reports.lines > reports.tied_lines
),

broken_accounts as (
    select
        tenant_id,
        basis,
        line_key
    from differing
    where status = 'broken'
    group by tenant_id, basis, line_key
),

seen as (
    select
        broken_accounts.tenant_id,
        broken_accounts.basis,
        broken_accounts.line_key,
        reports.report_date,
        reports.known_at,
        reports.is_valid,
        coalesce(differing.status = 'broken', false) as is_broken,
        reports.is_of_today and coalesce(differing.status <> 'broken', true) as is_sound,
        differing.documents_amount,
        nullif(differing.broken_amount, 0) as broken_amount,
        coalesce(differing.difference, 0) as difference
    from broken_accounts
    inner join reports
        on
            broken_accounts.tenant_id = reports.tenant_id
            and broken_accounts.basis = reports.basis
    left join differing
        on
            broken_accounts.tenant_id = differing.tenant_id
            and broken_accounts.basis = differing.basis
            and broken_accounts.line_key = differing.line_key
            and reports.known_at = differing.known_at
            and reports.report_date = differing.report_date
),

counted as (
    select
        *,
        count(*) filter (where is_sound) over (
            partition by tenant_id, basis, line_key
            order by known_at, report_date
        ) as sound_before,
        count(*) filter (where is_sound) over (
            partition by tenant_id, basis, line_key
            order by known_at desc, report_date desc
        ) as sound_after
    from seen
),

-- How it stood when it was last not broken, and when it first is no longer.
followed as (
    select
        *,
        case when sound_before > 0 then first_value(difference) over by_former else 0 end
            as former_level,
        case when sound_after > 0 then first_value(difference) over by_later end
            as later_level,
        case when sound_after > 0 then first_value(known_at) over by_later end as healed_at
    from counted
    window
        by_former as (
            partition by tenant_id, basis, line_key, sound_before
            order by known_at, report_date
        ),
        by_later as (
            partition by tenant_id, basis, line_key, sound_after
            order by known_at desc, report_date desc
        )
),

gone as (
    select
        followed.tenant_id,
        followed.basis,
        followed.report_date,
        followed.report_date as last_day,
        followed.line_key as account_id,
        followed.documents_amount,
        followed.difference,
        coalesce(followed.difference - followed.broken_amount, followed.later_level)
            as unexplained_level,
        followed.healed_at,
        coalesce(charts.is_temporary, false) as is_temporary,
        followed.line_key = coalesce(retained.account_id, 'RETAINEDEARNINGS') as is_retained,
        {{ financial_year_start(
            'followed.report_date',
            'tenants.financial_year_end_day',
            'tenants.financial_year_end_month',
        ) }} as year_start_date
    from followed
    inner join tenants on followed.tenant_id = tenants.tenant_id
    left join charts
        on
            followed.tenant_id = charts.tenant_id
            and followed.line_key = charts.account_id
    left join retained on followed.tenant_id = retained.tenant_id
    where
        followed.is_broken
        and followed.is_valid
        and followed.sound_after > 0
        and (
            followed.broken_amount is not null
            or followed.later_level = followed.former_level
        )
),

counting as (
    select
        *,
        case when is_temporary then year_start_date else '-infinity'::date end as first_day
    from gone
),

-- What documents say today of the report's day.
known as (
    select
        counting.*,
        coalesce(own.amount, 0) + coalesce(closed.amount, 0) as documents_now_amount
    from counting
    {{ join_documents_by_now('counting', 'account_id') }}
),

moved as (
    select
        *,
        sum(difference - unexplained_level) over (
            partition by tenant_id, basis, report_date
        ) as left_amount
    from known
    where documents_now_amount <> documents_amount
),

final as (
    select
        tenant_id,
        basis,
        report_date,
        account_id,
        unexplained_level,
        healed_at
    from moved
    where left_amount = 0
)

select * from final
