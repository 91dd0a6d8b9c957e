with

source as (
    {{ xero_records('budgets') }}
),

spans as (
    select
        source.tenant_id,
        source.record_id,
        min({{ xero_month('Period', 'balance.element') }}) as first_month_date,
        max({{ xero_month('Period', 'balance.element') }}) as last_month_date
    from source
    cross join lateral jsonb_array_elements(
        {{ xero_list('BudgetLines', 'source.payload') }}
    ) as line (element)
    cross join lateral jsonb_array_elements(
        {{ xero_list('BudgetBalances', 'line.element') }}
    ) as balance (element)
    group by source.tenant_id, source.record_id
),

renamed as (
    select
        source.tenant_id,
        source.record_id as budget_id,
        {{ xero_code('Type', 'source.payload') }} as budget_type,
        {{ xero_code('Status', 'source.payload') }} as status,
        {{ xero_text('Description', 'source.payload') }} as description,
        spans.first_month_date,
        spans.last_month_date,
        {{ xero_list('BudgetLines', 'source.payload') }} as budget_lines,
        {{ xero_list('Tracking', 'source.payload') }} as tracking,
        source.xero_updated_at as updated_at
    from source
    left join spans
        on
            source.tenant_id = spans.tenant_id
            and source.record_id = spans.record_id
),

final as (
    select * from renamed
)

select * from final
