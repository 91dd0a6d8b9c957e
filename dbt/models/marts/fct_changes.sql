{{ config(
    materialized='incremental',
    pre_hook="{{ forget_known_later() }}",
    indexes=[{'columns': ['tenant_id', 'day']}],
) }}

with

versions as (
    select * from {{ ref('stg_xero__compared_versions') }}
    where
        is_change
        and not is_leg
        and endpoint not in ('items', 'quotes', 'purchase_orders', 'repeating_invoices')
),

judged as (
    select
        *,
        is_approved and not is_deleted as is_approved_now,
        coalesce(former_is_approved and not former_is_deleted, false) as was_approved,
        coalesce(is_deleted or status = 'DELETED', false) as is_gone,
        coalesce(former_is_deleted or former_status in ('DELETED', 'VOIDED'), false) as was_gone,
        endpoint = 'contacts' as is_contact,
        (content is distinct from former_content) as is_other_content
    from versions
),

-- A record that was listed late, and one that came back, were there before.
compared as (
    select
        *,
        is_approved_now and not was_approved and (has_former or is_new) as is_entered,
        is_approved_now and was_approved and is_other_content as is_edited,
        was_approved and not is_approved_now as is_withdrawn
    from judged
),

changes as (
    select
        compared.*,
        change.change
    from compared
    cross join lateral (
        values
        (
            'back_dated',
            (
                compared.is_entered
                or (
                    compared.is_edited
                    and compared.document_date is distinct from compared.former_document_date
                )
            )
            and compared.document_date <= compared.closed_day
        ),
        ('changed_after_approval', compared.is_edited),
        (
            'voided',
            compared.status = 'VOIDED'
            and not compared.is_deleted
            and ((compared.has_former and not compared.was_gone) or compared.is_new)
        ),
        (
            'deleted',
            compared.is_gone
            and not compared.is_contact
            and ((compared.has_former and not compared.was_gone) or compared.is_new)
        ),
        (
            'edited_in_locked_period',
            (
                (compared.was_approved and compared.former_document_date <= compared.lock_date)
                or (compared.is_approved_now and compared.document_date <= compared.lock_date)
            )
            and (compared.is_entered or compared.is_edited or compared.is_withdrawn)
        ),
        (
            'bank_details_changed',
            compared.is_contact
            and compared.has_former
            and not compared.is_deleted
            and compared.is_other_content
        ),
        ('new_contact', compared.is_contact and compared.is_new and not compared.is_deleted)
    ) as change (change, is_met)
    where change.is_met
),

final as (
    select
        tenant_id,
        known_at,
        endpoint,
        record_id,
        change,
        day,
        updated_at,
        former_status,
        status,
        former_document_date,
        document_date,
        closed_day,
        lock_date,
        coalesce(currency_code, 'XXX') as currency_code,
        former_amount,
        case when is_gone or status = 'VOIDED' then 0 else amount end as amount,
        former_base_amount,
        case when is_gone or status = 'VOIDED' then 0 else base_amount end as base_amount
    from changes
)

select * from final
