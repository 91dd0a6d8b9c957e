{#- CTEs have no statistics: taken for single rows, they would be walked row by row. -#}
{{ config(materialized='table', pre_hook="set local enable_nestloop = off") }}

with

reports as (
    select * from {{ ref('int_reports_listed') }}
    where report = 'ExecutiveSummary'
),

valued as (
    select * from {{ ref('int_summary_lines_valued') }}
),

-- Each of its lines once, whatever Xero repeats.
report_lines as (
    select distinct on (
        report_lines.tenant_id, report_lines.report_id, report_lines.line_label
    ) report_lines.*
    from {{ ref('int_report_lines_unnested') }} as report_lines
    inner join reports
        on
            report_lines.tenant_id = reports.tenant_id
            and report_lines.report_id = reports.report_id
    order by
        report_lines.tenant_id, report_lines.report_id, report_lines.line_label,
        report_lines.line_number
),

matched as (
    select
        valued.*,
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
