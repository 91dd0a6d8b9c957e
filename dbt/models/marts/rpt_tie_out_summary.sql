{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{{ forget_gone_tenants() }}",
) }}

{%- set is_beside = is_beside_the_marts() %}
{%- set has_kept = is_beside or is_incremental() %}
{%- set kept_summaries = 'history' if is_beside else this %}

with

{%- if is_beside %}

history as (
    {{ known_before_in_the_marts() }}
),

{%- endif %}

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

report_lines as (
    select * from {{ ref('int_report_lines_unnested') }}
),

tie_out as not materialized (
    select * from {{ ref('rpt_tie_out') }}
),

-- What is read every night, if it may be.
expected as (
    select
        tenants.tenant_id,
        reports.report,
        reports.basis,
        tenants.complete_day as report_date,
        tenants.known_at
    from tenants
    cross join (
        values
        {%- for report in tied_reports() %}
        ('{{ report }}', 'accrual'),
        {%- endfor %}
        ('ProfitAndLoss', 'cash')
    ) as reports (report, basis)
    where
        tenants.is_rebuilt
        or tenants.known_at > tenants.built_known_at
),

missing as (
    select expected.*
    from expected
    left join report_lines
        on
            expected.tenant_id = report_lines.tenant_id
            and expected.report || ':' || expected.report_date || ':' || expected.basis
            = report_lines.report_id
    where
        report_lines.tenant_id is null
        {%- if has_kept %}
        and not exists (
            select from {{ kept_summaries }} as kept
            where
                expected.tenant_id = kept.tenant_id
                and expected.report = kept.report
                and expected.basis = kept.basis
                and expected.report_date = kept.report_date
        )
        {%- endif %}
),

-- What this build looked at, so that a night does not add up the years.
{%- for relation in ['trial_balances', 'statements', 'executive_summaries'] %}

{{ relation }} as (
    select * from {{ ref('int_' ~ relation ~ '_explained') }}
),

{%- endfor %}

united as (
    {%- for relation in ['trial_balances', 'statements', 'executive_summaries'] %}
    select
        tenant_id,
        report,
        basis,
        report_date
    from {{ relation }}
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

-- As rpt_tie_out kept it last: it leaves out what says the same as before.
kept_last as (
    select
        united.tenant_id,
        united.report,
        united.basis,
        united.report_date,
        max(tie_out.known_at) as known_at
    from united
    inner join tie_out
        on
            united.tenant_id = tie_out.tenant_id
            and united.report = tie_out.report
            and united.basis = tie_out.basis
            and united.report_date = tie_out.report_date
    group by united.tenant_id, united.report, united.basis, united.report_date
),

compared as (
    select * from kept_last
    {%- if has_kept %}
    where not exists (
        select from {{ kept_summaries }} as kept
        where
            kept_last.tenant_id = kept.tenant_id
            and kept_last.report = kept.report
            and kept_last.basis = kept.basis
            and kept_last.report_date = kept.report_date
            and kept_last.known_at <= kept.known_at
    )
    {%- endif %}
    union
    select * from missing
),

-- The measures of a line tell of one movement several times, and so do the lines of the executive
-- summary, which are made of one another: what is greatest of them is what it is worth.
weighed as (
    select
        compared.tenant_id,
        compared.report,
        compared.basis,
        compared.report_date,
        compared.known_at,
        count(tie_out.tenant_id) as lines,
        {%- for status in ['tied', 'explained', 'broken', 'not_compared'] %}
        count(*) filter (where tie_out.status = '{{ status }}') as {{ status }}_lines,
        {%- endfor %}
        max(abs(tie_out.difference)) filter (where {{ is_money_line('tie_out') }})
            as difference_amount,
        max(abs(tie_out.difference)) filter (
            where tie_out.status = 'broken' and {{ is_money_line('tie_out') }}
        ) as broken_amount,
        max(abs(tie_out.xero_amount - tie_out.revaluation_amount)) filter (
            where {{ is_money_line('tie_out') }}
        ) as compared_amount
    from compared
    left join tie_out
        on
            compared.tenant_id = tie_out.tenant_id
            and compared.report = tie_out.report
            and compared.basis = tie_out.basis
            and compared.report_date = tie_out.report_date
            and compared.known_at = tie_out.known_at
    group by
        compared.tenant_id, compared.report, compared.basis, compared.report_date,
        compared.known_at,
        case when compared.report <> 'ExecutiveSummary' then tie_out.line_key end
),

summed as (
    select
        tenant_id,
        report,
        basis,
        report_date,
        known_at,
        {%- for lines in ['lines', 'tied_lines', 'explained_lines', 'broken_lines',
            'not_compared_lines'] %}
        sum({{ lines }})::bigint as {{ lines }},
        {%- endfor %}
        sum(difference_amount) as difference_amount,
        coalesce(sum(broken_amount), 0) as broken_amount,
        sum(compared_amount) as compared_amount
    from weighed
    group by tenant_id, report, basis, report_date, known_at
),

final as (
    select
        summed.tenant_id,
        summed.report,
        summed.basis,
        summed.report_date,
        summed.lines,
        summed.tied_lines,
        summed.explained_lines,
        summed.broken_lines,
        summed.not_compared_lines,
        summed.difference_amount,
        case when summed.difference_amount is not null then summed.broken_amount end
            as broken_amount,
        case
            when summed.difference_amount is null then null
            when summed.difference_amount = 0 then 1
            -- Cut, not rounded: 1 says that no amount at all is left over.
            else trunc(
                greatest(
                    1 - summed.difference_amount / nullif(summed.compared_amount, 0), 0
                ), 6
            )
        end as explained_ratio,
        summed.known_at,
        case summed.basis
            when 'cash' then tenants.has_cash_journals else tenants.has_journals
        end as is_from_journals
    from summed
    inner join tenants on summed.tenant_id = tenants.tenant_id
    {%- if is_beside %}
    union all
    select * from history
    {%- endif %}
)

select * from final
