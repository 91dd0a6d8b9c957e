with

documents as (
    select * from {{ ref('int_account_days_summed') }}
),

levels as (
    select * from {{ ref('int_account_levels_moved') }}
),

united as (
    select
        tenant_id,
        basis,
        account_id,
        day,
        documents_amount,
        0::numeric as revaluation_amount,
        0::numeric as unexplained_amount
    from documents
    union all
    select
        tenant_id,
        basis,
        account_id,
        day,
        0::numeric as documents_amount,
        revaluation_amount,
        unexplained_amount
    from levels
),

final as (
    select
        tenant_id,
        basis,
        account_id,
        day,
        {%- for part in statement_parts() %}
        sum({{ part }}_amount) as {{ part }}_amount{{ ',' if not loop.last }}
        {%- endfor %}
    from united
    group by tenant_id, basis, account_id, day
)

select * from final
