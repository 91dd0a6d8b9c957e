{#- The ledger of each basis. -#}
{% macro ledgers_by_basis() -%}
    {{ return({'accrual': 'fct_ledger_postings', 'cash': 'fct_cash_basis_postings'}) }}
{%- endmacro %}

{#- Pre-hook of int_account_days_summed: the days that moved are forgotten. -#}
{% macro forget_account_days() -%}
    {%- set moved_days = ref('int_account_days_moved') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        delete from {{ this }} as kept
        using {{ moved_days }} as moved
        where
            kept.tenant_id = moved.tenant_id
            and kept.basis = moved.basis
            and kept.account_id = moved.account_id
            and kept.day = moved.day
    {%- endif -%}
{%- endmacro %}

{#- Pre-hook of what is noted until a build went well. -#}
{% macro forget_good_builds() -%}
    {%- set tenants = ref('stg_xero__tenants') -%}
    {%- if is_made_anew() -%}
        {{ require_whole_build() }}
    {%- else -%}
        {{ forget_tenants() }};
        delete from {{ this }} as kept
        using {{ tenants }} as tenant
        where
            kept.tenant_id = tenant.tenant_id
            and kept.known_at <= tenant.built_known_at
    {%- endif -%}
{%- endmacro %}

{#- The first day of each ledger, accrual or cash, or of what reports alone know: manual journals,
    transfers and payroll are days of an organisation, too, and no documents. -#}
{% macro ledger_first_days() -%}
    select
        tenant_id,
        min(day) as first_day
    from (
        select
            tenant_id,
            day
        from {{ ref('int_ledger_days_summed') }}
        union all
        select
            tenant_id,
            day
        from {{ ref('int_account_levels_moved') }}
    ) as ledger_days
    group by tenant_id
{%- endmacro %}

{#- Lateral joins, `own` and `closed`, with what documents say by now of a line of an earlier trial
    balance, counted as int_report_lines_compared counted it then. `line` is a relation with
    tenant_id, basis, first_day (from which the line counts), last_day (of the report), is_retained
    (it shows what closed years left) and year_start_date; lines that are not `wanted` are left out.
    Reads the CTEs account_days and charts. -#}
{% macro join_documents_by_now(line, account_id, wanted='true') -%}
    left join lateral (
        select sum(account_days.documents_amount) as amount
        from account_days
        where
            {{ wanted }}
            and {{ line }}.tenant_id = account_days.tenant_id
            and {{ line }}.basis = account_days.basis
            and {{ line }}.{{ account_id }} = account_days.account_id
            and {{ line }}.first_day <= account_days.day
            and {{ line }}.last_day >= account_days.day
    ) as own on true
    left join lateral (
        select sum(account_days.documents_amount) as amount
        from account_days
        inner join charts
            on
                account_days.tenant_id = charts.tenant_id
                and account_days.account_id = charts.account_id
                and charts.is_temporary
        where
            {{ wanted }}
            and {{ line }}.is_retained
            and {{ line }}.tenant_id = account_days.tenant_id
            and {{ line }}.basis = account_days.basis
            and {{ line }}.year_start_date > account_days.day
    ) as closed on true
{%- endmacro %}
