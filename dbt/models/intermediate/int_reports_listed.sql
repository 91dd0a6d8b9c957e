{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'report_id'], 'unique': true}],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

report_lines as (
    select * from {{ ref('int_report_lines_unnested') }}
    where report <> 'TrialBalance'
),

confirmed as (
    select * from {{ ref('stg_xero__reports_confirmed') }}
),

-- A report without a line is none; its header alone says nothing.
final as (
    select
        report_lines.tenant_id,
        report_lines.report,
        report_lines.report_id,
        report_lines.basis,
        report_lines.report_date,
        {{ known_with_documents('report_lines') }},
        date_trunc('month', report_lines.report_date)::date as month_start_date,
        (date_trunc('month', report_lines.report_date) + interval '1 month')::date - 1
            as month_end_date,
        {{ financial_year_start(
            'report_lines.report_date',
            'tenants.financial_year_end_day',
            'tenants.financial_year_end_month',
        ) }} as year_start_date,
        -- Outside the United States all currency gains are one line of the profit and loss.
        bool_or(report_lines.account_id = 'FXGROUPID') as has_gain_line
    from report_lines
    inner join tenants on report_lines.tenant_id = tenants.tenant_id
    left join confirmed
        on
            report_lines.tenant_id = confirmed.tenant_id
            and report_lines.report_id = confirmed.report_id
    where {{ is_compared_anew('report_lines') }}
    group by
        report_lines.tenant_id, report_lines.report, report_lines.report_id, report_lines.basis,
        report_lines.report_date, report_lines.known_from, tenants.known_at, confirmed.report_id,
        tenants.financial_year_end_day, tenants.financial_year_end_month
)

select * from final
