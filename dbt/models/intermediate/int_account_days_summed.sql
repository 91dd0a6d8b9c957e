{{ config(
    materialized='incremental',
    pre_hook="{{ forget_account_days() }}",
    indexes=[{'columns': ['tenant_id', 'basis', 'account_id', 'day'], 'unique': true}],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

moved_days as (
    select * from {{ ref('int_account_days_moved') }}
),

{%- for basis, ledger in ledgers_by_basis().items() %}

{{ basis }} as not materialized (
    select * from {{ ref(ledger) }}
),

{%- endfor %}

moved as (
    select
        moved_days.tenant_id,
        moved_days.basis,
        moved_days.account_id,
        moved_days.day
    from moved_days
    inner join tenants
        on
            moved_days.tenant_id = tenants.tenant_id
            and not tenants.is_rebuilt
    group by
        moved_days.tenant_id, moved_days.basis, moved_days.account_id, moved_days.day
),

postings as (
    {%- for basis in ledgers_by_basis() %}
    select
        {{ basis }}.tenant_id,
        '{{ basis }}' as basis,
        coalesce({{ basis }}.account_id, '') as account_id,
        {{ basis }}.posting_date as day,
        {{ basis }}.base_amount
    from {{ basis }}
    inner join tenants
        on
            {{ basis }}.tenant_id = tenants.tenant_id
            and tenants.is_rebuilt
    union all
    {#- Two ways in, so that the index on the account is used. #}
    select
        {{ basis }}.tenant_id,
        '{{ basis }}' as basis,
        moved.account_id,
        {{ basis }}.posting_date as day,
        {{ basis }}.base_amount
    from moved
    inner join {{ basis }}
        on
            moved.tenant_id = {{ basis }}.tenant_id
            and moved.account_id = {{ basis }}.account_id
            and moved.day = {{ basis }}.posting_date
    where
        moved.basis = '{{ basis }}'
    union all
    select
        {{ basis }}.tenant_id,
        '{{ basis }}' as basis,
        moved.account_id,
        {{ basis }}.posting_date as day,
        {{ basis }}.base_amount
    from moved
    inner join {{ basis }}
        on
            moved.tenant_id = {{ basis }}.tenant_id
            and moved.day = {{ basis }}.posting_date
            and {{ basis }}.account_id is null
    where
        moved.basis = '{{ basis }}'
        and moved.account_id = ''
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        tenant_id,
        basis,
        account_id,
        day,
        sum(base_amount) as documents_amount
    from postings
    group by tenant_id, basis, account_id, day
    -- Side by side in the table: who adds up the days of an account reads five blocks instead of
    -- one for each day.
    order by tenant_id, basis, account_id, day
)

select * from final
