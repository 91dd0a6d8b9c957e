{{ config(materialized='table') }}

with

compared as (
    select * from {{ ref('int_report_lines_compared') }}
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

kept as not materialized (
    {{ trial_balances_before_this_build() }}
),

account_days as not materialized (
    select * from {{ ref('int_account_days_summed') }}
),

charts as not materialized (
    select
        accounts.tenant_id,
        accounts.account_id,
        {{ is_temporary_account('accounts') }} as is_temporary
    from accounts
),

reports as (
    select
        compared.tenant_id,
        compared.report_id,
        compared.known_at,
        compared.basis,
        compared.report_date,
        tenants.financial_year_end_day,
        tenants.financial_year_end_month,
        {{ financial_year_start(
            'compared.report_date',
            'tenants.financial_year_end_day',
            'tenants.financial_year_end_month',
        ) }} as year_start_date
    from compared
    inner join tenants on compared.tenant_id = tenants.tenant_id
    where compared.is_comparable
    group by
        compared.tenant_id, compared.report_id, compared.known_at, compared.basis,
        compared.report_date, tenants.financial_year_end_day, tenants.financial_year_end_month
),

-- Nobody books money before the conversion, though invoices may be older: what was brought over is
-- older than the first of it, and of income and costs it is in the financial year of that day.
opened as (
    select
        accounts.tenant_id,
        min(first_days.day) as opened_day
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
    ) as first_days
    where
        accounts.is_bank_account
        and exists (
            select from reports
            where accounts.tenant_id = reports.tenant_id
        )
    group by accounts.tenant_id
),

-- The last days of the financial years that were closed before a report.
year_ends as (
    select
        reports.tenant_id,
        reports.report_id,
        reports.known_at,
        'TrialBalance:' || ({{ financial_year_start(
            "(reports.year_start_date + 1 - years.years * interval '1 year')",
            'reports.financial_year_end_day',
            'reports.financial_year_end_month',
        ) }} - 1) || ':' || reports.basis as year_end_report_id
    from reports
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
            and accounts.system_account in ('UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN')
    group by year_ends.tenant_id, year_ends.report_id, year_ends.known_at
),

-- What was compared before: what a cause explains today stood there, or came since.
former as (
    select
        reports.tenant_id,
        reports.report_id,
        reports.known_at,
        reports.basis,
        reports.report_date,
        reports.year_start_date,
        date_trunc('month', reports.report_date)::date as month_start_date,
        last_kept.report_date as former_date,
        last_kept.known_at as former_known_at
    from reports
    cross join lateral (
        select
            kept.report_date,
            kept.known_at
        from kept
        where
            reports.tenant_id = kept.tenant_id
            and reports.basis = kept.basis
            and reports.report_date >= kept.report_date
            and reports.known_at > kept.known_at
        order by kept.report_date desc, kept.known_at desc
        limit 1
    ) as last_kept
),

-- Claims that are paid leave nothing on their account but the line itself, and not even that when
-- the month is over, and depreciation leaves none when the year is: they were seen in another
-- report, or in the one before.
seen_now as (
    select
        compared.tenant_id,
        bool_or(accounts.system_account = 'UNPAIDEXPCLM') as has_claims,
        bool_or(
            accounts.account_type = 'DEPRECIATN'
            and compared.xero_amount <> compared.documents_amount
        ) as has_depreciation
    from compared
    inner join accounts
        on
            compared.tenant_id = accounts.tenant_id
            and compared.account_id = accounts.account_id
    where compared.is_comparable
    group by compared.tenant_id
),

seen_before as (
    select
        former.tenant_id,
        former.report_id,
        former.known_at,
        bool_or(kept.cause like '%EXPENSE_CLAIMS%') as has_claims,
        bool_or(kept.cause like '%DEPRECIATION%') as has_depreciation
    from former
    inner join kept
        on
            former.tenant_id = kept.tenant_id
            and former.basis = kept.basis
            and former.former_date = kept.report_date
            and former.former_known_at = kept.known_at
    group by former.tenant_id, former.report_id, former.known_at
),

-- What is so for all lines of a report.
circumstances as (
    select
        reports.tenant_id,
        reports.report_id,
        reports.known_at,
        coalesce(reports.year_start_date <= opened.opened_day, true) as is_opening_year,
        coalesce(seen_now.has_claims, false)
        or coalesce(seen_before.has_claims, false) as has_claims,
        coalesce(seen_now.has_depreciation, false)
        or coalesce(seen_before.has_depreciation, false) as has_depreciation
    from reports
    left join opened on reports.tenant_id = opened.tenant_id
    left join seen_now on reports.tenant_id = seen_now.tenant_id
    left join seen_before
        on
            reports.tenant_id = seen_before.tenant_id
            and reports.report_id = seen_before.report_id
            and reports.known_at = seen_before.known_at
),

-- A line that is back at nothing may be in neither report nor documents any more, and has moved.
lines as (
    select
        compared.tenant_id,
        compared.report,
        compared.report_id,
        compared.basis,
        compared.report_date,
        compared.known_at,
        compared.is_comparable,
        compared.measure,
        compared.line_key,
        compared.line_label,
        compared.account_id,
        compared.documents_amount,
        compared.xero_amount,
        false as is_absent
    from compared
    union all
    select
        former.tenant_id,
        'TrialBalance' as report,
        former.report_id,
        kept.basis,
        former.report_date,
        former.known_at,
        true as is_comparable,
        kept.measure,
        kept.line_key,
        null as line_label,
        kept.line_key as account_id,
        0 as documents_amount,
        0 as xero_amount,
        true as is_absent
    from former
    inner join kept
        on
            former.tenant_id = kept.tenant_id
            and former.basis = kept.basis
            and former.former_date = kept.report_date
            and former.former_known_at = kept.known_at
            and kept.difference <> 0
    left join compared
        on
            former.tenant_id = compared.tenant_id
            and former.report_id = compared.report_id
            and former.known_at = compared.known_at
            and kept.measure = compared.measure
            and kept.line_key = compared.line_key
    where compared.line_key is null
),

marked as (
    select
        lines.*,
        accounts.system_account,
        accounts.account_type,
        accounts.account_class,
        accounts.system_account is null as is_plain,
        {{ is_temporary_account('accounts') }} as is_temporary,
        accounts.account_type = 'BANK'
        and accounts.currency_code = tenants.base_currency_code as is_base_bank,
        coalesce(circumstances.is_opening_year, false) as is_opening_year,
        coalesce(circumstances.has_claims, false) as has_claims,
        coalesce(circumstances.has_depreciation, false) as has_depreciation,
        lines.xero_amount - lines.documents_amount as raw_difference,
        -- Unrealised gains are in reports alone; so is what they are the other side of.
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
                accounts.system_account = 'RETAINEDEARNINGS' and lines.measure = 'balance'
                then 'closed'
        end as revaluation_group,
        accounts.system_account in ('UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN') as is_gain
    from lines
    inner join tenants on lines.tenant_id = tenants.tenant_id
    left join accounts
        on
            lines.tenant_id = accounts.tenant_id
            and lines.account_id = accounts.account_id
    left join circumstances
        on
            lines.tenant_id = circumstances.tenant_id
            and lines.report_id = circumstances.report_id
            and lines.known_at = circumstances.known_at
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
    from marked
    where
        is_comparable
        and not is_absent
    group by tenant_id, report_id, known_at, measure
),

-- The identity: what a group's accounts differ by is the opposite of its gain. Gains of closed
-- years are on retained earnings, of both groups in one figure, with whatever else documents do
-- not tell of those years; the trial balances of the year ends, where they were read, say how much.
revalued as (
    select
        marked.*,
        case
            when marked.revaluation_group is null or marked.is_absent then 0
            when
                groups.documents_left + groups.banks_left + closed_gains.closed_amount = 0
                and marked.measure = 'balance'
                then case marked.revaluation_group
                    when 'closed' then closed_gains.closed_amount
                    else marked.raw_difference
                end
            when not groups.has_gain then 0
            when marked.revaluation_group = 'documents' and groups.documents_left = 0
                then marked.raw_difference
            when marked.revaluation_group = 'banks' and groups.banks_left = 0
                then marked.raw_difference
            when
                groups.closed_left <> 0
                and groups.documents_left + groups.banks_left + groups.closed_left = 0
                then marked.raw_difference
            else 0
        end as revaluation_amount
    from marked
    left join groups
        on
            marked.tenant_id = groups.tenant_id
            and marked.report_id = groups.report_id
            and marked.known_at = groups.known_at
            and marked.measure = groups.measure
    left join closed_gains
        on
            marked.tenant_id = closed_gains.tenant_id
            and marked.report_id = closed_gains.report_id
            and marked.known_at = closed_gains.known_at
),

different as (
    select
        revalued.*,
        revalued.raw_difference - revalued.revaluation_amount as difference
    from revalued
),

-- From which day a line counts: a month and the costs of a year begin at nothing.
placed as (
    select
        different.*,
        former.former_date,
        former.former_known_at,
        former.year_start_date,
        case
            when different.measure = 'month' then former.month_start_date
            when different.is_temporary then former.year_start_date
            else '-infinity'::date
        end as first_day,
        coalesce(different.system_account = 'RETAINEDEARNINGS', false)
        and different.measure = 'balance' as is_retained
    from different
    left join former
        on
            different.tenant_id = former.tenant_id
            and different.report_id = former.report_id
            and different.known_at = former.known_at
),

-- What a line differed by for a cause, and what of it was broken, when that was last told apart:
-- it stays broken until it is mended. Null where nothing was compared before.
stood as (
    select
        placed.*,
        case
            when placed.former_date is null then null
            -- Closed years moved to it.
            when placed.is_retained and placed.former_date < placed.year_start_date then null
            else coalesce(last_line.difference - last_line.broken_amount, earlier.level_amount, 0)
        end as level_amount,
        coalesce(last_line.broken_amount, earlier.broken_amount, 0) as former_broken_amount,
        coalesce(earlier.report_date, placed.former_date) as last_day,
        coalesce(earlier.documents_amount, last_line.documents_amount, 0)
            as former_documents_amount
    from placed
    left join kept as last_line
        on
            placed.tenant_id = last_line.tenant_id
            and placed.basis = last_line.basis
            and placed.former_date = last_line.report_date
            and placed.former_known_at = last_line.known_at
            and placed.measure = last_line.measure
            and placed.line_key = last_line.line_key
            and placed.first_day <= last_line.report_date
    left join lateral (
        select
            kept.report_date,
            kept.documents_amount,
            kept.broken_amount,
            kept.difference - kept.broken_amount as level_amount
        from kept
        where
            last_line.tenant_id is not null
            and last_line.broken_amount is null
            and last_line.tenant_id = kept.tenant_id
            and last_line.basis = kept.basis
            and last_line.report_date > kept.report_date
            and last_line.measure = kept.measure
            and last_line.line_key = kept.line_key
            and placed.first_day <= kept.report_date
            and kept.broken_amount is not null
        order by kept.report_date desc, kept.known_at desc
        limit 1
    ) as earlier on true
),

-- By how much a line differs otherwise than for the causes it had; and by how much documents say
-- more of those days than they did then.
moved as (
    select
        stood.*,
        stood.difference - stood.level_amount as moved_amount,
        coalesce(own.amount, 0) + coalesce(closed.amount, 0) - stood.former_documents_amount
            as late_amount,
        -- Nothing but a conversion brings income that no document tells of.
        stood.is_opening_year
        and bool_or(stood.account_class = 'REVENUE' and stood.difference <> 0) over (
            partition by stood.tenant_id, stood.report_id, stood.known_at, stood.measure
        ) as has_opening_profit
    from stood
    {{ join_documents_by_now('stood', 'line_key', 'stood.difference <> stood.level_amount') }}
),

-- Which causes an account can have, and which there are at all in a report.
candidates as (
    {%- for cause, accounts in tie_out_causes('moved').items() %}
    select
        moved.tenant_id,
        moved.report_id,
        moved.known_at,
        moved.measure,
        moved.line_key,
        moved.difference,
        moved.moved_amount,
        {{ accounts.seen or 'false' }} as is_seen,
        '{{ cause }}' as cause,
        coalesce({{ accounts.anchor }}, false) as is_anchor,
        coalesce(({{ accounts.anchor }}) or ({{ accounts.mover or 'false' }}), false) as is_mover,
        coalesce({{ accounts.debited or 'false' }}, false) as is_debited,
        coalesce({{ accounts.credited or 'false' }}, false) as is_credited,
        coalesce({{ accounts.slight or 'false' }}, false) as is_slight
    from moved
    where
        moved.is_comparable
        and (({{ accounts.anchor }}) or ({{ accounts.partner }}))
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- Money that went from one bank account to another is no cause's.
stirred as (
    select
        *,
        bool_or(is_mover and moved_amount is null) over by_cause
        or bool_or(is_anchor and moved_amount <> 0) over by_cause
        or sum(moved_amount) filter (where is_mover and not is_anchor) over by_cause <> 0
            as is_stirred
    from candidates
    window by_cause as (partition by tenant_id, report_id, known_at, measure, cause)
),

lines_stirred as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key,
        coalesce(bool_or(is_stirred), false) as is_stirred
    from stirred
    group by tenant_id, report_id, known_at, measure, line_key
),

-- A line that moved while none of its causes did. Documents that moved the other way may have taken
-- over what its level had: an edit that slipped in beside a cause, and was read now.
unstirred as (
    select
        moved.tenant_id,
        moved.report_id,
        moved.known_at,
        moved.measure,
        moved.line_key,
        moved.moved_amount,
        moved.former_broken_amount = 0
        and sign(moved.late_amount) = -sign(moved.moved_amount) as is_taken_over
    from moved
    inner join lines_stirred
        on
            moved.tenant_id = lines_stirred.tenant_id
            and moved.report_id = lines_stirred.report_id
            and moved.known_at = lines_stirred.known_at
            and moved.measure = lines_stirred.measure
            and moved.line_key = lines_stirred.line_key
    where
        moved.moved_amount <> 0
        and not lines_stirred.is_stirred
),

counted as (
    select
        *,
        sum(moved_amount) filter (where is_taken_over)
            over (partition by tenant_id, report_id, known_at, measure) as taken_over_amount
    from unstirred
),

-- What documents took over sums to zero. Any other line has another cause, as where an account was
-- changed for another of the same kind.
strays as (
    select * from counted
    where not is_taken_over or taken_over_amount <> 0
),

-- What was broken and is not as it was before: where a cause has moved, too, it is in the cause's
-- new level, unless documents have moved by it since.
lasting as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key,
        former_broken_amount,
        sign(late_amount) = sign(former_broken_amount) as is_mended
    from moved
    where
        is_comparable
        and former_broken_amount <> 0
        and moved_amount <> 0
),

weighed as (
    select
        *,
        coalesce(sum(former_broken_amount) filter (where not is_mended) over by_report, 0)
            as unmended_amount,
        sum(former_broken_amount) over by_report as lasting_amount
    from lasting
    window by_report as (partition by tenant_id, report_id, known_at, measure)
),

-- What of a line is broken. What lasts of an edit sums to zero, as the edit did: where it would not
-- for want of lines of which documents have moved for another reason, they are broken, too.
parts as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key,
        moved_amount as broken_amount,
        true as is_stray
    from strays
    union all
    select
        weighed.tenant_id,
        weighed.report_id,
        weighed.known_at,
        weighed.measure,
        weighed.line_key,
        weighed.former_broken_amount as broken_amount,
        false as is_stray
    from weighed
    inner join lines_stirred
        on
            weighed.tenant_id = lines_stirred.tenant_id
            and weighed.report_id = lines_stirred.report_id
            and weighed.known_at = lines_stirred.known_at
            and weighed.measure = lines_stirred.measure
            and weighed.line_key = lines_stirred.line_key
            and lines_stirred.is_stirred
    where
        (weighed.unmended_amount = 0 and not weighed.is_mended)
        or (weighed.unmended_amount <> 0 and weighed.lasting_amount = 0)
),

possible as (
    select
        candidates.tenant_id,
        candidates.report_id,
        candidates.known_at,
        candidates.measure,
        candidates.line_key,
        candidates.is_seen,
        candidates.cause,
        candidates.is_anchor,
        candidates.is_debited,
        candidates.is_credited,
        candidates.is_slight,
        candidates.difference - coalesce(parts.broken_amount, 0) as difference
    from candidates
    left join parts
        on
            candidates.tenant_id = parts.tenant_id
            and candidates.report_id = parts.report_id
            and candidates.known_at = parts.known_at
            and candidates.measure = parts.measure
            and candidates.line_key = parts.line_key
),

-- Whether a cause can have posted an amount: on that side of the account, and as much. What is left
-- over when a bank is reconciled may come and go between banks, in small money.
fitting as (
    select
        *,
        case
            when is_debited and difference < 0 then false
            when is_credited and difference > 0 then false
            when is_slight
                then abs(difference)
                    <= abs(coalesce(sum(difference) filter (where is_anchor) over by_cause, 0)) + 1
            else true
        end as is_fitting,
        bool_or(is_anchor and difference <> 0) over by_line and not is_anchor as is_other_anchor
    from possible
    window
        by_cause as (partition by tenant_id, report_id, known_at, measure, cause),
        by_line as (partition by tenant_id, report_id, known_at, measure, line_key)
),

sets as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        cause,
        bool_or(is_anchor and difference <> 0 or is_seen) as is_present,
        sum(difference) = 0 and not bool_or(is_other_anchor) as is_alone,
        count(*) filter (where difference <> 0) as lines
    from fitting
    group by tenant_id, report_id, known_at, measure, cause
),

-- A set that balances by itself is explained by itself, unless the mark of another cause is in it:
-- a conversion touches nearly everything. Smaller ones first, so that what a narrow cause explains
-- is not ascribed to a wide one.
alone as (
    select
        fitting.tenant_id,
        fitting.report_id,
        fitting.known_at,
        fitting.measure,
        fitting.line_key,
        (
            array_agg(fitting.cause order by sets.lines, fitting.cause)
            filter (where fitting.is_fitting)
        )[1] as cause
    from fitting
    inner join sets
        on
            fitting.tenant_id = sets.tenant_id
            and fitting.report_id = sets.report_id
            and fitting.known_at = sets.known_at
            and fitting.measure = sets.measure
            and fitting.cause = sets.cause
    where
        sets.is_present
        and sets.is_alone
        and fitting.difference <> 0
    group by
        fitting.tenant_id, fitting.report_id, fitting.known_at, fitting.measure,
        fitting.line_key
),

-- Several causes meet on one account, a bank, say: they are named together, if what is left of
-- all their accounts balances, and where one of them can have posted the amount.
together as (
    select
        fitting.tenant_id,
        fitting.report_id,
        fitting.known_at,
        fitting.measure,
        fitting.line_key,
        fitting.difference,
        bool_or(fitting.is_fitting) as is_fitting,
        string_agg(fitting.cause, ', ' order by fitting.cause) as cause
    from fitting
    inner join sets
        on
            fitting.tenant_id = sets.tenant_id
            and fitting.report_id = sets.report_id
            and fitting.known_at = sets.known_at
            and fitting.measure = sets.measure
            and fitting.cause = sets.cause
            and sets.is_present
            and not sets.is_alone
    left join alone
        on
            fitting.tenant_id = alone.tenant_id
            and fitting.report_id = alone.report_id
            and fitting.known_at = alone.known_at
            and fitting.measure = alone.measure
            and fitting.line_key = alone.line_key
    where
        alone.line_key is null
        and fitting.difference <> 0
    group by
        fitting.tenant_id, fitting.report_id, fitting.known_at, fitting.measure,
        fitting.line_key, fitting.difference
),

balanced as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key,
        cause,
        is_fitting,
        sum(difference) over (partition by tenant_id, report_id, known_at, measure) as left_over
    from together
),

named as (
    select
        moved.*,
        parts.line_key is not null as is_in_part,
        parts.is_stray,
        parts.broken_amount as part_amount,
        coalesce(lines_stirred.is_stirred, false) as is_stirred,
        coalesce(
            alone.cause,
            case when balanced.left_over = 0 and balanced.is_fitting then balanced.cause end
        ) as named_cause
    from moved
    left join alone
        on
            moved.tenant_id = alone.tenant_id
            and moved.report_id = alone.report_id
            and moved.known_at = alone.known_at
            and moved.measure = alone.measure
            and moved.line_key = alone.line_key
    left join balanced
        on
            moved.tenant_id = balanced.tenant_id
            and moved.report_id = balanced.report_id
            and moved.known_at = balanced.known_at
            and moved.measure = balanced.measure
            and moved.line_key = balanced.line_key
    left join lines_stirred
        on
            moved.tenant_id = lines_stirred.tenant_id
            and moved.report_id = lines_stirred.report_id
            and moved.known_at = lines_stirred.known_at
            and moved.measure = lines_stirred.measure
            and moved.line_key = lines_stirred.line_key
    left join parts
        on
            moved.tenant_id = parts.tenant_id
            and moved.report_id = parts.report_id
            and moved.known_at = parts.known_at
            and moved.measure = parts.measure
            and moved.line_key = parts.line_key
),

explained as (
    select
        *,
        case
            when not is_comparable or difference = 0 then null
            when is_in_part then 'OTHER'
            else coalesce(named_cause, 'OTHER')
        end as cause
    from named
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
        system_account,
        is_temporary,
        documents_amount,
        revaluation_amount,
        xero_amount,
        difference,
        -- Where its causes do not balance it is not known how much of it they are.
        case
            when coalesce(cause, '') <> 'OTHER' then 0
            when is_stray then part_amount
            when is_in_part and (named_cause is not null or difference = part_amount)
                then part_amount
            when not is_stirred then moved_amount
        end as broken_amount,
        cause
    from explained
    where not is_absent
)

select * from final
