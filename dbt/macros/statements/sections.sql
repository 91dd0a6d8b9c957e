{#- The class of an account; where Xero sends none, its type tells it. -#}
{% macro statement_class(account) -%}
    coalesce({{ account }}.account_class, case
        when {{ account }}.account_type in ('REVENUE', 'SALES', 'OTHERINCOME') then 'REVENUE'
        when
            {{ account }}.account_type in (
                'EXPENSE', 'OVERHEADS', 'DIRECTCOSTS', 'DEPRECIATN', 'WAGESEXPENSE',
                'SUPERANNUATIONEXPENSE'
            )
            then 'EXPENSE'
        when
            {{ account }}.account_type in (
                'BANK', 'CURRENT', 'FIXED', 'INVENTORY', 'NONCURRENT', 'PREPAYMENT'
            )
            then 'ASSET'
        when
            {{ account }}.account_type in (
                'CURRLIAB', 'LIABILITY', 'TERMLIAB', 'PAYG', 'PAYGLIABILITY',
                'SUPERANNUATIONLIABILITY', 'WAGESPAYABLELIABILITY'
            )
            then 'LIABILITY'
        when {{ account }}.account_type = 'EQUITY' then 'EQUITY'
    end)
{%- endmacro %}

{#- The heading under which statements show an account: by its type, else by its class, which is
    one of statement_class. -#}
{% macro statement_section(account) -%}
    case
        when {{ account }}.account_type = 'OTHERINCOME' then 'other_income'
        when {{ account }}.account_type = 'DIRECTCOSTS' then 'direct_costs'
        when {{ account }}.account_class = 'REVENUE' then 'income'
        when {{ account }}.account_class = 'EXPENSE' then 'operating_expenses'
        when {{ account }}.account_type = 'BANK' then 'bank'
        when {{ account }}.account_type = 'FIXED' then 'fixed_assets'
        when {{ account }}.account_type = 'NONCURRENT' then 'non_current_assets'
        when {{ account }}.account_type = 'TERMLIAB' then 'non_current_liabilities'
        when {{ account }}.account_class = 'ASSET' then 'current_assets'
        when {{ account }}.account_class = 'LIABILITY' then 'current_liabilities'
        when {{ account }}.account_class = 'EQUITY' then 'equity'
        else 'unknown'
    end
{%- endmacro %}
