-- Debits equal credits, on both bases, over what each source posted on each day; looked at for the
-- sources that this build made again.
with

touched as (
    select * from {{ ref('int_documents_touched') }}
),

sides as (
    select * from {{ ref('int_settlement_sides_converted') }}
),

accrual as (
    select * from {{ ref('fct_ledger_postings') }}
),

cash as (
    select * from {{ ref('fct_cash_basis_postings') }}
),

sources as (
    select
        tenant_id,
        document_id as source_id
    from touched
    union
    select
        touched.tenant_id,
        sides.source_id
    from touched
    inner join sides
        on
            touched.tenant_id = sides.tenant_id
            and touched.document_id = sides.document_id
),

united as (
    {%- for basis in ['accrual', 'cash'] %}
    select
        '{{ basis }}' as basis,
        {{ basis }}.tenant_id,
        {{ basis }}.source_id,
        {{ basis }}.posting_date,
        {{ basis }}.base_amount
    from sources
    inner join {{ basis }}
        on
            sources.tenant_id = {{ basis }}.tenant_id
            and sources.source_id = {{ basis }}.source_id
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

final as (
    select
        basis,
        tenant_id,
        source_id,
        posting_date,
        sum(base_amount) as difference
    from united
    group by basis, tenant_id, source_id, posting_date
    having sum(base_amount) <> 0
)

select * from final
