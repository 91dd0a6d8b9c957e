{#- Frozen first: a tenant whose extraction completes while dbt runs changes nothing half way. -#}
{{ config(materialized='table', indexes=[{'columns': ['tenant_id'], 'unique': true}]) }}

with

runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
),

endpoints as (
    select * from {{ source('xero_ops', 'extract_endpoints') }}
    where endpoint in ('journals', 'cash_journals')
),

tenants as (
    select * from {{ source('xero_ops', 'tenants') }}
),

organisations as (
    select * from {{ source('xero_raw', 'organisations') }}
),

accounts as (
    select * from {{ source('xero_raw', 'accounts') }}
),

tax_rates as (
    select * from {{ source('xero_raw', 'tax_rates') }}
),

tracking_categories as (
    select * from {{ source('xero_raw', 'tracking_categories') }}
),

budgets as (
    select * from {{ source('xero_raw', 'budgets') }}
),

journals as (
    select * from {{ source('xero_raw', 'journals') }}
),

cash_journals as (
    select * from {{ source('xero_raw', 'cash_journals') }}
),

timezones as (
    select * from {{ ref('xero_timezones') }}
),

{%- if var('known_at', none) %}

complete as (
    select
        tenant_id,
        max(known_at) as known_at,
        -- A refresh moves what is known, and closes no day.
        max(day) filter (where closes_day) as complete_day
    from runs
    where
        state = 'complete'
        and known_at <= '{{ var("known_at") }}'::timestamptz
    group by tenant_id
),

{%- else %}

complete as (
    select
        tenants.tenant_id,
        tenants.complete_at as known_at,
        -- A late run for an older day must not shorten the statistics.
        greatest(tenants.complete_day, max(runs.day)) as complete_day
    from tenants
    left join runs
        on
            tenants.tenant_id = runs.tenant_id
            and tenants.complete_at >= runs.known_at
            and runs.state = 'complete'
            and runs.closes_day
    where tenants.complete_at is not null
    group by tenants.tenant_id, tenants.complete_at, tenants.complete_day
),

{%- endif %}

-- Up to here every table that grows stands: a build marks its runs when all of it is done.
built as (
    select
        tenant_id,
        max(known_at) as built_known_at,
        max(day) filter (where closes_day) as built_day
    from runs
    where
        state = 'complete'
        and built_at is not null
    group by tenant_id
),

spans as (
    select
        complete.tenant_id,
        complete.known_at,
        built.built_known_at
    from complete
    inner join built
        on
            complete.tenant_id = built.tenant_id
            and complete.known_at > built.built_known_at
),

moments as (
    select
        tenant_id,
        known_at
    from complete
    union
    select
        tenant_id,
        built_known_at as known_at
    from built
    union
    select
        spans.tenant_id,
        runs.known_at
    from spans
    inner join runs
        on
            spans.tenant_id = runs.tenant_id
            and spans.built_known_at < runs.known_at
            and spans.known_at > runs.known_at
            and runs.state = 'complete'
),

journals_asked as (
    select
        runs.tenant_id,
        runs.known_at,
        endpoints.endpoint,
        endpoints.finished_at is not null as was_read
    from runs
    inner join endpoints
        on
            runs.tenant_id = endpoints.tenant_id
            and runs.run_id = endpoints.run_id
),

-- Journals that were read once and no longer are do not know the newest postings. What another try
-- has just read, a run finds fresh and leaves: within the hour the last answer holds.
journals_read as (
    select
        moments.tenant_id,
        moments.known_at,
        {%- for endpoint in ['journals', 'cash_journals'] %}
        coalesce(
            (
                array_agg(journals_asked.was_read order by journals_asked.known_at desc)
                filter (where journals_asked.endpoint = '{{ endpoint }}')
            )[1],
            false
        ) and exists (
            select 1 from {{ endpoint }}
            where
                {{ endpoint }}.tenant_id = moments.tenant_id
                and {{ endpoint }}.known_from <= moments.known_at
        ) as has_{{ endpoint }}{{ ',' if not loop.last }}
        {%- endfor %}
    from moments
    inner join journals_asked
        on
            moments.tenant_id = journals_asked.tenant_id
            and moments.known_at >= journals_asked.known_at
            and moments.known_at - interval '1 hour' < journals_asked.known_at
    group by moments.tenant_id, moments.known_at
),

-- Whether they were read has changed since then, or had for a while: a build that failed may have
-- made tables of it.
rejournalled as (
    select spans.tenant_id
    from spans
    inner join moments
        on
            spans.tenant_id = moments.tenant_id
            and spans.built_known_at < moments.known_at
    left join journals_read as journals_then
        on
            spans.tenant_id = journals_then.tenant_id
            and spans.built_known_at = journals_then.known_at
    left join journals_read as journals_since
        on
            moments.tenant_id = journals_since.tenant_id
            and moments.known_at = journals_since.known_at
    where
        coalesce(journals_since.has_journals, false) <> coalesce(journals_then.has_journals, false)
        or coalesce(journals_since.has_cash_journals, false)
        <> coalesce(journals_then.has_cash_journals, false)
    group by spans.tenant_id
),

-- A setting by which documents are read changed since then, or did and changed back: an account's
-- code, say, moves the postings of documents that did not move themselves.
resettled as (
    {%- for settings, fields in {
        'accounts': ['Code', 'Type', 'Class', 'SystemAccount', 'CurrencyCode', 'Status'],
        'organisations': [
            'BaseCurrency', 'Timezone', 'FinancialYearEndDay', 'FinancialYearEndMonth',
        ],
        'tax_rates': ['EffectiveRate', 'TaxComponents'],
        'tracking_categories': ['Name', 'Status', 'Options'],
    }.items() %}
    select spans.tenant_id
    from spans
    inner join {{ settings }} as moved
        on
            spans.tenant_id = moved.tenant_id
            and spans.built_known_at < moved.known_from
            and spans.known_at >= moved.known_from
    left join {{ settings }} as former
        on
            moved.tenant_id = former.tenant_id
            and moved.record_id = former.record_id
            and spans.built_known_at >= former.known_from
            and (former.known_to is null or spans.built_known_at < former.known_to)
    where
        moved.is_deleted is distinct from former.is_deleted
        {%- for field in fields %}
        or moved.payload -> '{{ field }}' is distinct from former.payload -> '{{ field }}'
        {%- endfor %}
    {%- if not loop.last %}
    union
    {%- endif %}
    {%- endfor %}
),

-- A budget is compared with every day of its months.
replanned as (
    select spans.tenant_id
    from spans
    inner join budgets
        on
            spans.tenant_id = budgets.tenant_id
            and spans.built_known_at < budgets.known_from
            and spans.known_at >= budgets.known_from
    group by spans.tenant_id
),

renamed as (
    select
        complete.tenant_id,
        tenants.tenant_name,
        complete.known_at,
        complete.complete_day,
        built.built_known_at,
        built.built_day,
        replanned.tenant_id is not null as is_replanned,
        {{ is_whole_build() }}
        or built.built_known_at is null
        or resettled.tenant_id is not null
        or rejournalled.tenant_id is not null as is_rebuilt,
        coalesce(journals_now.has_journals, false) as has_journals,
        coalesce(journals_now.has_cash_journals, false) as has_cash_journals,
        {{ xero_code('BaseCurrency', 'organisations.payload') }} as base_currency_code,
        {{ xero_code('Timezone', 'organisations.payload') }} as xero_timezone,
        {{ xero_code('CountryCode', 'organisations.payload') }} as country_code,
        {{ xero_code('ShortCode', 'organisations.payload') }} as short_code,
        {{ xero_text('LegalName', 'organisations.payload') }} as legal_name,
        {{ xero_boolean('IsDemoCompany', 'organisations.payload') }} as is_demo_company,
        -- What no calendar has would stop the build of everybody.
        {{ xero_integer_between('FinancialYearEndDay', 1, 31, 'organisations.payload') }}
            as financial_year_end_day,
        {{ xero_integer_between('FinancialYearEndMonth', 1, 12, 'organisations.payload') }}
            as financial_year_end_month
    from complete
    inner join tenants on complete.tenant_id = tenants.tenant_id
    left join built on complete.tenant_id = built.tenant_id
    left join resettled on complete.tenant_id = resettled.tenant_id
    left join replanned on complete.tenant_id = replanned.tenant_id
    left join journals_read as journals_now
        on
            complete.tenant_id = journals_now.tenant_id
            and complete.known_at = journals_now.known_at
    left join rejournalled on complete.tenant_id = rejournalled.tenant_id
    left join organisations
        on
            complete.tenant_id = organisations.tenant_id
            and complete.known_at >= organisations.known_from
            and (organisations.known_to is null or complete.known_at < organisations.known_to)
            and not organisations.is_deleted
),

final as (
    select
        renamed.tenant_id,
        renamed.tenant_name,
        renamed.known_at,
        renamed.complete_day,
        renamed.built_known_at,
        renamed.built_day,
        renamed.is_replanned,
        renamed.is_rebuilt,
        renamed.has_journals,
        renamed.has_cash_journals,
        -- XXX is ISO 4217's "no currency": nothing converts to it, every document is an error row.
        coalesce(renamed.base_currency_code, 'XXX') as base_currency_code,
        coalesce(timezones.timezone, 'UTC') as timezone,
        timezones.timezone is not null as has_timezone,
        renamed.country_code,
        renamed.short_code,
        renamed.legal_name,
        coalesce(renamed.is_demo_company, false) as is_demo_company,
        renamed.financial_year_end_day,
        renamed.financial_year_end_month
    from renamed
    left join timezones on renamed.xero_timezone = timezones.xero_timezone
)

select * from final
