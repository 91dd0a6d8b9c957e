{{ config(materialized='view') }}

with

balances as not materialized (
    select * from {{ ref('fct_account_balances') }}
),

tie_out as not materialized (
    select * from {{ ref('rpt_tie_out') }}
    where cause is not null
),

moved as (
    {%- for part in statement_parts()[1:] %}
    select
        tenant_id,
        basis,
        account_id,
        day,
        '{{ part | upper }}' as source_type,
        {{ part }}_amount as base_amount,
        {{ part }}_closing_amount as closing_base_amount,
        '{{ part }}' as rule
    from balances
    where {{ part }}_amount <> 0
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        moved.tenant_id,
        moved.basis,
        moved.account_id,
        moved.day,
        moved.source_type,
        moved.base_amount,
        moved.closing_base_amount,
        moved.rule,
        caused.cause
    from moved
    -- A level that ends has no cause on the day it ends: that of its last day names it.
    left join lateral (
        {%- for report, measure in {'TrialBalance': 'balance', 'ProfitAndLoss': 'month'}.items() %}
        (
            select
                tie_out.report_date,
                tie_out.known_at,
                tie_out.cause
            from tie_out
            where
                moved.source_type = 'UNEXPLAINED'
                and moved.tenant_id = tie_out.tenant_id
                and tie_out.report = '{{ report }}'
                and moved.basis = tie_out.basis
                and tie_out.measure = '{{ measure }}'
                and moved.account_id = tie_out.line_key
                and moved.day >= tie_out.report_date
                {%- if report == 'ProfitAndLoss' %}
                -- What is broken on cash basis is no part of a level.
                and moved.basis = 'cash'
                and tie_out.status = 'explained'
                {%- endif %}
            order by tie_out.report_date desc, tie_out.known_at desc
            limit 1
        )
        {%- if not loop.last %}
        union all
        {%- endif %}
        {%- endfor %}
        order by report_date desc, known_at desc
        limit 1
    ) as caused on true
)

select * from final
