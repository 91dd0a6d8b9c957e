{#- What no document tells of, by its cause: the mark of the account that shows it, and the accounts
    that can balance it. `mover` are accounts that move in sum where the cause does and its mark may
    not: by depreciation of a year that is closed; by claims that were entered and paid since, but
    not overnight: claims wait to be paid, and what only leaves the bank is lost money.
    `debited` and `credited` are those that the cause posts on one side alone, `slight` those that
    it moves by no more than its mark. `seen` says that there is such a cause, marked or not.
    `account` is a relation with system_account, account_type, account_class, is_plain (no system
    account), is_base_bank, has_opening_profit, has_claims, has_depreciation,
    report_date and former_date (of the comparison before). -#}
{% macro tie_out_causes(account) -%}
    {%- set expense = account ~ ".is_plain and " ~ account ~ ".account_class = 'EXPENSE' and "
        ~ account ~ ".account_type <> 'DEPRECIATN'" -%}
    {%- set owed = account ~ ".is_plain and " ~ account ~ ".account_class = 'LIABILITY'" -%}
    {{ return({
        'CONVERSION': {
            'anchor': account ~ ".system_account = 'HISTORICAL'",
            'partner': account ~ ".account_class in ('ASSET', 'LIABILITY', 'EQUITY') and ("
                ~ account ~ ".is_plain or " ~ account
                ~ ".system_account in ('GST', 'RETAINEDEARNINGS', 'WAGEPAYABLES')) or "
                ~ account ~ ".has_opening_profit and " ~ account ~ ".is_plain and "
                ~ account ~ ".account_class in ('REVENUE', 'EXPENSE')",
        },
        'DEPRECIATION': {
            'anchor': account ~ ".account_type = 'DEPRECIATN'",
            'seen': account ~ ".has_depreciation",
            'mover': account ~ ".system_account = 'RETAINEDEARNINGS'",
            'partner': account ~ ".account_type = 'FIXED' or " ~ account
                ~ ".system_account = 'RETAINEDEARNINGS'",
        },
        'EXPENSE_CLAIMS': {
            'anchor': account ~ ".system_account = 'UNPAIDEXPCLM'",
            'seen': account ~ ".has_claims",
            'mover': account ~ ".is_base_bank and "
                ~ account ~ ".former_date < " ~ account ~ ".report_date - 1",
            'partner': expense ~ " or " ~ account ~ ".is_base_bank or " ~ account
                ~ ".system_account in ('GST', 'RETAINEDEARNINGS')",
            'debited': expense ~ " or " ~ account ~ ".system_account = 'GST'",
            'credited': account ~ ".is_base_bank",
        },
        'INVENTORY': {
            'anchor': account ~ ".account_type = 'INVENTORY'",
            'partner': account ~ ".account_type = 'DIRECTCOSTS' or " ~ account
                ~ ".system_account = 'RETAINEDEARNINGS'",
        },
        'PAYROLL': {
            'anchor': account ~ ".system_account = 'WAGEPAYABLES'",
            'partner': expense ~ " or (" ~ owed ~ ") or " ~ account
                ~ ".system_account = 'RETAINEDEARNINGS'",
            'credited': account ~ ".system_account = 'WAGEPAYABLES' or " ~ owed,
        },
        'ROUNDING': {
            'anchor': account ~ ".system_account = 'ROUNDING'",
            'partner': account ~ ".is_base_bank",
            'slight': account ~ ".is_base_bank",
        },
    }) }}
{%- endmacro %}

{#- The causes that each line's account can have, a row per line and cause, with `amount`, of the
    line, and what the cause can do to it. `lines` is a relation as tie_out_causes asks for; those
    that are not `wanted`, nearly all of them on most nights, are left out. -#}
{% macro tie_out_candidates(lines, amount, wanted) -%}
    {%- for cause, accounts in tie_out_causes(lines).items() %}
    select
        {{ lines }}.tenant_id,
        {{ lines }}.report_id,
        {{ lines }}.known_at,
        {{ lines }}.measure,
        {{ lines }}.line_key,
        {{ amount }} as amount,
        {{ accounts.seen or 'false' }} as is_seen,
        '{{ cause }}' as cause,
        coalesce({{ accounts.anchor }}, false) as is_anchor,
        coalesce(({{ accounts.anchor }}) or ({{ accounts.mover or 'false' }}), false) as is_mover,
        coalesce({{ accounts.debited or 'false' }}, false) as is_debited,
        coalesce({{ accounts.credited or 'false' }}, false) as is_credited,
        coalesce({{ accounts.slight or 'false' }}, false) as is_slight
    from {{ lines }}
    where
        {{ lines }}.is_comparable
        and {{ wanted }}
        and (({{ accounts.anchor }}) or ({{ accounts.partner }}))
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- Whether two relations speak of one line and measure of a trial balance. -#}
{% macro is_same_line(left, right) -%}
    {{ left }}.tenant_id = {{ right }}.tenant_id
    and {{ left }}.report_id = {{ right }}.report_id
    and {{ left }}.known_at = {{ right }}.known_at
    and {{ left }}.measure = {{ right }}.measure
    and {{ left }}.line_key = {{ right }}.line_key
{%- endmacro %}

{#- Xero's marks of the accounts of currency gains that are in its reports alone, as a list. -#}
{% macro unrealised_gains() -%}
    'UNREALISEDCURRENCYGAIN', 'BANKCURRENCYGAIN'
{%- endmacro %}

{#- Xero's marks of the accounts of all currency gains, as a list. -#}
{% macro currency_gains() -%}
    'REALISEDCURRENCYGAIN', {{ unrealised_gains() }}
{%- endmacro %}

{#- The causes of several lines, each once; one that has no name spoils those that have. -#}
{% macro causes_united(cause) -%}
    case
        when bool_or({{ cause }} = 'OTHER') then 'OTHER'
        else string_agg(distinct {{ cause }}, ', ' order by {{ cause }})
    end
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
        null::numeric as broken_amount,
        null::text as cause
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
        end as broken_amount,
        cause
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

{#- Of every day's report the comparison that counts: the last one that was made with what the
    ledger is made of now. `wanted` chooses rows of `summary`. Journals know what documents do not,
    but no revaluation: of the days before they were read a comparison with documents counts for
    that alone (not `is_of_this_ledger`). -#}
{% macro comparisons_that_hold(wanted) -%}
    {%- set has_journals -%}
        case summary.basis when 'cash' then tenant.has_cash_journals else tenant.has_journals end
    {%- endset -%}
    select distinct on (compared.tenant_id, compared.basis, compared.report_date)
        compared.tenant_id,
        compared.basis,
        compared.report_date,
        compared.known_at,
        compared.is_of_this_ledger
    from (
        select
            summary.tenant_id,
            summary.basis,
            summary.report_date,
            summary.known_at,
            coalesce(summary.is_from_journals = {{ has_journals }}, true) as is_of_this_ledger,
            {{ has_journals }} and coalesce(
                summary.report_date < min(summary.report_date) filter (
                    where summary.is_from_journals
                ) over (partition by summary.tenant_id, summary.basis),
                true
            ) as is_before_journals
        from {{ ref('rpt_tie_out_summary') }} as summary
        inner join {{ ref('stg_xero__tenants') }} as tenant
            on summary.tenant_id = tenant.tenant_id
        where
            {{ wanted }}
            and summary.lines > summary.not_compared_lines
    ) as compared
    where compared.is_of_this_ledger or compared.is_before_journals
    order by compared.tenant_id, compared.basis, compared.report_date, compared.known_at desc
{%- endmacro %}
