{{ config(materialized='view') }}

with

days as not materialized (
    select
        tenant_id,
        day,
        month_start_date,
        financial_year_start_date,
        is_month_end and is_known as is_month_end
    from {{ ref('dim_dates') }}
),

lines as not materialized (
    select * from {{ ref('dim_statement_lines') }}
),

balances as not materialized (
    select * from {{ ref('fct_account_balances') }}
),

accrual as (
    select * from {{ ref('fct_ledger_postings') }}
),

cash as (
    select * from {{ ref('fct_cash_basis_postings') }}
),

postings as (
    {%- for basis in ['accrual', 'cash'] %}
    select
        tenant_id,
        '{{ basis }}' as basis,
        posting_date,
        source_id,
        coalesce(account_id, '') as account_id,
        base_amount
    from {{ basis }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

-- What posts on a bank account, and on which others: it sums to zero, so the others' amounts are
-- the bank's, turned round. Between two bank accounts nothing flows.
sources as (
    select
        days.*,
        postings.basis,
        postings.posting_date,
        lines.account_id,
        lines.account_type = 'BANK' as is_bank,
        bool_or(lines.account_type = 'BANK') over (
            partition by
                days.tenant_id, days.day, days.is_month_end, postings.basis,
                postings.posting_date, postings.source_id
        ) as is_money,
        -postings.base_amount as documents_amount
    from days
    inner join postings
        on
            days.tenant_id = postings.tenant_id
            and postings.posting_date
            between least(days.month_start_date, days.financial_year_start_date) and days.day
    inner join lines
        on
            postings.tenant_id = lines.tenant_id
            and postings.account_id = lines.account_id
),

flows as (
    select
        sources.tenant_id,
        sources.basis,
        sources.day,
        sources.is_month_end,
        periods.period,
        periods.first_day,
        'other_side' as line,
        sources.account_id,
        sum(sources.documents_amount) as documents_amount,
        0::numeric as revaluation_amount,
        0::numeric as unexplained_amount
    from sources
    cross join lateral (
        values
        ('day', sources.day),
        ('month_to_date', sources.month_start_date),
        ('year_to_date', sources.financial_year_start_date)
    ) as periods (period, first_day)
    where
        sources.is_money
        and sources.is_bank is not true
        and sources.posting_date >= periods.first_day
    group by
        sources.tenant_id, sources.basis, sources.day, sources.is_month_end, periods.period,
        periods.first_day, sources.account_id
),

banks as (
    select
        days.tenant_id,
        bases.basis,
        days.day,
        days.is_month_end,
        periods.period,
        periods.first_day,
        lines.account_id
    from days
    inner join lines
        on
            days.tenant_id = lines.tenant_id
            and lines.account_type = 'BANK'
    cross join (values ('accrual'), ('cash')) as bases (basis)
    cross join lateral (
        values
        ('day', days.day),
        ('month_to_date', days.month_start_date),
        ('year_to_date', days.financial_year_start_date)
    ) as periods (period, first_day)
),

-- What reports alone know of a bank account has no other side.
reported as (
    select
        banks.tenant_id,
        banks.basis,
        banks.day,
        banks.is_month_end,
        banks.period,
        banks.first_day,
        'bank_account' as line,
        banks.account_id,
        0::numeric as documents_amount,
        now.revaluation_closing_amount - coalesce(before.revaluation_closing_amount, 0)
            as revaluation_amount,
        now.unexplained_closing_amount - coalesce(before.unexplained_closing_amount, 0)
            as unexplained_amount
    from banks
    inner join {{ balance_at('banks', 'banks.day') }} as now on true
    left join {{ balance_at('banks', 'banks.first_day - 1') }} as before on true
),

united as (
    select * from flows
    union all
    select * from reported
),

final as (
    select
        united.tenant_id,
        united.basis,
        united.day,
        united.period,
        united.line,
        united.account_id,
        lines.account_code,
        lines.account_name,
        lines.section,
        case
            when lines.section in ('fixed_assets', 'non_current_assets') then 'investing'
            when lines.section in ('non_current_liabilities', 'equity') then 'financing'
            when lines.section = 'bank' then 'bank'
            else 'operating'
        end as activity,
        united.first_day,
        united.is_month_end,
        united.documents_amount,
        united.revaluation_amount,
        united.unexplained_amount,
        united.documents_amount + united.revaluation_amount + united.unexplained_amount as amount
    from united
    inner join lines
        on
            united.tenant_id = lines.tenant_id
            and united.account_id = lines.account_id
    where
        united.documents_amount <> 0
        or united.revaluation_amount <> 0
        or united.unexplained_amount <> 0
)

select * from final
