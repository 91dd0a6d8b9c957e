{#- What a payment, refund or allocation posts: the same on both bases, but for the documents that
    stand on the control account. There the settled part leaves the control account
    (`stands_on_control` says which, of `sides`); of the others it is the document's lines and tax,
    pro rata, that are posted: a prepayment's are taken back, those of a document that waited for
    money are recognised. `rule` names what is posted beside the money. CTEs, over the CTEs sides,
    shares and charts, that end with `final`. -#}
{% macro settlement_parts(stands_on_control, rule='sides.rule') -%}
control_parts as (
    select
        sides.tenant_id,
        sides.settlement_id,
        sides.document_place,
        'control' as part,
        null::integer as line_number,
        sides.control_account_id as account_id,
        null as tax_type,
        null as tracking_option_1_id,
        null as tracking_option_2_id,
        sides.sign * sides.amount as amount,
        sides.sign * sides.base_amount as base_amount
    from sides
    where {{ stands_on_control }}
),

line_parts as (
    select
        sides.tenant_id,
        sides.settlement_id,
        sides.document_place,
        case when shares.is_rounding then 'rounding' else 'line' end as part,
        nullif(shares.line_number, 0) as line_number,
        shares.account_id,
        shares.tax_type,
        shares.tracking_option_1_id,
        shares.tracking_option_2_id,
        null::numeric as amount,
        sides.sign * shares.net_base_share as base_amount
    from sides
    inner join shares
        on
            sides.tenant_id = shares.tenant_id
            and sides.settlement_id = shares.settlement_id
            and sides.document_id = shares.document_id
    where not ({{ stands_on_control }})
),

taxed as (
    select
        tenant_id,
        settlement_id,
        document_id,
        sum(tax_base_share) as tax_base_share
    from shares
    where tax_base_share <> 0
    group by tenant_id, settlement_id, document_id
),

tax_parts as (
    select
        sides.tenant_id,
        sides.settlement_id,
        sides.document_place,
        'tax' as part,
        null::integer as line_number,
        charts.tax_account_id as account_id,
        null as tax_type,
        null as tracking_option_1_id,
        null as tracking_option_2_id,
        null::numeric as amount,
        sides.sign * taxed.tax_base_share as base_amount
    from sides
    inner join taxed
        on
            sides.tenant_id = taxed.tenant_id
            and sides.settlement_id = taxed.settlement_id
            and sides.document_id = taxed.document_id
    inner join charts on sides.tenant_id = charts.tenant_id
    where not ({{ stands_on_control }})
),

money_parts as (
    select
        sides.tenant_id,
        sides.settlement_id,
        sides.document_place,
        'account' as part,
        null::integer as line_number,
        sides.money_account_id as account_id,
        null as tax_type,
        null as tracking_option_1_id,
        null as tracking_option_2_id,
        -sides.sign * sides.amount as amount,
        sides.money_base_amount as base_amount
    from sides
    where sides.money_base_amount is not null
),

gain_parts as (
    select
        sides.tenant_id,
        sides.settlement_id,
        sides.document_place,
        'gain' as part,
        null::integer as line_number,
        charts.realised_gain_account_id as account_id,
        null as tax_type,
        null as tracking_option_1_id,
        null as tracking_option_2_id,
        null::numeric as amount,
        sides.gain_base_amount as base_amount
    from sides
    inner join charts on sides.tenant_id = charts.tenant_id
    where sides.gain_base_amount <> 0
),

united as (
    select * from control_parts
    union all
    select * from line_parts
    union all
    select * from tax_parts
    union all
    select * from money_parts
    union all
    select * from gain_parts
),

final as (
    select
        united.tenant_id,
        united.settlement_id || ':' || united.document_place || ':' || united.part
        || coalesce(':' || united.line_number, '') as posting_id,
        sides.posting_date,
        united.account_id,
        sides.source_type,
        sides.source_id,
        sides.document_id,
        united.line_number,
        sides.contact_id,
        united.tax_type,
        united.tracking_option_1_id,
        united.tracking_option_2_id,
        sides.currency_code,
        united.amount,
        united.base_amount,
        case
            when united.part = 'account' and sides.is_from_foreign_account
                then 'payment_from_foreign_account'
            when united.part = 'account' then sides.rule
            else {{ rule }}
        end as rule,
        false as is_from_journals,
        null::timestamptz as created_at
    from united
    inner join sides
        on
            united.tenant_id = sides.tenant_id
            and united.settlement_id = sides.settlement_id
            and united.document_place = sides.document_place
    where
        united.base_amount <> 0
        or united.amount <> 0
)
{%- endmacro %}

{#- The name of the rule by which a side of a settlement is posted on cash basis; a prepayment's is
    taken back there as on accrual basis. -#}
{% macro cash_rule(sides) -%}
    case
        when {{ rule_cash_overpayment(sides ~ '.document_kind') }} then 'cash_overpayment'
        when {{ rule_cash_settlement(sides ~ '.document_kind') }} then 'cash_settlement'
        else {{ sides }}.rule
    end
{%- endmacro %}
