{#- What no document tells of, by its cause: the mark of the account that shows it, and the accounts
    that can balance it. `mover` are accounts that move in sum where the cause does and its mark may
    not: by a claim that is paid at once, by depreciation of a year that is closed.
    `account` is a relation with system_account, account_type, account_class and is_plain (no system
    account). -#}
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
            'mover': account ~ ".system_account = 'RETAINEDEARNINGS'",
            'partner': account ~ ".account_type = 'FIXED' or " ~ account
                ~ ".system_account = 'RETAINEDEARNINGS'",
        },
        'EXPENSE_CLAIMS': {
            'anchor': account ~ ".system_account = 'UNPAIDEXPCLM'",
            'mover': account ~ ".account_type = 'BANK'",
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

{#- The trial balances that earlier extractions compared. No ref: the table comes after who asks.
    broken_amount is 0 where nothing was broken, and null where it was not known how much. The table
    may be older than that column. -#}
{% macro trial_balances_before_this_build() -%}
    {%- set tie_out = history_in_the_marts('rpt_tie_out') -%}
    select
    {%- if tie_out is none %}
        null::uuid as tenant_id,
        null::text as basis,
        null::date as report_date,
        null::timestamptz as known_at,
        null::text as measure,
        null::text as line_key,
        null::numeric as documents_amount,
        null::numeric as difference,
        null::numeric as broken_amount
    where false
    {%- else %}
    {%- set columns = columns_of(tie_out) | map(attribute='name') | list %}
        tenant_id,
        basis,
        report_date,
        known_at,
        measure,
        line_key,
        documents_amount,
        difference,
        case
            when status <> 'broken' then 0
            {%- if 'broken_amount' in columns %}
            else broken_amount
            {%- endif %}
        end as broken_amount
    from {{ tie_out }} as tie_out
    where
        report = 'TrialBalance'
        and status <> 'not_compared'
        {%- if var('schema_suffix', '') %}
        and exists (
            select from {{ ref('stg_xero__tenants') }} as tenant
            where
                tie_out.tenant_id = tenant.tenant_id
                and tie_out.known_at < tenant.known_at
        )
        {%- endif %}
    {%- endif -%}
{%- endmacro %}
