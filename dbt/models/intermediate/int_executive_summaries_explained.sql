{#- CTEs have no statistics: taken for single rows, they would be walked row by row. -#}
{{ config(materialized='table', pre_hook="set local enable_nestloop = off") }}

{%- set measures = executive_summary_measures() %}
{%- set movements = measures.movements %}
{%- set levels = measures.levels %}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

report_lines as (
    select * from {{ ref('int_report_lines_unnested') }}
    where report = 'ExecutiveSummary'
),

ledger_days as (
    select * from {{ ref('int_ledger_days_summed') }}
    where basis = 'accrual'
),

movements as (
    select * from {{ ref('int_daily_movements_summed') }}
),

trial_balances as (
    select * from {{ ref('int_trial_balances_explained') }}
    where
        is_comparable
        and basis = 'accrual'
),

confirmed as (
    select * from {{ ref('stg_xero__reports_confirmed') }}
),

accounts as (
    select * from {{ measured_accounts() }} as measured
),

-- Its figures are those of the whole month that its day lies in, days to come included.
reports as (
    select
        report_lines.tenant_id,
        report_lines.report,
        report_lines.report_id,
        report_lines.basis,
        report_lines.report_date,
        {{ known_with_documents('report_lines') }},
        date_trunc('month', report_lines.report_date)::date as month_start_date,
        (date_trunc('month', report_lines.report_date) + interval '1 month')::date - 1
            as month_end_date
    from report_lines
    inner join tenants on report_lines.tenant_id = tenants.tenant_id
    left join confirmed
        on
            report_lines.tenant_id = confirmed.tenant_id
            and report_lines.report_id = confirmed.report_id
    where {{ is_compared_anew('report_lines') }}
    group by
        report_lines.tenant_id, report_lines.report, report_lines.report_id, report_lines.basis,
        report_lines.report_date, report_lines.known_from, tenants.known_at, confirmed.report_id
),

documented as (
    select
        reports.tenant_id,
        reports.report_id,
        {%- for figure, measure in movements.items() %}
        coalesce(sum(ledger_days.{{ measure }}_amount) filter (
            where ledger_days.day >= reports.month_start_date
        ), 0) as {{ figure }},
        {%- endfor %}
        {%- for figure, measure in levels.items() %}
        coalesce(sum(ledger_days.{{ measure }}_amount), 0)
            as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from reports
    left join ledger_days
        on
            reports.tenant_id = ledger_days.tenant_id
            and reports.month_end_date >= ledger_days.day
    where reports.is_comparable
    group by reports.tenant_id, reports.report_id
),

issued as (
    select
        reports.tenant_id,
        reports.report_id,
        sum(movements.receivables_issued_count) as invoices,
        sum(movements.receivables_issued_net_base_amount) as invoiced
    from reports
    inner join movements
        on
            reports.tenant_id = movements.tenant_id
            and movements.day between reports.month_start_date and reports.month_end_date
    where reports.is_comparable
    group by reports.tenant_id, reports.report_id
),

-- What the trial balance of the same day and extraction explains, by its accounts.
explanations as (
    select
        reports.tenant_id,
        reports.report_id,
        trial_balances.measure,
        trial_balances.is_temporary,
        trial_balances.revaluation_amount,
        trial_balances.difference,
        trial_balances.cause,
        {{ section_or_unknown('accounts.section', 'trial_balances.line_key') }} as section,
        accounts.account_type,
        accounts.system_account,
        accounts.system_account in (
            'DEBTORS', 'CREDITORS', 'UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN'
        ) or (accounts.section = 'bank' and accounts.is_foreign) as is_revalued,
        coalesce(accounts.system_account in (
            'UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN'
        ), false) as is_gain
    from reports
    inner join trial_balances
        on
            reports.tenant_id = trial_balances.tenant_id
            and reports.report_date = trial_balances.report_date
            and reports.known_at = trial_balances.known_at
    left join accounts
        on
            trial_balances.tenant_id = accounts.tenant_id
            and trial_balances.line_key = accounts.account_id
),

parts as (
    select
        explanations.*,
        parts.part,
        parts.amount
    from explanations
    cross join lateral (
        values
        ('revaluation', explanations.revaluation_amount),
        ('unexplained', explanations.difference)
    ) as parts (part, amount)
),

alone as (
    select
        tenant_id,
        report_id,
        part,
        {%- for flow, sign in [('received', ''), ('spent', '-')] %}
        coalesce(sum(greatest({{ sign }}amount, 0)) filter (
            where section = 'bank' and measure = 'month'
        ), 0) as {{ flow }},
        {%- endfor %}
        {%- for figure, measure in movements.items() if figure not in ('received', 'spent') %}
        {%- set condition, sign = ledger_measures()[measure] %}
        {{ measure_sum('amount', condition ~ " and measure = 'month'", sign) }}
            as {{ figure }},
        {%- endfor %}
        {%- for figure, measure in levels.items() %}
        {%- set condition, sign = ledger_measures()[measure] %}
        {{ measure_sum('amount', condition ~ " and measure = 'balance'", sign) }}
            as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from parts
    group by tenant_id, report_id, part
),

united as (
    select
        tenant_id,
        report_id,
        1 as stage_number,
        {%- for figure in movements.keys() | list + levels.keys() | list %}
        {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from documented
    {%- for part in statement_parts()[1:] %}
    union all
    select
        documented.tenant_id,
        documented.report_id,
        {{ loop.index + 1 }} as stage_number,
        {%- for figure in movements.keys() | list + levels.keys() | list %}
        coalesce(alone.{{ figure }}, 0) as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from documented
    left join alone
        on
            documented.tenant_id = alone.tenant_id
            and documented.report_id = alone.report_id
            and alone.part = '{{ part }}'
    {%- endfor %}
),

-- From documents alone; with revaluation; with what the trial balance explains.
cumulated as (
    select
        tenant_id,
        report_id,
        stage_number,
        {%- for figure in movements.keys() | list + levels.keys() | list %}
        sum({{ figure }}) over until_stage as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from united
    window until_stage as (
        partition by tenant_id, report_id
        order by stage_number
    )
),

completed as (
    select
        cumulated.*,
        {{ executive_summary_sums('cumulated') }},
        coalesce(issued.invoices, 0) as invoices,
        coalesce(issued.invoiced, 0) as invoiced,
        extract(day from reports.month_end_date) as days
    from cumulated
    inner join reports
        on
            cumulated.tenant_id = reports.tenant_id
            and cumulated.report_id = reports.report_id
    left join issued
        on
            cumulated.tenant_id = issued.tenant_id
            and cumulated.report_id = issued.report_id
),

-- What Xero leaves blank is compared as 0.
valued as (
    select
        completed.tenant_id,
        completed.report_id,
        lines.line,
        lines.unit,
        lines.figures,
        {%- for stage in ['documents', 'revalued', 'explained'] %}
        coalesce(max({{ executive_summary_rounded('lines.value', 'lines.unit') }}) filter (
            where completed.stage_number = {{ loop.index }}
        ), 0) as {{ stage }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from completed
    cross join {{ executive_summary_of('completed') }}
        as lines (line_number, section, line, unit, value, figures)
    group by
        completed.tenant_id, completed.report_id, lines.line, lines.unit, lines.figures
),

-- Which figures an account is in, its causes, and whether revaluation reaches it.
reasons as (
    select
        explanations.tenant_id,
        explanations.report_id,
        explanations.cause,
        explanations.is_revalued,
        explanations.is_gain,
        figures.figure
    from explanations
    inner join lateral (
        values
        {%- for figure, measure in movements.items() if figure not in ('received', 'spent') %}
        {%- set condition, _ = ledger_measures('explanations')[measure] %}
        ('{{ figure }}', 'month', {{ condition }}),
        {%- endfor %}
        ('received', 'month', explanations.section = 'bank'),
        ('spent', 'month', explanations.section = 'bank'),
        (
            'net_assets', 'balance',
            not explanations.is_temporary and explanations.section <> 'equity'
        ),
        (
            'term_assets', 'balance',
            explanations.section in ('fixed_assets', 'non_current_assets')
        ),
        {%- for figure, measure in levels.items() %}
        {%- set condition, _ = ledger_measures('explanations')[measure] %}
        ('{{ figure }}', 'balance', {{ condition }}){{ ',' if not loop.last }}
        {%- endfor %}
    ) as figures (figure, measure, is_in)
        on
            explanations.measure = figures.measure
            and figures.is_in
),

caused as (
    select
        valued.tenant_id,
        valued.report_id,
        valued.line,
        coalesce(bool_or(reasons.is_revalued), false) as is_revalued,
        bool_or(reasons.is_gain) as has_gain,
        case
            when bool_or(named.cause = 'OTHER') then 'OTHER'
            else string_agg(distinct named.cause, ', ' order by named.cause)
        end as cause
    from valued
    inner join reasons
        on
            valued.tenant_id = reasons.tenant_id
            and valued.report_id = reasons.report_id
            and reasons.figure = any(valued.figures)
    left join lateral unnest(string_to_array(reasons.cause, ', ')) as named (cause) on true
    group by valued.tenant_id, valued.report_id, valued.line
),

matched as (
    select
        valued.*,
        caused.cause,
        coalesce(caused.is_revalued, false) as is_revalued,
        coalesce(caused.has_gain, false) as has_gain,
        {{ executive_summary_rounded('coalesce(report_lines.amounts[1], 0)', 'valued.unit') }}
            as xero_amount,
        {{ executive_summary_rounded('coalesce(report_lines.amounts[1], 0)', 'valued.unit') }}
        - valued.explained_amount as left_amount
    from valued
    inner join report_lines
        on
            valued.tenant_id = report_lines.tenant_id
            and valued.report_id = report_lines.report_id
            and valued.line = report_lines.line_label
    left join caused
        on
            valued.tenant_id = caused.tenant_id
            and valued.report_id = caused.report_id
            and valued.line = caused.line
),

-- Of a month that is not over yet Xero revalues at a day and a rate of which no trial balance
-- tells. What is left is revaluation where the trial balance leaves nothing without a name, and
-- the summary's own lines prove it: net assets moved by what customers, suppliers and banks did.
-- What no document tells of may be dated ahead, too, and spoils the proof: then lines that have
-- causes by name keep them, and lines that have none are revaluation.
-- Of money that came and went on one account its sum alone is known.
proved as (
    select
        matched.tenant_id,
        matched.report_id,
        bool_or(matched.has_gain) as has_gain,
        bool_and(matched.cause is distinct from 'OTHER') as is_named,
        coalesce(
            bool_or(matched.has_gain)
            and bool_and(matched.cause is distinct from 'OTHER')
            and sum(
                matched.left_amount * case matched.line
                    when 'Debtors' then 1
                    when 'Creditors' then -1
                    when 'Closing bank balance' then 1
                    when 'Net assets' then -1
                    else 0
                end
            ) = 0,
            false
        ) as is_revaluation_proved,
        coalesce(sum(
            matched.left_amount * case matched.line
                when 'Cash received' then 1 when 'Cash spent' then -1 else 0
            end
        ) = 0, false) as is_surplus_explained
    from matched
    group by matched.tenant_id, matched.report_id
),

revalued as (
    select
        reports.tenant_id,
        reports.report,
        reports.basis,
        reports.report_date,
        reports.known_at,
        matched.line,
        matched.documents_amount,
        matched.revalued_amount - matched.documents_amount + case
            when
                reports.report_date < reports.month_end_date
                and matched.is_revalued
                and (
                    proved.is_revaluation_proved
                    or (proved.has_gain and proved.is_named and matched.cause is null)
                )
                then matched.left_amount
            else 0
        end as revaluation_amount,
        matched.xero_amount,
        matched.explained_amount - matched.revalued_amount as explained_difference,
        case
            when matched.line in ('Cash received', 'Cash spent')
                then proved.is_surplus_explained
        end as is_money_explained,
        reports.report_date < reports.month_end_date and proved.is_named as is_ahead_explained,
        matched.cause
    from matched
    inner join reports
        on
            matched.tenant_id = reports.tenant_id
            and matched.report_id = reports.report_id
    inner join proved
        on
            matched.tenant_id = proved.tenant_id
            and matched.report_id = proved.report_id
),

compared as (
    select
        *,
        xero_amount - documents_amount - revaluation_amount as difference
    from revalued
),

explained as (
    select
        tenant_id,
        report,
        basis,
        report_date,
        known_at,
        true as is_comparable,
        line,
        documents_amount,
        revaluation_amount,
        xero_amount,
        difference,
        case
            when difference = 0 then null
            when difference = explained_difference or is_money_explained or is_ahead_explained
                then coalesce(cause, 'OTHER')
            else 'OTHER'
        end as cause
    from compared
    union all
    -- Of reports of another extraction only what they say.
    select
        reports.tenant_id,
        reports.report,
        reports.basis,
        reports.report_date,
        reports.known_at,
        false as is_comparable,
        report_lines.line_label as line,
        0 as documents_amount,
        0 as revaluation_amount,
        coalesce(report_lines.amounts[1], 0) as xero_amount,
        0 as difference,
        null as cause
    from reports
    inner join report_lines
        on
            reports.tenant_id = report_lines.tenant_id
            and reports.report_id = report_lines.report_id
    where
        not reports.is_comparable
        and report_lines.line_label in (
            {%- for _, line, _, _, _ in executive_summary_lines() %}
            '{{ line }}'{{ ',' if not loop.last }}
            {%- endfor %}
        )
),

final as (
    select
        tenant_id,
        report,
        basis,
        report_date,
        known_at,
        is_comparable,
        'month' as measure,
        line as line_key,
        line as line_label,
        null as account_id,
        documents_amount,
        revaluation_amount,
        xero_amount,
        difference,
        cause
    from explained
)

select * from final
