{{ config(
    materialized='incremental',
    pre_hook="{{ forget_moved('purchase_orders', 'purchase_order_id') }}",
    indexes=[{'columns': ['tenant_id', 'purchase_order_id'], 'unique': true}],
) }}

with

source as (
    {{ xero_records('purchase_orders') }}
),

renamed as (
    select
        tenant_id,
        record_id as purchase_order_id,
        {{ xero_code(['Contact', 'ContactID']) }} as contact_id,
        {{ xero_text(['Contact', 'Name']) }} as contact_name,
        {{ xero_code('Status') }} as status,
        {{ xero_text('PurchaseOrderNumber') }} as purchase_order_number,
        {{ xero_text('Reference') }} as reference,
        {{ xero_code('BrandingThemeID') }} as branding_theme_id,
        {{ xero_code('LineAmountTypes') }} as line_amount_types,
        {{ xero_currency('CurrencyCode') }} as currency_code,
        base_currency_code,
        {{ xero_number('CurrencyRate') }} as currency_rate,
        {{ xero_date('Date') }} as purchase_order_date,
        {{ xero_date('DeliveryDate') }} as delivery_date,
        {{ xero_date('ExpectedArrivalDate') }} as expected_arrival_date,
        {{ xero_number('SubTotal') }} as net_amount,
        {{ xero_number('TotalTax') }} as tax_amount,
        {{ xero_number('Total') }} as total_amount,
        {{ xero_number('TotalDiscount') }} as discount_amount,
        {{ xero_text('AttentionTo') }} as attention_to,
        {{ xero_text('Telephone') }} as telephone,
        {{ xero_text('DeliveryAddress') }} as delivery_address,
        {{ xero_text('DeliveryInstructions') }} as delivery_instructions,
        {{ xero_boolean('SentToContact') }} as is_sent_to_contact,
        {{ xero_boolean('HasAttachments') }} as has_attachments,
        {{ xero_list('LineItems') }} as line_items,
        xero_updated_at as updated_at
    from source
),

final as (
    select
        tenant_id,
        purchase_order_id,
        contact_id,
        contact_name,
        status,
        coalesce(status in ('AUTHORISED', 'BILLED'), false) as is_approved,
        purchase_order_number,
        reference,
        branding_theme_id,
        line_amount_types,
        coalesce(currency_code, 'XXX') as currency_code,
        {{ usable_rate('currency_code', 'currency_rate', 'base_currency_code') }} as currency_rate,
        purchase_order_date,
        delivery_date,
        expected_arrival_date,
        net_amount,
        tax_amount,
        total_amount,
        discount_amount,
        attention_to,
        telephone,
        delivery_address,
        delivery_instructions,
        coalesce(is_sent_to_contact, false) as is_sent_to_contact,
        coalesce(has_attachments, false) as has_attachments,
        line_items,
        updated_at
    from renamed
)

select * from final
