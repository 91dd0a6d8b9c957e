{#- CTEs have no statistics: taken for single rows, they would be walked row by row. -#}
{{ config(
    materialized='table',
    pre_hook="set local enable_nestloop = off",
    indexes=[{'columns': ['tenant_id', 'report_id', 'line'], 'unique': true}],
) }}

{%- set measures = executive_summary_measures() %}
{%- set movements = measures.movements %}
{%- set levels = measures.levels %}

with

reports as (
    select * from {{ ref('int_reports_listed') }}
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

accounts as (
    select * from {{ measured_accounts() }} as measured
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
        accounts.system_account in ('DEBTORS', 'CREDITORS', {{ unrealised_gains() }})
        or (accounts.section = 'bank' and accounts.is_foreign) as is_revalued,
        coalesce(accounts.system_account in ({{ unrealised_gains() }}), false) as is_gain
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
        {{ causes_united('named.cause') }} as cause
    from valued
    inner join reasons
        on
            valued.tenant_id = reasons.tenant_id
            and valued.report_id = reasons.report_id
            and reasons.figure = any(valued.figures)
    left join lateral unnest(string_to_array(reasons.cause, ', ')) as named (cause) on true
    group by valued.tenant_id, valued.report_id, valued.line
),

final as (
    select
        valued.tenant_id,
        valued.report_id,
        valued.line,
        valued.unit,
        valued.documents_amount,
        valued.revalued_amount,
        valued.explained_amount,
        caused.cause,
        coalesce(caused.is_revalued, false) as is_revalued,
        coalesce(caused.has_gain, false) as has_gain
    from valued
    left join caused
        on
            valued.tenant_id = caused.tenant_id
            and valued.report_id = caused.report_id
            and valued.line = caused.line
)

select * from final
