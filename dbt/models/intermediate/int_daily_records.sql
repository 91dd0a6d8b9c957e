{#- Levels and flows of int_records_moved, by measure: what is published of each. -#}
{%- set levels = [
    'unreconciled_received', 'unreconciled_spent', 'stock', 'quotes_draft', 'quotes_sent',
    'quotes_accepted', 'quotes_declined', 'quotes_invoiced', 'purchase_orders_open',
    'repeating_receivables', 'repeating_payables',
] -%}
{#- What is seen of them at the close of a day, by its published name. -#}
{%- set seen = {
    'unreconciled_received_base_amount': 'unreconciled_received_base_amount',
    'unreconciled_spent_base_amount': 'unreconciled_spent_base_amount',
    'stock_items_count': 'stock_count',
    'stock_on_hand_count': 'stock_quantity',
    'stock_value_base_amount': 'stock_base_amount',
} -%}
{%- for measure in levels if measure.startswith(('quotes', 'purchase', 'repeating')) -%}
    {%- set amount = '_per_month_base_amount' if 'repeating' in measure else '_base_amount' -%}
    {%- do seen.update({
        measure ~ '_count': measure ~ '_count',
        measure ~ amount: measure ~ '_base_amount',
    }) -%}
{%- endfor -%}
{%- set flows = ['manual_journals', 'quotes_decided', 'quotes_won'] -%}
{%- set changes = {
    'back_dated': 'back_dated_postings', 'changed_after_approval': 'changes_after_approval',
    'voided': 'voids', 'deleted': 'deletions',
    'edited_in_locked_period': 'edits_in_locked_period', 'new_contact': 'new_contacts',
    'bank_details_changed': 'bank_details_changes',
} -%}
{%- set extracted = [
    'records_new_count', 'records_changed_count', 'records_unchanged_count',
    'records_deleted_count', 'api_calls_count', 'egress_bytes_count',
] -%}
{{ config(
    materialized='table',
    pre_hook="{{ join_many_days() }}",
    indexes=[{'columns': ['tenant_id', 'day'], 'unique': true}],
) }}

with

days_moved as (
    select * from {{ ref('int_days_moved') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

moved as (
    select * from {{ ref('int_records_moved') }}
),

changes as (
    select * from {{ ref('fct_changes') }}
),

extraction_days as (
    select * from {{ ref('stg_xero__extraction_days') }}
),

grants as (
    select * from {{ ref('stg_xero__grants') }}
),

tie_outs as (
    select * from {{ ref('rpt_tie_out_summary') }}
    where
        report = 'TrialBalance'
        and basis = 'accrual'
),

rates as (
    select * from {{ ref('fct_currency_rates') }}
),

all_currencies as not materialized (
    select * from {{ ref('rpt_daily_statistics_by_currency') }}
),

-- Through the index, however few or many days are made again: hashed, all days would be read.
by_currency as (
    select shown.*
    from days_moved
    cross join lateral (
        select
            all_currencies.tenant_id,
            all_currencies.day,
            all_currencies.receivables_outstanding_count,
            all_currencies.payables_outstanding_count
        from all_currencies
        where
            days_moved.tenant_id = all_currencies.tenant_id
            and days_moved.first_day <= all_currencies.day
            and all_currencies.currency_code <> all_currencies.base_currency_code
        offset 0 -- noqa: AM09
    ) as shown
),

first_closings as (
    select
        tenant_id,
        (array_agg(day order by closed_at))[1] as first_closed_day
    from extraction_days
    where closed_at is not null
    group by tenant_id
),

-- The 90 days before the window are asked for, too.
days as (
    select
        days_moved.tenant_id,
        spanned.day::date as day,
        days_moved.first_day,
        days_moved.last_day,
        days_moved.known_at,
        tenants.timezone,
        -- Before that, nobody looked.
        spanned.day >= coalesce(first_closings.first_closed_day, days_moved.last_day) as is_seen
    from days_moved
    inner join tenants on days_moved.tenant_id = tenants.tenant_id
    left join first_closings on days_moved.tenant_id = first_closings.tenant_id
    cross join lateral generate_series(
        days_moved.first_day::timestamp - interval '89 days',
        days_moved.last_day::timestamp,
        interval '1 day'
    ) as spanned (day)
),

dated as (
    select
        moved.tenant_id,
        case
            when {% for measure in levels %}
                moved.measure = '{{ measure }}'{{ ' or' if not loop.last }}
                {%- endfor %}
                then greatest(moved.day, days_moved.first_day)
            else moved.day
        end as day,
        moved.measure,
        sum(moved.record_count) as record_count,
        sum(moved.quantity) as quantity,
        sum(moved.base_amount) as base_amount
    from moved
    inner join days_moved
        on
            moved.tenant_id = days_moved.tenant_id
            and moved.day <= days_moved.last_day
    group by moved.tenant_id, moved.measure, moved.day, days_moved.first_day
),

pivoted as (
    select
        tenant_id,
        day,
        {%- for measure in levels + flows %}
        sum(record_count) filter (where measure = '{{ measure }}') as {{ measure }}_count,
        sum(base_amount) filter (where measure = '{{ measure }}') as {{ measure }}_base_amount,
        {%- endfor %}
        sum(quantity) as stock_quantity
    from dated
    group by tenant_id, day
),

daily as (
    select
        days.tenant_id,
        days.day,
        {%- for measure in levels %}
        sum(pivoted.{{ measure }}_count) over running as {{ measure }}_count,
        sum(pivoted.{{ measure }}_base_amount) over running as {{ measure }}_base_amount,
        {%- endfor %}
        sum(pivoted.stock_quantity) over running as stock_quantity,
        pivoted.manual_journals_count,
        pivoted.manual_journals_base_amount,
        sum(pivoted.quotes_won_count) over trailing_90 as quotes_won_count,
        sum(pivoted.quotes_decided_count) over trailing_90 as quotes_decided_count
    from days
    left join pivoted
        on
            days.tenant_id = pivoted.tenant_id
            and days.day = pivoted.day
    window
        running as (partition by days.tenant_id order by days.day),
        trailing_90 as (
            partition by days.tenant_id
            order by days.day
            rows between 89 preceding and current row
        )
),

changed as (
    select
        tenant_id,
        day,
        {%- for change, name in changes.items() %}
        count(*) filter (where change = '{{ change }}') as {{ name }}_count,
        {%- endfor %}
        sum(abs(base_amount)) filter (where change = 'back_dated')
            as back_dated_postings_base_amount
    from changes
    group by tenant_id, day
),

waiting as (
    select
        tenant_id,
        document_date,
        day,
        sum(record_count) as record_count
    from moved
    where
        measure like 'unreconciled%'
        and document_date is not null
    group by tenant_id, document_date, day
),

waited as (
    select
        tenant_id,
        document_date,
        day as from_day,
        lead(day) over dates as to_day,
        sum(record_count) over dates as record_count
    from waiting
    window dates as (partition by tenant_id, document_date order by day)
),

-- Of all that wait to this day, only what is older than those that waited before it can be the
-- oldest: books that nobody reconciles must not cost every one of their days on every day.
oldest_waited as (
    select
        *,
        min(document_date) over (
            partition by tenant_id, to_day is null
            order by from_day, document_date
            rows between unbounded preceding and 1 preceding
        ) as former_document_date
    from waited
    where record_count > 0
),

oldest as (
    select
        days.tenant_id,
        days.day,
        days.day - min(oldest_waited.document_date) as unreconciled_oldest_days
    from oldest_waited
    inner join days_moved on oldest_waited.tenant_id = days_moved.tenant_id
    cross join lateral generate_series(
        greatest(oldest_waited.from_day, days_moved.first_day)::timestamp,
        least(oldest_waited.to_day - 1, days_moved.last_day)::timestamp,
        interval '1 day'
    ) as waited (day)
    inner join days
        on
            oldest_waited.tenant_id = days.tenant_id
            and waited.day::date = days.day
    where
        oldest_waited.to_day is not null
        or oldest_waited.former_document_date is null
        or oldest_waited.document_date < oldest_waited.former_document_date
    group by days.tenant_id, days.day
),

-- The first extraction that closed the day or a later one; days are walked backwards.
closings as (
    select
        days.tenant_id,
        days.day,
        min(extraction_days.closed_at) over (
            partition by days.tenant_id order by days.day desc
        ) - (days.day + 1)::timestamp at time zone days.timezone as lateness
    from days
    left join extraction_days
        on
            days.tenant_id = extraction_days.tenant_id
            and days.day = extraction_days.day
),

compared as (
    select distinct on (tenant_id, report_date)
        tenant_id,
        report_date as day,
        difference_amount as tie_out_difference_base_amount,
        broken_amount as tie_out_broken_base_amount,
        explained_ratio
    from tie_outs
    where difference_amount is not null
    order by tenant_id asc, report_date asc, known_at desc
),

currencies as (
    select
        tenant_id,
        day,
        count(*) filter (
            where receivables_outstanding_count > 0 or payables_outstanding_count > 0
        ) as open_foreign_currencies_count
    from by_currency
    group by tenant_id, day
),

rate_dates as (
    select
        rates.tenant_id,
        greatest(rates.rate_date, days_moved.first_day) as day,
        max(rates.rate_date) as rate_date
    from rates
    inner join days_moved
        on
            rates.tenant_id = days_moved.tenant_id
            and rates.rate_date <= days_moved.last_day
    group by rates.tenant_id, greatest(rates.rate_date, days_moved.first_day)
),

rated as (
    select
        days.tenant_id,
        days.day,
        days.day - max(rate_dates.rate_date) over (
            partition by days.tenant_id order by days.day
        ) as newest_rate_days
    from days
    left join rate_dates
        on
            days.tenant_id = rate_dates.tenant_id
            and days.day = rate_dates.day
),

final as (
    select
        days.tenant_id,
        days.day,
        case
            when days.is_seen
                then
                    coalesce(daily.unreconciled_received_count, 0)
                    + coalesce(daily.unreconciled_spent_count, 0)
        end::integer as unreconciled_transactions_count,
        oldest.unreconciled_oldest_days,
        {%- for name, column in seen.items() %}
        case when days.is_seen then coalesce(daily.{{ column }}, 0) end
        {{- '::integer' if name.endswith('_count') and name != 'stock_on_hand_count' }}
            as {{ name }},
        {%- endfor %}
        round(
            coalesce(daily.quotes_won_count, 0) / nullif(daily.quotes_decided_count, 0), 6
        ) as quotes_acceptance_90_ratio,
        coalesce(daily.manual_journals_count, 0)::integer as manual_journals_count,
        coalesce(daily.manual_journals_base_amount, 0) as manual_journals_base_amount,
        case when days.is_seen then coalesce(changed.back_dated_postings_base_amount, 0) end
            as back_dated_postings_base_amount,
        {%- for name in changes.values() %}
        case when days.is_seen then coalesce(changed.{{ name }}_count, 0) end::integer
            as {{ name }}_count,
        {%- endfor %}
        case
            when days.is_seen
                then round((extract(epoch from closings.lateness) / 86400)::numeric, 6)
        end as freshness_days,
        {%- for count in extracted %}
        coalesce(extraction_days.{{ count }}, 0) as {{ count }},
        {%- endfor %}
        extraction_days.api_calls_left_count,
        compared.tie_out_difference_base_amount,
        compared.tie_out_broken_base_amount,
        compared.explained_ratio,
        case
            when days.day = days.last_day then {{ token_expiry_days('grants', 'days.known_at') }}
        end as token_expiry_days,
        coalesce(currencies.open_foreign_currencies_count, 0)::integer
            as open_foreign_currencies_count,
        rated.newest_rate_days
    from days
    {%- for joined in ['daily', 'closings', 'rated'] %}
    inner join {{ joined }}
        on
            days.tenant_id = {{ joined }}.tenant_id
            and days.day = {{ joined }}.day
    {%- endfor %}
    {%- for joined in ['changed', 'oldest', 'extraction_days', 'compared', 'currencies'] %}
    left join {{ joined }}
        on
            days.tenant_id = {{ joined }}.tenant_id
            and days.day = {{ joined }}.day
    {%- endfor %}
    left join grants on days.tenant_id = grants.tenant_id
    where days.day >= days.first_day
)

select * from final
