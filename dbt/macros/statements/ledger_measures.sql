{#- What daily ledger figures are made of: the accounts of each measure and the sign with which it
    is shown. `relation` has section, account_type and system_account; none when it is the only one.
    The first eleven hold every account but equity's once, the others are parts of them. -#}
{% macro ledger_measures(relation=none) -%}
    {%- set account = relation ~ '.' if relation else '' -%}
    {%- set measures = {} -%}
    {%- for section, sign in {
        'income': -1, 'other_income': -1, 'direct_costs': 1, 'operating_expenses': 1, 'bank': 1,
        'current_assets': 1, 'fixed_assets': 1, 'non_current_assets': 1, 'unknown': 1,
        'current_liabilities': -1, 'non_current_liabilities': -1,
    }.items() -%}
        {%- do measures.update({section: (account ~ "section = '" ~ section ~ "'", sign)}) -%}
    {%- endfor -%}
    {%- for measure, type in {
        'depreciation': 'DEPRECIATN', 'inventory': 'INVENTORY', 'prepayments': 'PREPAYMENT',
    }.items() -%}
        {%- do measures.update({measure: (account ~ "account_type = '" ~ type ~ "'", 1)}) -%}
    {%- endfor -%}
    {%- for measure, (marks, sign) in {
        'debtors': (['DEBTORS'], 1),
        'creditors': (['CREDITORS'], -1),
        'tax_liability': (['GST'], -1),
        'realised_gain': (['REALISEDCURRENCYGAIN'], -1),
        'unrealised_gain': (['UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN'], -1),
    }.items() -%}
        {%- set condition = account ~ "system_account in ('" ~ marks | join("', '") ~ "')" -%}
        {%- do measures.update({measure: (condition, sign)}) -%}
    {%- endfor -%}
    {{ return(measures) }}
{%- endmacro %}

{#- What is counted by what posts, and not by account alone. -#}
{% macro ledger_flows() -%}
    {{ return(['cash_received', 'cash_spent', 'tax_output', 'tax_input']) }}
{%- endmacro %}

{#- A measure of debit-positive amounts as it is shown: a filtered sum. -#}
{% macro measure_sum(amount, condition, sign) -%}
    {{ '-' if sign < 0 }}coalesce(sum({{ amount }}) filter (where {{ condition }}), 0)
{%- endmacro %}

{#- Every account a posting can be on with what ledger_measures ask of it: as a relation. -#}
{% macro measured_accounts() -%}
    (
        select
            chart.tenant_id,
            chart.account_id,
            chart.account_type,
            chart.system_account,
            chart.is_foreign,
            {{ statement_section('chart') }} as section
        from (
            select
                account.tenant_id,
                account.account_id,
                account.account_type,
                account.system_account,
                account.currency_code <> tenant.base_currency_code as is_foreign,
                {{ statement_class('account') }} as account_class
            from {{ ref('dim_accounts') }} as account
            inner join {{ ref('stg_xero__tenants') }} as tenant
                on account.tenant_id = tenant.tenant_id
        ) as chart
    )
{%- endmacro %}

{#- Post-hook of int_ledger_days_summed, within its transaction: days on which nothing is left. -#}
{% macro forget_empty_ledger_days() -%}
    delete from {{ this }} as kept
    using {{ ref('int_account_days_moved') }} as moved
    where
        kept.tenant_id = moved.tenant_id
        and kept.basis = moved.basis
        and kept.day = moved.day
        and not exists (
            select from {{ ref('int_account_days_summed') }} as account_days
            where
                account_days.tenant_id = kept.tenant_id
                and account_days.basis = kept.basis
                and account_days.day = kept.day
        )
{%- endmacro %}

{#- The section of an amount whose account may be in no chart: Xero's retained earnings, and what
    nobody knows. -#}
{% macro section_or_unknown(section, account_id) -%}
    coalesce(
        {{ section }},
        case {{ account_id }} when 'RETAINEDEARNINGS' then 'equity' else 'unknown' end
    )
{%- endmacro %}

{#- The measures that are followed by day, and their basis: what the cash basis owes and is owed is
    not asked for. -#}
{% macro levelled_measures() -%}
    {%- set measures = [] -%}
    {%- for measure in ledger_measures() -%}
        {%- do measures.append(('accrual', measure, measure)) -%}
    {%- endfor -%}
    {%- for measure in ledger_flows() + reported_measures() -%}
        {%- do measures.append(('accrual', measure, measure)) -%}
    {%- endfor -%}
    {%- for measure in [
        'income', 'other_income', 'direct_costs', 'operating_expenses', 'depreciation'
    ] -%}
        {%- do measures.append(('cash', measure, 'cash_basis_' ~ measure)) -%}
    {%- endfor -%}
    {{ return(measures) }}
{%- endmacro %}

{#- What of net assets and of net profit reports alone know. -#}
{% macro reported_measures() -%}
    {{ return([
        'net_assets_revaluation', 'net_assets_unexplained', 'net_profit_revaluation',
        'net_profit_unexplained',
    ]) }}
{%- endmacro %}
