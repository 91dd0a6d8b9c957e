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
    stands_on_control=rule_cash_overpayment('sides.document_kind'),
    rule=cash_rule('sides'),
) }}

select * from final
