{#- The posting rules that no real journal proves yet, one macro each, named as in the seed
    posting_rules.csv; the daily tie-out is what proves or refutes them. What real journals prove
    stands in the models int_*_posted themselves. -#}

{#- manual_journal_taxed (analogy): the tax of a manual journal's lines is posted on GST besides,
    as the tax of documents is. -#}
{% macro rule_manual_journal_taxed(tax_amount) -%}
    {{ tax_amount }}
{%- endmacro %}

{#- payment_from_foreign_account (analogy): money of a bank account in a foreign currency is worth
    BankAmount at the payment's own rate, or what it pays of a document in the base currency, of
    which the rate is 1. BankAmount is in the account's currency, and an account that is no bank
    account is in base currency. -#}
{% macro rule_payment_from_foreign_account(paid_base_amount, bank_amount, payment_rate) -%}
    coalesce({{ paid_base_amount }}, {{ to_base(bank_amount, payment_rate) }})
{%- endmacro %}

{#- overpayment (others_words): what was paid too much stands on the control account, whatever
    account its line names. -#}
{% macro rule_overpayment(document_kind, control_account_id, line_account_id) -%}
    case
        when {{ document_kind }} = 'overpayment' then {{ control_account_id }}
        else {{ line_account_id }}
    end
{%- endmacro %}

{#- prepayment (others_words), allocation_of_prepayment (others_words), refund_of_prepayment
    (analogy): a prepayment stands on its own line accounts and GST, never on the control account;
    what is applied or refunded of it takes back its lines and tax pro rata. True for a document
    that does so. -#}
{% macro rule_prepayment_takes_back_lines(document_kind) -%}
    {{ document_kind }} = 'prepayment'
{%- endmacro %}

{#- From when an allocation counts, whatever the rule: the later of the two documents' dates. -#}
{% macro allocation_date(credit_date, invoice_date) -%}
    greatest({{ credit_date }}, {{ invoice_date }})
{%- endmacro %}

{#- allocation_at_two_rates (others_words): each document leaves the control account at its own
    rate, and what lies between is realised currency gain. Amounts signed, debit positive. -#}
{% macro rule_allocation_at_two_rates(credit_base_amount, invoice_base_amount) -%}
    -({{ credit_base_amount }} + {{ invoice_base_amount }})
{%- endmacro %}

{#- bank_transfer_in_two_currencies (analogy): worth what the side in base currency says; between
    two foreign accounts what one leg is worth at its own rate, that of the finer rate (a rate has
    six places, so the larger one says more). Without legs the transfer's own rate tells what
    arrived. Null when nothing tells. -#}
{% macro rule_bank_transfer_in_two_currencies(
    from_is_base, to_is_base, amount, from_amount, from_rate, to_amount, to_rate, transfer_rate
) -%}
    case
        when {{ from_is_base }} then {{ amount }}
        when {{ to_is_base }}
            then coalesce({{ to_amount }}, round({{ amount }} * {{ transfer_rate }}, 2))
        when coalesce({{ from_rate }}, 0) >= coalesce({{ to_rate }}, 0)
            then {{ to_base(from_amount, from_rate) }}
        else {{ to_base(to_amount, to_rate) }}
    end
{%- endmacro %}

{#- cash_overpayment (others_words): on cash basis, too, an overpayment stands on the control
    account until it is applied or refunded. True for a document that does so. -#}
{% macro rule_cash_overpayment(document_kind) -%}
    {{ document_kind }} = 'overpayment'
{%- endmacro %}

{#- cash_settlement (others_words): on cash basis a document that waited for money is recognised
    with what settles it, its lines and tax pro rata; what the money is worth besides is realised
    currency gain. True for a document that does so: invoices, bills and credit notes. -#}
{% macro rule_cash_settlement(document_kind) -%}
    {{ document_kind }} not in ('overpayment', 'prepayment')
{%- endmacro %}
