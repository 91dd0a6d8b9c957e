{#- CTEs have no statistics: taken for single rows, they would be walked row by row. -#}
{{ config(
    materialized='table',
    pre_hook="set local enable_nestloop = off",
) }}

{%- set measures = executive_summary_measures() %}
{%- set movements = measures.movements %}
{%- set levels = measures.levels %}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

ledger_days as (
    select * from {{ ref('int_ledger_days_summed') }}
    where basis = 'accrual'
),

reported_days as (
    select * from {{ ref('int_account_levels_moved') }}
    where basis = 'accrual'
),

movements as (
    select * from {{ ref('int_daily_movements_summed') }}
),

tie_out as not materialized (
    select * from {{ ref('rpt_tie_out') }}
    where
        report = 'ExecutiveSummary'
        and basis = 'accrual'
        and measure = 'month'
        and status <> 'not_compared'
),

accounts as (
    select * from {{ measured_accounts() }} as measured
),

documented as (
    select
        tenant_id,
        'documents' as part,
        date_trunc('month', day)::date as month_start_date,
        {%- for figure, measure in movements.items() %}
        sum({{ measure }}_amount) as {{ figure }},
        {%- endfor %}
        {%- for figure, measure in levels.items() %}
        sum({{ measure }}_amount) as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ledger_days
    group by tenant_id, date_trunc('month', day)
),

-- What reports alone know, by account and month.
reported as (
    select
        reported_days.tenant_id,
        parts.part,
        date_trunc('month', reported_days.day)::date as month_start_date,
        reported_days.account_id,
        sum(parts.amount) as amount
    from reported_days
    cross join lateral (
        values
        {%- for part in statement_parts()[1:] %}
        ('{{ part }}', reported_days.{{ part }}_amount){{ ',' if not loop.last }}
        {%- endfor %}
    ) as parts (part, amount)
    group by
        reported_days.tenant_id, parts.part, date_trunc('month', reported_days.day),
        reported_days.account_id
),

sectioned as (
    select
        reported.*,
        {{ section_or_unknown('accounts.section', 'reported.account_id') }} as section,
        accounts.account_type,
        accounts.system_account
    from reported
    left join accounts
        on
            reported.tenant_id = accounts.tenant_id
            and reported.account_id = accounts.account_id
),

alone as (
    select
        tenant_id,
        part,
        month_start_date,
        coalesce(sum(greatest(amount, 0)) filter (where section = 'bank'), 0) as received,
        coalesce(sum(greatest(-amount, 0)) filter (where section = 'bank'), 0) as spent,
        {%- for figure, measure in movements.items() if figure not in ('received', 'spent') %}
        {%- set condition, sign = ledger_measures()[measure] %}
        {{ measure_sum('amount', condition, sign) }} as {{ figure }},
        {%- endfor %}
        {%- for figure, measure in levels.items() %}
        {%- set condition, sign = ledger_measures()[measure] %}
        {{ measure_sum('amount', condition, sign) }} as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from sectioned
    group by tenant_id, part, month_start_date
),

moved as (
    select * from documented
    union all
    select * from alone
),

-- A document with a mistyped year would span centuries: 20 years back, as dim_dates has them.
firsts as (
    select
        moved.tenant_id,
        greatest(
            min(moved.month_start_date),
            date_trunc('month', tenants.complete_day - interval '20 years')::date
        ) as month_start_date
    from moved
    inner join tenants on moved.tenant_id = tenants.tenant_id
    group by moved.tenant_id, tenants.complete_day
),

-- What stood before the first month stands in it, too.
earlier as (
    select
        moved.tenant_id,
        moved.part,
        {%- for figure in levels %}
        sum(moved.{{ figure }}) as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from moved
    inner join firsts
        on
            moved.tenant_id = firsts.tenant_id
            and moved.month_start_date < firsts.month_start_date
    group by moved.tenant_id, moved.part
),

-- A month without a posting has its balances; an organisation without any has its last month.
months as (
    select
        tenants.tenant_id,
        tenants.complete_day,
        month::date as month_start_date,
        (month + interval '1 month')::date - 1 as month_end_date
    from tenants
    left join firsts on tenants.tenant_id = firsts.tenant_id
    cross join lateral generate_series(
        least(
            coalesce(firsts.month_start_date, tenants.complete_day),
            date_trunc('month', tenants.complete_day)
        )::timestamp,
        tenants.complete_day::timestamp,
        interval '1 month'
    ) as month
),

-- Of money that no document tells of, balances know what a bank account moved by: it came or went
-- by its sign. That some came and some went is known of months whose own summary was compared.
told as (
    select
        months.tenant_id,
        months.month_start_date,
        received.difference as received,
        spent.difference as spent
    from months
    {%- for flow in ['received', 'spent'] %}
    inner join lateral (
        select tie_out.difference
        from tie_out
        where
            months.tenant_id = tie_out.tenant_id
            and months.month_end_date = tie_out.report_date
            and tie_out.line_key = 'Cash {{ flow }}'
        order by tie_out.known_at desc
        limit 1
    ) as {{ flow }} on true
    {%- endfor %}
),

issued as (
    select
        tenant_id,
        date_trunc('month', day)::date as month_start_date,
        sum(receivables_issued_count) as invoices,
        sum(receivables_issued_net_base_amount) as invoiced
    from movements
    group by tenant_id, date_trunc('month', day)
),

running as (
    select
        months.tenant_id,
        months.month_start_date,
        months.month_end_date,
        months.month_end_date <= months.complete_day as is_month_over,
        parts.part,
        parts.part_number,
        {%- for figure in movements %}
        {%- if figure in ('received', 'spent') %}
        coalesce(told.{{ figure }}, moved.{{ figure }}, 0) as {{ figure }},
        {%- else %}
        coalesce(moved.{{ figure }}, 0) as {{ figure }},
        {%- endif %}
        {%- endfor %}
        {%- for figure in levels %}
        coalesce(sum(moved.{{ figure }}) over until_month, 0) + coalesce(earlier.{{ figure }}, 0)
            as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from months
    cross join (
        values
        {%- for part in statement_parts() %}
        ({{ loop.index }}, '{{ part }}'){{ ',' if not loop.last }}
        {%- endfor %}
    ) as parts (part_number, part)
    left join moved
        on
            months.tenant_id = moved.tenant_id
            and months.month_start_date = moved.month_start_date
            and parts.part = moved.part
    left join told
        on
            months.tenant_id = told.tenant_id
            and months.month_start_date = told.month_start_date
            and parts.part = 'unexplained'
    left join earlier
        on
            months.tenant_id = earlier.tenant_id
            and parts.part = earlier.part
    window until_month as (
        partition by months.tenant_id, parts.part
        order by months.month_start_date
    )
),

-- Ratios cannot be added: each part is what the figures are with it less what they are without.
cumulated as (
    select
        tenant_id,
        month_start_date,
        month_end_date,
        is_month_over,
        part,
        {%- for figure in movements.keys() | list + levels.keys() | list %}
        sum({{ figure }}) over until_part as {{ figure }}{{ ',' if not loop.last }}
        {%- endfor %}
    from running
    window until_part as (
        partition by tenant_id, month_start_date
        order by part_number
    )
),

completed as (
    select
        cumulated.*,
        {{ executive_summary_sums('cumulated') }},
        coalesce(issued.invoices, 0) as invoices,
        coalesce(issued.invoiced, 0) as invoiced,
        extract(day from cumulated.month_end_date) as days
    from cumulated
    left join issued
        on
            cumulated.tenant_id = issued.tenant_id
            and cumulated.month_start_date = issued.month_start_date
),

valued as (
    select
        completed.tenant_id,
        completed.month_start_date,
        completed.month_end_date,
        completed.is_month_over,
        lines.line_number,
        lines.section,
        lines.line,
        lines.unit,
        max(lines.value) filter (where completed.part = 'unexplained') as value,
        max({{ executive_summary_rounded('lines.value', 'lines.unit') }}) filter (
            where completed.part = 'unexplained'
        ) as amount,
        {%- for part in statement_parts()[:2] %}
        coalesce(max({{ executive_summary_rounded('lines.value', 'lines.unit') }}) filter (
            where completed.part = '{{ part }}'
        ), 0) as with_{{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from completed
    cross join {{ executive_summary_of('completed') }}
        as lines (line_number, section, line, unit, value, figures)
    group by
        completed.tenant_id, completed.month_start_date, completed.month_end_date,
        completed.is_month_over, lines.line_number, lines.section, lines.line, lines.unit
),

compared as (
    select
        *,
        lag(value) over by_month as previous_value
    from valued
    window by_month as (partition by tenant_id, line_number order by month_start_date)
),

final as (
    select
        tenant_id,
        month_end_date,
        line_number,
        section,
        line,
        unit,
        is_month_over,
        case when amount is not null then with_documents_amount end as documents_amount,
        case when amount is not null then with_revaluation_amount - with_documents_amount end
            as revaluation_amount,
        amount - with_revaluation_amount as unexplained_amount,
        amount,
        -- Before the first month everything was nothing, and what is divided by nothing is blank.
        {{ executive_summary_rounded(
            "case when unit in ('percent', 'ratio') then previous_value"
            ~ " else coalesce(previous_value, 0) end",
            'unit',
        ) }} as previous_amount,
        round(
            coalesce((value - previous_value) * 100 / nullif(abs(previous_value), 0), 0), 1
        ) as variance_percent
    from compared
)

select * from final
