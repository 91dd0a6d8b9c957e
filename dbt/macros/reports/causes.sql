{#- What no document tells of, by its cause: the mark of the account that shows it, and the accounts
    that can balance it. `account` is a relation with system_account, account_type, account_class
    and is_plain (no system account). -#}
{% macro tie_out_causes(account) -%}
    {%- set expense = account ~ ".is_plain and " ~ account ~ ".account_class = 'EXPENSE' and "
        ~ account ~ ".account_type <> 'DEPRECIATN'" -%}
    {{ return({
        'CONVERSION': {
            'anchor': account ~ ".system_account = 'HISTORICAL'",
            'partner': account ~ ".account_class in ('ASSET', 'LIABILITY', 'EQUITY') and ("
                ~ account ~ ".is_plain or " ~ account
                ~ ".system_account in ('GST', 'RETAINEDEARNINGS', 'WAGEPAYABLES'))",
        },
        'DEPRECIATION': {
            'anchor': account ~ ".account_type = 'DEPRECIATN'",
            'partner': account ~ ".account_type = 'FIXED' or " ~ account
                ~ ".system_account = 'RETAINEDEARNINGS'",
        },
        'EXPENSE_CLAIMS': {
            'anchor': account ~ ".system_account = 'UNPAIDEXPCLM'",
            'partner': expense ~ " or " ~ account ~ ".account_type = 'BANK' or " ~ account
                ~ ".system_account in ('GST', 'RETAINEDEARNINGS')",
        },
        'INVENTORY': {
            'anchor': account ~ ".account_type = 'INVENTORY'",
            'partner': account ~ ".account_type = 'DIRECTCOSTS' or " ~ account
                ~ ".system_account = 'RETAINEDEARNINGS'",
        },
        'PAYROLL': {
            'anchor': account ~ ".system_account = 'WAGEPAYABLES'",
            'partner': expense ~ " or (" ~ account ~ ".is_plain and " ~ account
                ~ ".account_class = 'LIABILITY') or " ~ account
                ~ ".system_account = 'RETAINEDEARNINGS'",
        },
        'ROUNDING': {
            'anchor': account ~ ".system_account = 'ROUNDING'",
            'partner': account ~ ".account_type = 'BANK'",
        },
    }) }}
{%- endmacro %}
