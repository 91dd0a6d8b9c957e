{#- The daily figures of a day follow from what happened up to it, so that the first day on which
    anything moved says which days are made again. The day after the last build's is among them in
    any case, and so is that build's last day, of which more is said than of the days before it. Of
    an organisation without news no day is.
    What a build that failed had to make again is remembered until one went well.

    Whoever adds a daily figure names here what can move it. Sums of days tell of most; shares of
    contacts and the age of rates hang on the documents themselves. -#}
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['tenant_id'],
    pre_hook="{{ forget_good_builds() }}",
    indexes=[{'columns': ['tenant_id'], 'unique': true}],
) }}

with

windows as (
    select * from {{ ref('int_windows_spanned') }}
),

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
    where state = 'complete'
),

movements as not materialized (
    select * from {{ ref('int_daily_movements_summed') }}
),

withdrawn as (
    select * from {{ ref('int_movements_withdrawn') }}
),

ledger_days as (
    select * from {{ ref('int_ledger_days_summed') }}
),

account_days_moved as (
    select * from {{ ref('int_account_days_moved') }}
),

documents as (
    select * from {{ ref('stg_xero__moved_documents') }}
    where moved_from_date is not null
),

records as (
    select * from {{ ref('int_records_moved') }}
),

changes as (
    select * from {{ ref('fct_changes') }}
),

tie_outs as (
    select * from {{ ref('rpt_tie_out_summary') }}
),

-- Their levels end.
healed as (
    select
        tenant_id,
        healed_at as known_at,
        report_date as day
    from {{ ref('int_levels_healed') }}
),

document_errors as not materialized (
    select * from {{ ref('int_document_errors_listed') }}
    where
        error = 'no_date'
        and document_kind not in ('journal', 'cash_journal', 'quote', 'purchase_order')
),

grants as (
    select * from {{ ref('stg_xero__grants') }}
),

endpoint_days as not materialized (
    select * from {{ source('xero_ops', 'endpoint_days') }}
),

shown as (
    {{ last_days_before_this_build() }}
),

former_currencies as (
    {{ currencies_before_this_build() }}
),

former as (
    {{ rows_before_this_build({
        'tenant_id': 'uuid', 'known_at': 'timestamptz', 'first_day': 'date',
    }) }}
),

growing as (
    select * from tenants
    where
        not is_rebuilt
        and built_day is not null
),

all_moved as (
    {%- for relation, day in {
        'movements': 'day', 'ledger_days': 'day', 'records': 'day', 'changes': 'day',
        'tie_outs': 'report_date', 'healed': 'day', 'runs': 'day', 'former': 'first_day',
    }.items() %}
    select
        tenant_id,
        known_at,
        {{ day }} as day
    from {{ relation }}
    union all
    {%- endfor %}
    -- Days that have nothing left, of movements and of postings.
    select
        withdrawn.tenant_id,
        withdrawn.known_at,
        withdrawn.event_date as day
    from withdrawn
    left join movements
        on
            withdrawn.tenant_id = movements.tenant_id
            and withdrawn.currency_code = movements.currency_code
            and withdrawn.event_date = movements.day
    where movements.tenant_id is null
    union all
    select
        account_days_moved.tenant_id,
        account_days_moved.known_at,
        account_days_moved.day
    from account_days_moved
    left join ledger_days
        on
            account_days_moved.tenant_id = ledger_days.tenant_id
            and account_days_moved.basis = ledger_days.basis
            and account_days_moved.day = ledger_days.day
    where ledger_days.tenant_id is null
    union all
    -- Another contact or currency moves no sum.
    select
        documents.tenant_id,
        tenants.known_at,
        documents.moved_from_date as day
    from documents
    inner join tenants on documents.tenant_id = tenants.tenant_id
),

moved as (
    select
        growing.tenant_id,
        min(moved.day) as day
    from growing
    inner join all_moved as moved
        on
            growing.tenant_id = moved.tenant_id
            and growing.built_known_at < moved.known_at
    group by growing.tenant_id
),

-- Each currency has a row on every day of the window, which says how many documents lack a date.
currencies as (
    select
        movements.tenant_id,
        movements.currency_code
    from movements
    inner join windows
        on
            movements.tenant_id = windows.tenant_id
            and movements.day <= windows.last_day
    group by movements.tenant_id, movements.currency_code
    union
    select
        tenant_id,
        currency_code
    from document_errors
    union
    select
        tenant_id,
        base_currency_code as currency_code
    from tenants
),

undated as (
    select
        tenant_id,
        currency_code,
        count(*) as undated_document_count
    from document_errors
    group by tenant_id, currency_code
),

counted as (
    select
        currencies.tenant_id,
        currencies.currency_code,
        coalesce(undated.undated_document_count, 0)::integer as undated_document_count
    from currencies
    left join undated
        on
            currencies.tenant_id = undated.tenant_id
            and currencies.currency_code = undated.currency_code
),

respanned as (
    select tenant_id
    from (
        (
            select * from counted
            except
            select * from former_currencies
        )
        union all
        (
            select * from former_currencies
            except
            select * from counted
        )
    ) as differing
    group by tenant_id
),

calls as (
    select
        growing.tenant_id,
        sum(endpoint_days.calls) as api_calls_count
    from growing
    inner join endpoint_days
        on
            growing.tenant_id = endpoint_days.tenant_id
            and growing.built_day = endpoint_days.on_date
    group by growing.tenant_id
),

-- Consents come and go, and calls fail, without any news of the books.
told_otherwise as (
    select growing.tenant_id
    from growing
    left join shown on growing.tenant_id = shown.tenant_id
    left join grants on growing.tenant_id = grants.tenant_id
    left join calls on growing.tenant_id = calls.tenant_id
    where
        coalesce(shown.token_expiry_days, -1)
        <> coalesce({{ token_expiry_days('grants', 'growing.known_at') }}, -1)
        or coalesce(shown.api_calls_count, 0) <> coalesce(calls.api_calls_count, 0)
),

final as (
    select
        windows.tenant_id,
        windows.base_currency_code,
        windows.known_at,
        case
            when
                growing.tenant_id is null
                or growing.is_replanned
                or respanned.tenant_id is not null
                then windows.first_day
            else greatest(
                least(moved.day, growing.built_day, windows.last_day), windows.first_day
            )
        end as first_day,
        windows.last_day,
        windows.first_day as window_first_day
    from windows
    left join growing on windows.tenant_id = growing.tenant_id
    left join moved on windows.tenant_id = moved.tenant_id
    left join respanned on windows.tenant_id = respanned.tenant_id
    left join told_otherwise on windows.tenant_id = told_otherwise.tenant_id
    where
        growing.tenant_id is null
        or growing.built_known_at < windows.known_at
        or respanned.tenant_id is not null
        or told_otherwise.tenant_id is not null
)

select * from final
