{{ config(
    materialized='incremental',
    pre_hook=["{{ forget_balances() }}", "set local work_mem = '64MB'"],
    indexes=[{'columns': ['tenant_id', 'next_day']}],
) }}

with

moved as (
    select * from {{ ref('int_account_balances_moved') }}
),

all_amounts as not materialized (
    select * from {{ ref('int_account_amounts_moved') }}
),

running as (
    select
        amounts.tenant_id,
        amounts.basis,
        amounts.account_id,
        amounts.day,
        {%- for part in statement_parts() %}
        amounts.{{ part }}_amount,
        moved.{{ part }}_opening_amount + sum(amounts.{{ part }}_amount) over until_day
            as {{ part }}_closing_amount,
        {%- endfor %}
        lead(amounts.day) over until_day as next_day
    from moved
    -- Account by account through the indexes: joined, the days of all of them would be added up.
    cross join lateral (
        select all_amounts.*
        from all_amounts
        where
            moved.tenant_id = all_amounts.tenant_id
            and moved.basis = all_amounts.basis
            and moved.account_id = all_amounts.account_id
            and moved.first_day <= all_amounts.day
        offset 0 -- noqa: AM09
    ) as amounts
    window until_day as (
        partition by amounts.tenant_id, amounts.basis, amounts.account_id
        order by amounts.day
    )
),

final as (
    select
        tenant_id,
        basis,
        account_id,
        day,
        -- Not infinity: many a program cannot read that as a date.
        coalesce(next_day, '9999-12-31'::date) as next_day,
        {%- for part in statement_parts() %}
        {{ part }}_amount,
        {%- endfor %}
        documents_amount + revaluation_amount + unexplained_amount as amount,
        {%- for part in statement_parts() %}
        {{ part }}_closing_amount,
        {%- endfor %}
        documents_closing_amount + revaluation_closing_amount + unexplained_closing_amount
            as closing_amount
    from running
)

select * from final
