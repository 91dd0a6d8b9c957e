with

sides as (
    select * from {{ moved_documents(ref('int_settlement_sides_converted')) }}
),

shares as (
    select * from {{ moved_documents(ref('int_settlement_lines_shared')) }}
),

charts as (
    select * from {{ ref('int_charts_keyed') }}
),

{{ settlement_parts(
    stands_on_control='not ' ~ rule_prepayment_takes_back_lines('sides.document_kind')
) }}

select * from final
