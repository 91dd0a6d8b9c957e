{{ config(
    materialized='incremental',
    incremental_strategy='renew_postings',
    pre_hook="{{ forget_rebuilt() }}",
    indexes=posting_indexes(),
) }}

-- Of the documents touched it renews postings, and it notes the days that moved.
-- depends_on: {{ ref('int_documents_touched') }}
-- depends_on: {{ ref('int_account_days_moved') }}
with

charts as (
    select * from {{ ref('int_charts_keyed') }}
),

documents as (
    select * from {{ ref('int_documents_posted') }}
),

settlements as (
    select * from {{ ref('int_settlements_posted') }}
),

transfers as (
    select * from {{ ref('int_transfers_posted') }}
),

journals as (
    select * from {{ ref('int_journals_posted') }}
),

by_documents as (
    select {{ posting_columns() }}
    from documents
    union all
    select {{ posting_columns() }}
    from settlements
    union all
    select {{ posting_columns() }}
    from transfers
),

-- One builder a tenant: its own Journals where it has them, its documents otherwise. What reports
-- alone know is compared with what is posted here, and so stands in fct_reported_movements.
united as (
    select {{ posting_columns('by_documents') }}
    from by_documents
    inner join charts
        on
            by_documents.tenant_id = charts.tenant_id
            and not charts.has_journals
    union all
    select {{ posting_columns('journals') }}
    from journals
    inner join charts
        on
            journals.tenant_id = charts.tenant_id
            and charts.has_journals
),

final as (
    select {{ posting_columns() }}
    from united
)

select * from final
