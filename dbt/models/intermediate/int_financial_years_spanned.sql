{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'financial_year'], 'unique': true}],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

documents as not materialized (
    select * from {{ ref('int_documents_converted') }}
),

bank_transactions as not materialized (
    select * from {{ ref('int_bank_transactions_converted') }}
),

ledger_first_days as (
    {{ ledger_first_days() }}
),

former as (
    {{ calendars_before_this_build() }}
),

-- Documents are looked up through their indexes.
first_days as (
    select
        tenants.tenant_id,
        least(
            (
                select min(documents.document_date) from documents
                where documents.tenant_id = tenants.tenant_id
            ),
            (
                select min(bank_transactions.transaction_date) from bank_transactions
                where bank_transactions.tenant_id = tenants.tenant_id
            ),
            ledger_first_days.first_day
        ) as first_day
    from tenants
    left join ledger_first_days on tenants.tenant_id = ledger_first_days.tenant_id
),

spans as (
    select
        tenants.tenant_id,
        coalesce(tenants.financial_year_end_month, 12) as end_month,
        coalesce(tenants.financial_year_end_day, 31) as end_day,
        extract(year from greatest(
            least(first_days.first_day, tenants.complete_day),
            tenants.complete_day - interval '20 years'
        ))::integer as first_year,
        extract(year from tenants.complete_day)::integer as last_year
    from tenants
    left join first_days on tenants.tenant_id = first_days.tenant_id
),

year_ends as (
    select
        spans.tenant_id,
        year::integer as financial_year,
        {{ financial_year_end('make_date(year::integer, spans.end_month, 1)', 'spans.end_day') }}
            as financial_year_end_date
    from spans
    cross join lateral generate_series(spans.first_year - 1, spans.last_year + 2) as year
),

years as (
    select
        tenant_id,
        financial_year,
        lag(financial_year_end_date) over (
            partition by tenant_id
            order by financial_year
        ) + 1 as financial_year_start_date,
        financial_year_end_date
    from year_ends
),

calendars as (
    select
        tenant_id,
        min(financial_year_start_date) as first_day,
        max(financial_year_end_date) as last_day
    from years
    group by tenant_id
),

-- Of a calendar that begins and ends where it did, a day is new when it is over.
final as (
    select
        years.tenant_id,
        years.financial_year,
        years.financial_year_start_date,
        years.financial_year_end_date,
        tenants.complete_day,
        case
            when
                tenants.is_rebuilt
                or (former.first_day is distinct from calendars.first_day)
                or (former.last_day is distinct from calendars.last_day)
                then null
            else tenants.built_day
        end as known_day
    from years
    inner join calendars on years.tenant_id = calendars.tenant_id
    inner join tenants on years.tenant_id = tenants.tenant_id
    left join former on years.tenant_id = former.tenant_id
    where years.financial_year_start_date is not null
)

select * from final
