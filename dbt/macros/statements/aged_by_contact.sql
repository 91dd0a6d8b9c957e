{#- What each contact owes (`ledger` receivables) or is owed (payables) at any day, by days past
    due; what was paid for documents of a later date, which Xero's aged reports do not list; the
    control account (`system_account`) adds what reports alone know of it, which is
    nobody's in particular. -#}
{% macro aged_by_contact(ledger, system_account) %}
with

days as not materialized (
    select * from {{ ref('dim_dates') }}
),

documents as (
    select * from {{ ref('fct_outstanding_documents') }}
    where ledger = '{{ ledger }}'
),

contacts as (
    select * from {{ ref('dim_contacts') }}
),

lines as (
    select * from {{ ref('dim_statement_lines') }}
    where system_account = '{{ system_account }}'
),

balances as not materialized (
    select * from {{ ref('fct_account_balances') }}
),

open_documents as (
    select
        days.tenant_id,
        days.day,
        days.is_month_end and days.is_known as is_month_end,
        documents.contact_id,
        case documents.document_kind when 'paid_ahead' then 'paid_ahead' else 'contact' end
            as line,
        documents.document_kind = 'invoice' as is_invoice,
        -- Without a due date nothing is ever overdue.
        case
            when coalesce(documents.due_date, days.day) >= days.day then 'not_due'
            when days.day - documents.due_date <= 30 then 'overdue_1_30'
            when days.day - documents.due_date <= 60 then 'overdue_31_60'
            when days.day - documents.due_date <= 90 then 'overdue_61_90'
            else 'overdue_91_plus'
        end as bucket,
        documents.outstanding_base_amount as base_amount
    from days
    inner join documents
        on
            days.tenant_id = documents.tenant_id
            and days.day >= documents.day
            and days.day < documents.next_day
),

by_contact as (
    select
        tenant_id,
        day,
        is_month_end,
        line,
        contact_id,
        {%- for bucket in ageing_buckets() %}
        coalesce(
            sum(base_amount) filter (where is_invoice and bucket = '{{ bucket }}'), 0
        ) as {{ bucket }}_amount,
        {%- endfor %}
        coalesce(sum(base_amount) filter (where is_invoice), 0) as outstanding_amount,
        -coalesce(
            sum(base_amount) filter (where not is_invoice and line = 'contact'), 0
        ) as unapplied_credit_amount,
        coalesce(sum(base_amount), 0) as documents_amount
    from open_documents
    group by tenant_id, day, is_month_end, line, contact_id
),

control as (
    select
        days.tenant_id,
        days.day,
        days.is_month_end and days.is_known as is_month_end,
        lines.account_id,
        'accrual' as basis,
        lines.presentation_sign
    from days
    inner join lines on days.tenant_id = lines.tenant_id
),

united as (
    select
        by_contact.tenant_id,
        by_contact.day,
        by_contact.is_month_end,
        by_contact.line,
        coalesce(by_contact.contact_id, '') as contact_id,
        contacts.contact_name,
        {%- for bucket in ageing_buckets() %}
        by_contact.{{ bucket }}_amount,
        {%- endfor %}
        by_contact.outstanding_amount,
        by_contact.unapplied_credit_amount,
        by_contact.documents_amount,
        0::numeric as revaluation_amount,
        0::numeric as unexplained_amount
    from by_contact
    left join contacts
        on
            by_contact.tenant_id = contacts.tenant_id
            and by_contact.contact_id = contacts.contact_id
    union all
    select
        control.tenant_id,
        control.day,
        control.is_month_end,
        'control_account' as line,
        '' as contact_id,
        null as contact_name,
        {%- for bucket in ageing_buckets() %}
        0::numeric as {{ bucket }}_amount,
        {%- endfor %}
        0::numeric as outstanding_amount,
        0::numeric as unapplied_credit_amount,
        0::numeric as documents_amount,
        control.presentation_sign * now.revaluation_closing_amount as revaluation_amount,
        control.presentation_sign * now.unexplained_closing_amount as unexplained_amount
    from control
    inner join {{ balance_at('control', 'control.day') }} as now on true
    where
        now.revaluation_closing_amount <> 0
        or now.unexplained_closing_amount <> 0
),

final as (
    select
        tenant_id,
        day,
        line,
        contact_id,
        contact_name,
        is_month_end,
        {%- for bucket in ageing_buckets() %}
        {{ bucket }}_amount,
        {%- endfor %}
        outstanding_amount,
        unapplied_credit_amount,
        documents_amount,
        revaluation_amount,
        unexplained_amount,
        documents_amount + revaluation_amount + unexplained_amount as amount
    from united
)

select * from final
{% endmacro %}
