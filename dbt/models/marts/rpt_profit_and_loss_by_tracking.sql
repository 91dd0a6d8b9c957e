{{ config(materialized='view') }}

with

days as (
    select
        tenant_id,
        day,
        month_start_date,
        financial_year_start_date,
        is_month_end and is_known as is_month_end
    from {{ ref('dim_dates') }}
),

lines as (
    select * from {{ ref('dim_statement_lines') }}
    where is_profit_and_loss
),

options as (
    select * from {{ ref('dim_tracking_options') }}
),

accrual as (
    select * from {{ ref('fct_ledger_postings') }}
),

cash as (
    select * from {{ ref('fct_cash_basis_postings') }}
),

reported as (
    select * from {{ ref('rpt_profit_and_loss') }}
    where
        revaluation_amount <> 0
        or unexplained_amount <> 0
),

postings as (
    {%- for basis in ['accrual', 'cash'] %}
    select
        tenant_id,
        '{{ basis }}' as basis,
        posting_date,
        account_id,
        tracking_option_1_id,
        tracking_option_2_id,
        base_amount
    from {{ basis }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- Once per category, so that the options of a category, and what has none, are the whole.
tracked as (
    select
        days.tenant_id,
        postings.basis,
        days.day,
        days.is_month_end,
        periods.period,
        periods.first_day,
        categories.category_number,
        coalesce(categories.tracking_option_id, '') as tracking_option_id,
        postings.account_id,
        sum(postings.base_amount) as base_amount
    from days
    inner join postings
        on
            days.tenant_id = postings.tenant_id
            and postings.posting_date
            between least(days.month_start_date, days.financial_year_start_date) and days.day
    cross join lateral (
        values
        ('day', days.day),
        ('month_to_date', days.month_start_date),
        ('year_to_date', days.financial_year_start_date)
    ) as periods (period, first_day)
    cross join lateral (
        values
        (1, postings.tracking_option_1_id),
        (2, postings.tracking_option_2_id)
    ) as categories (category_number, tracking_option_id)
    where postings.posting_date >= periods.first_day
    group by
        days.tenant_id, postings.basis, days.day, days.is_month_end, periods.period,
        periods.first_day, categories.category_number, categories.tracking_option_id,
        postings.account_id
),

-- What reports alone know has no option.
united as (
    select
        tracked.tenant_id,
        tracked.basis,
        tracked.day,
        tracked.is_month_end,
        tracked.period,
        tracked.first_day,
        tracked.category_number,
        tracked.tracking_option_id,
        tracked.account_id,
        lines.presentation_sign * tracked.base_amount as documents_amount,
        0::numeric as revaluation_amount,
        0::numeric as unexplained_amount
    from tracked
    inner join lines
        on
            tracked.tenant_id = lines.tenant_id
            and tracked.account_id = lines.account_id
    union all
    select
        reported.tenant_id,
        reported.basis,
        reported.day,
        reported.is_month_end,
        reported.period,
        reported.first_day,
        categories.category_number,
        '' as tracking_option_id,
        reported.account_id,
        0::numeric as documents_amount,
        reported.revaluation_amount,
        reported.unexplained_amount
    from reported
    cross join (values (1), (2)) as categories (category_number)
),

summed as (
    select
        tenant_id,
        basis,
        day,
        is_month_end,
        period,
        first_day,
        category_number,
        tracking_option_id,
        account_id,
        {%- for part in statement_parts() %}
        sum({{ part }}_amount) as {{ part }}_amount,
        {%- endfor %}
        sum(documents_amount + revaluation_amount + unexplained_amount) as amount
    from united
    group by
        tenant_id, basis, day, is_month_end, period, first_day, category_number,
        tracking_option_id, account_id
),

final as (
    select
        summed.tenant_id,
        summed.basis,
        summed.day,
        summed.period,
        summed.category_number,
        summed.tracking_option_id,
        options.tracking_category_name,
        options.tracking_option_name,
        lines.account_id,
        lines.account_code,
        lines.account_name,
        lines.section,
        lines.section_number,
        summed.first_day,
        summed.is_month_end,
        summed.documents_amount,
        summed.revaluation_amount,
        summed.unexplained_amount,
        summed.amount,
        lines.total_sign * summed.amount as profit_amount
    from summed
    inner join lines
        on
            summed.tenant_id = lines.tenant_id
            and summed.account_id = lines.account_id
    left join options
        on
            summed.tenant_id = options.tenant_id
            and summed.tracking_option_id = options.tracking_option_id
    where
        {%- for part in statement_parts() %}
        {{ 'or ' if not loop.first }}summed.{{ part }}_amount <> 0
        {%- endfor %}
)

select * from final
