{#- History: what a report and the documents of one extraction said beside each other is not touched
    afterwards, by a full refresh least of all. A report is compared whenever it was read, and kept
    when that says something else than the last time. Beside the marts it begins with theirs. -#}
{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{{ forget_gone_tenants() }}",
    indexes=[{'columns': ['tenant_id', 'known_at']}],
) }}

{%- set report = ['tenant_id', 'report', 'basis', 'report_date'] %}
{%- set is_beside = is_beside_the_marts() %}
{%- set kept_lines = 'history' if is_beside else this %}
{%- set said = report + [
    'measure', 'line_key', 'line_label', 'account_id', 'documents_amount', 'revaluation_amount',
    'xero_amount', 'difference', 'broken_amount', 'cause', 'status',
] %}

with

{%- if is_beside %}

history as (
    {{ known_before_in_the_marts() }}
),

{%- endif %}

trial_balances as (
    select * from {{ ref('int_trial_balances_explained') }}
),

statements as (
    select * from {{ ref('int_statements_explained') }}
),

executive_summaries as (
    select * from {{ ref('int_executive_summaries_explained') }}
),

united as (
    {%- for relation in ['trial_balances', 'statements', 'executive_summaries'] %}
    select
        tenant_id,
        report,
        basis,
        report_date,
        known_at,
        is_comparable,
        measure,
        line_key,
        line_label,
        account_id,
        documents_amount,
        revaluation_amount,
        xero_amount,
        difference,
        {{ 'broken_amount' if relation == 'trial_balances' else 'null::numeric as broken_amount' }},
        cause
    from {{ relation }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

compared as (
    select
        tenant_id,
        report,
        basis,
        report_date,
        measure,
        line_key,
        line_label,
        account_id,
        case when is_comparable then documents_amount end as documents_amount,
        case when is_comparable then revaluation_amount end as revaluation_amount,
        xero_amount,
        case when is_comparable then difference end as difference,
        case when is_comparable then broken_amount end as broken_amount,
        case when is_comparable then cause end as cause,
        case
            when not is_comparable then 'not_compared'
            when difference = 0 then 'tied'
            when cause = 'OTHER' then 'broken'
            else 'explained'
        end as status,
        known_at
    from united
),

{%- if is_beside or is_incremental() %}

reports as (
    select {{ report | join(', ') }}
    from compared
    group by {{ report | join(', ') }}
),

last_kept as (
    select
        reports.tenant_id,
        reports.report,
        reports.basis,
        reports.report_date,
        max(kept.known_at) as known_at
    from reports
    inner join {{ kept_lines }} as kept
        on
            reports.tenant_id = kept.tenant_id
            and reports.report = kept.report
            and reports.basis = kept.basis
            and reports.report_date = kept.report_date
    group by reports.tenant_id, reports.report, reports.basis, reports.report_date
),

former as (
    select kept.*
    from last_kept
    inner join {{ kept_lines }} as kept
        on
            last_kept.tenant_id = kept.tenant_id
            and last_kept.report = kept.report
            and last_kept.basis = kept.basis
            and last_kept.report_date = kept.report_date
            and last_kept.known_at = kept.known_at
),

news as (
    select compared.*
    from compared
    left join last_kept
        on
            compared.tenant_id = last_kept.tenant_id
            and compared.report = last_kept.report
            and compared.basis = last_kept.basis
            and compared.report_date = last_kept.report_date
    where
        last_kept.known_at is null
        or compared.known_at > last_kept.known_at
),

-- A line that is another one, is new or is gone.
differing as (
    select {{ report | join(', ') }}
    from (
        (
            select {{ said | join(', ') }} from news
            except
            select {{ said | join(', ') }} from former
        )
        union all
        (
            select {{ said | join(', ') }} from former
            except
            select {{ said | join(', ') }} from news
        )
    ) as lines
    group by {{ report | join(', ') }}
),

final as (
    select
        {%- for column in said %}
        news.{{ column }},
        {%- endfor %}
        news.known_at
    from news
    inner join differing
        on
            news.tenant_id = differing.tenant_id
            and news.report = differing.report
            and news.basis = differing.basis
            and news.report_date = differing.report_date
    {%- if is_beside %}
    union all
    select
        {%- for column in said %}
        {{ column }},
        {%- endfor %}
        known_at
    from history
    {%- endif %}
)

{%- else %}

final as (
    select * from compared
)

{%- endif %}

select * from final
