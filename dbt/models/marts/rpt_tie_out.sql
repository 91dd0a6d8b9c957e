{#- History: written once per version of a report, with the documents of that extraction, and not
    touched afterwards, by a full refresh least of all. -#}
{{ config(
    materialized='incremental',
    full_refresh=false,
    pre_hook="{{ forget_gone_tenants() }}",
    indexes=[
        {
            'columns': [
                'tenant_id', 'report', 'basis', 'report_date', 'measure', 'line_key', 'known_at'
            ],
            'unique': true,
        },
        {'columns': ['tenant_id', 'known_at']},
    ],
) }}

with

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

news as (
    select * from united
    {%- if is_incremental() %}
    where not exists (
        select from {{ this }} as kept
        where
            united.tenant_id = kept.tenant_id
            and united.report = kept.report
            and united.basis = kept.basis
            and united.report_date = kept.report_date
            and united.known_at <= kept.known_at
    )
    {%- endif %}
),

final as (
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
    from news
)

select * from final
