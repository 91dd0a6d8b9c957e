{{ config(
    materialized='incremental',
    incremental_strategy='renew_changed',
    unique_key=['tenant_id', 'contact_id'],
) }}
-- depends_on: {{ ref('stg_xero__tenants') }}, of which a hook asks

with

contacts as not materialized (
    select * from {{ ref('stg_xero__contacts') }}
),

contact_groups as (
    select * from {{ ref('stg_xero__contact_groups') }}
),

-- Names come from the groups: a contact keeps the old name of a group until it changes itself.
grouped as (
    select
        contacts.tenant_id,
        contacts.contact_id,
        string_agg(
            contact_groups.contact_group_name, ', ' order by contact_groups.contact_group_name
        ) as contact_group_names
    from contacts
    cross join lateral jsonb_array_elements_text(contacts.contact_group_ids) as listed (group_id)
    inner join contact_groups
        on
            contacts.tenant_id = contact_groups.tenant_id
            and listed.group_id = contact_groups.contact_group_id
    group by contacts.tenant_id, contacts.contact_id
),

final as (
    select
        contacts.tenant_id,
        contacts.contact_id,
        contacts.merged_to_contact_id,
        contacts.contact_name,
        contacts.contact_number,
        contacts.account_number,
        contacts.first_name,
        contacts.last_name,
        contacts.email_address,
        contacts.status,
        contacts.default_currency_code,
        {{ where_switched_on('tax_numbers', 'contacts.tax_number') }},
        {{ where_switched_on('bank_account_numbers', 'contacts.bank_account_number') }},
        {{ where_switched_on('bank_account_numbers', 'contacts.batch_payment_account_number') }},
        {{ where_switched_on('bank_account_numbers', 'contacts.batch_payment_account_name') }},
        contacts.is_customer,
        contacts.is_supplier,
        grouped.contact_group_names,
        contacts.updated_at
    from contacts
    left join grouped
        on
            contacts.tenant_id = grouped.tenant_id
            and contacts.contact_id = grouped.contact_id
)

select * from final
