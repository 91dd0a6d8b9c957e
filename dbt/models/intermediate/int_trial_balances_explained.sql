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

marked as (
    select
        compared.*,
        accounts.system_account,
        accounts.account_type,
        accounts.account_class,
        accounts.system_account is null as is_plain,
        {{ is_temporary_account('accounts') }} as is_temporary,
        compared.xero_amount - compared.documents_amount as raw_difference,
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
                accounts.system_account = 'RETAINEDEARNINGS' and compared.measure = 'balance'
                then 'closed'
        end as revaluation_group,
        accounts.system_account in ('UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN') as is_gain
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
    from marked
    where is_comparable
    group by tenant_id, report_id, known_at, measure
),

-- The identity: what a group's accounts differ by is the opposite of its gain. Gains of closed
-- years are on retained earnings, of both groups in one figure, with whatever else documents do
-- not tell of those years; the trial balances of the year ends, where they were read, say how much.
revalued as (
    select
        marked.*,
        case
            when marked.revaluation_group is null then 0
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

-- What was compared before: what a cause explains today stood there, or came since.
former as (
    select
        reports.tenant_id,
        reports.report_id,
        reports.known_at,
        reports.year_start_date,
        date_trunc('month', reports.report_date)::date as month_start_date,
        last_kept.report_date,
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

-- By how much a line differs otherwise than before; null where that is not known. Of a line that
-- was broken then, what was before that counts: it stays broken until it is mended.
moved as (
    select
        different.*,
        different.difference
        - case
            when former.tenant_id is null then null
            when
                former.report_date < former.month_start_date
                and different.measure = 'month'
                then 0
            when
                former.report_date < former.year_start_date
                and different.measure = 'balance'
                and different.is_temporary
                then 0
            -- Closed years moved to it.
            when
                former.report_date < former.year_start_date
                and different.measure = 'balance'
                and different.system_account = 'RETAINEDEARNINGS'
                then null
            when last_line.status = 'broken' then coalesce(earlier.difference, 0)
            else coalesce(last_line.difference, 0)
        end as moved_amount
    from different
    left join former
        on
            different.tenant_id = former.tenant_id
            and different.report_id = former.report_id
            and different.known_at = former.known_at
    left join kept as last_line
        on
            different.tenant_id = last_line.tenant_id
            and different.basis = last_line.basis
            and former.report_date = last_line.report_date
            and former.former_known_at = last_line.known_at
            and different.measure = last_line.measure
            and different.line_key = last_line.line_key
    left join lateral (
        select kept.difference
        from kept
        where
            last_line.status = 'broken'
            and last_line.tenant_id = kept.tenant_id
            and last_line.basis = kept.basis
            and last_line.report_date > kept.report_date
            and last_line.measure = kept.measure
            and last_line.line_key = kept.line_key
            and kept.status <> 'broken'
            and (different.measure <> 'month' or former.month_start_date <= kept.report_date)
            and (not different.is_temporary or former.year_start_date <= kept.report_date)
        order by kept.report_date desc, kept.known_at desc
        limit 1
    ) as earlier on true
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
        '{{ cause }}' as cause,
        coalesce({{ accounts.anchor }}, false) as is_anchor,
        coalesce(({{ accounts.anchor }}) or ({{ accounts.mover or 'false' }}), false) as is_mover
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

-- A line that moved while none of its causes did: it has another one, as where an account was
-- changed for another of the same kind.
strays as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key
    from stirred
    where moved_amount <> 0
    group by tenant_id, report_id, known_at, measure, line_key
    having not coalesce(bool_or(is_stirred), false)
),

possible as (
    select
        candidates.tenant_id,
        candidates.report_id,
        candidates.known_at,
        candidates.measure,
        candidates.line_key,
        candidates.cause,
        candidates.is_anchor,
        candidates.difference
        - case when strays.line_key is null then 0 else candidates.moved_amount end as difference
    from candidates
    left join strays
        on
            candidates.tenant_id = strays.tenant_id
            and candidates.report_id = strays.report_id
            and candidates.known_at = strays.known_at
            and candidates.measure = strays.measure
            and candidates.line_key = strays.line_key
),

sets as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        cause,
        -- Claims that are paid leave nothing on their account but the line itself.
        bool_or(is_anchor and (difference <> 0 or cause = 'EXPENSE_CLAIMS')) as is_present,
        sum(difference) as left_over,
        count(*) filter (where difference <> 0) as lines
    from possible
    group by tenant_id, report_id, known_at, measure, cause
),

-- A set that balances by itself is explained by itself; smaller ones first, so that what a
-- narrow cause explains is not ascribed to a wide one.
alone as (
    select
        possible.tenant_id,
        possible.report_id,
        possible.known_at,
        possible.measure,
        possible.line_key,
        (array_agg(possible.cause order by sets.lines, possible.cause))[1] as cause
    from possible
    inner join sets
        on
            possible.tenant_id = sets.tenant_id
            and possible.report_id = sets.report_id
            and possible.known_at = sets.known_at
            and possible.measure = sets.measure
            and possible.cause = sets.cause
    where
        sets.is_present
        and sets.left_over = 0
        and possible.difference <> 0
    group by
        possible.tenant_id, possible.report_id, possible.known_at, possible.measure,
        possible.line_key
),

-- Several causes meet on one account, a bank, say: they are named together, if what is left of
-- all their accounts balances.
together as (
    select
        possible.tenant_id,
        possible.report_id,
        possible.known_at,
        possible.measure,
        possible.line_key,
        possible.difference,
        string_agg(possible.cause, ', ' order by possible.cause) as cause
    from possible
    inner join sets
        on
            possible.tenant_id = sets.tenant_id
            and possible.report_id = sets.report_id
            and possible.known_at = sets.known_at
            and possible.measure = sets.measure
            and possible.cause = sets.cause
            and sets.is_present
            and sets.left_over <> 0
    left join alone
        on
            possible.tenant_id = alone.tenant_id
            and possible.report_id = alone.report_id
            and possible.known_at = alone.known_at
            and possible.measure = alone.measure
            and possible.line_key = alone.line_key
    where
        alone.line_key is null
        and possible.difference <> 0
    group by
        possible.tenant_id, possible.report_id, possible.known_at, possible.measure,
        possible.line_key, possible.difference
),

balanced as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key,
        cause,
        sum(difference) over (partition by tenant_id, report_id, known_at, measure) as left_over
    from together
),

explained as (
    select
        different.*,
        case
            when not different.is_comparable or different.difference = 0 then null
            when strays.line_key is not null then 'OTHER'
            else coalesce(
                alone.cause,
                case when balanced.left_over = 0 then balanced.cause end,
                'OTHER'
            )
        end as cause
    from different
    left join alone
        on
            different.tenant_id = alone.tenant_id
            and different.report_id = alone.report_id
            and different.known_at = alone.known_at
            and different.measure = alone.measure
            and different.line_key = alone.line_key
    left join balanced
        on
            different.tenant_id = balanced.tenant_id
            and different.report_id = balanced.report_id
            and different.known_at = balanced.known_at
            and different.measure = balanced.measure
            and different.line_key = balanced.line_key
    left join strays
        on
            different.tenant_id = strays.tenant_id
            and different.report_id = strays.report_id
            and different.known_at = strays.known_at
            and different.measure = strays.measure
            and different.line_key = strays.line_key
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
        cause
    from explained
)

select * from final
