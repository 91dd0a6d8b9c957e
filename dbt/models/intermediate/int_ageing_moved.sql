with

documents as (
    select * from {{ ref('int_documents_converted') }}
    where is_counted
),

settlements as (
    select * from {{ ref('int_settlements_dated') }}
),

closed as (
    select * from {{ ref('int_documents_closed') }}
),

-- Pieces of what is owed: a document adds its total, each settlement takes its part away.
united as (
    select
        tenant_id,
        document_id,
        ledger,
        currency_code,
        due_date,
        expected_date,
        document_date as effective_date,
        total_amount as amount,
        total_base_amount as base_amount
    from documents
    where document_kind = 'invoice'
    union all
    select
        tenant_id,
        document_id,
        ledger,
        currency_code,
        due_date,
        expected_date,
        settled_date as effective_date,
        -amount as amount,
        -base_amount as base_amount
    from settlements
    where document_kind = 'invoice'
),

pieces as (
    select
        united.tenant_id,
        united.document_id,
        united.ledger,
        united.currency_code,
        -- Without a due date nothing is ever overdue.
        coalesce(united.due_date, 'infinity'::date) as due_date,
        coalesce(united.expected_date, 'infinity'::date) as expected_date,
        united.effective_date,
        united.amount,
        united.base_amount,
        -- Once settled to zero, the pieces would only carry a nought from bucket to bucket.
        case when closed.is_settled_to_zero then closed.last_settled_date else 'infinity'::date end
            as last_date
    from united
    left join closed
        on
            united.tenant_id = closed.tenant_id
            and united.document_id = closed.document_id
),

-- Each piece enters the bucket of its day, and moves on whenever a boundary is crossed. No ordering
-- and no row per document and day: sums of these movements are the buckets of any day. The days
-- ahead overlap: what is expected within 7 days is within 30, too.
final as (
    select
        pieces.tenant_id,
        pieces.document_id,
        pieces.currency_code,
        pieces.ledger || '_' || bucket.bucket_name as measure,
        movement.event_date,
        0 as event_count,
        movement.sign * pieces.amount as amount,
        movement.sign * pieces.base_amount as base_amount
    from pieces
    cross join lateral (
        values
        ('not_due', '-infinity'::date, pieces.due_date + 1),
        ('overdue_1_30', pieces.due_date + 1, pieces.due_date + 31),
        ('overdue_31_60', pieces.due_date + 31, pieces.due_date + 61),
        ('overdue_61_90', pieces.due_date + 61, pieces.due_date + 91),
        ('overdue_91_plus', pieces.due_date + 91, 'infinity'::date),
        -- Not an age: at the close of a day, the days after it in which the money is expected.
        {%- for days in expected_days() %}
        (
            'expected_in_{{ days }}_days',
            pieces.expected_date - {{ days }},
            pieces.expected_date
        ){{ ',' if not loop.last }}
        {%- endfor %}
    ) as bucket (bucket_name, first_day, next_bucket_day)
    cross join lateral (
        values
        (1, greatest(pieces.effective_date, bucket.first_day)),
        (-1, bucket.next_bucket_day)
    ) as movement (sign, event_date)
    where
        pieces.effective_date < bucket.next_bucket_day
        and movement.event_date < 'infinity'::date
        and movement.event_date <= pieces.last_date
)

select * from final
