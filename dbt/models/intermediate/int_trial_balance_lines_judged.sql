with

lines as not materialized (
    select * from {{ ref('int_trial_balance_lines_traced') }}
),

-- A line that differs in nothing and did not move stirs no cause, and is broken by none.
candidates as (
    {{ tie_out_candidates(
        'lines',
        amount='lines.moved_amount',
        wanted='(lines.difference <> 0 or lines.moved_amount is distinct from 0)',
    ) }}
),

-- Money that went from one bank account to another is no cause's.
stirred as (
    select
        *,
        bool_or(is_mover and amount is null) over by_cause
        or bool_or(is_anchor and amount <> 0) over by_cause
        or sum(amount) filter (where is_mover and not is_anchor) over by_cause <> 0
            as is_stirred
    from candidates
    window by_cause as (partition by tenant_id, report_id, known_at, measure, cause)
),

lines_stirred as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key,
        coalesce(bool_or(is_stirred), false) as is_stirred
    from stirred
    group by tenant_id, report_id, known_at, measure, line_key
),

-- A line that moved while none of its causes did. Documents that moved the other way may have taken
-- over what its level had: an edit that slipped in beside a cause, and was read now.
unstirred as (
    select
        lines.tenant_id,
        lines.report_id,
        lines.known_at,
        lines.measure,
        lines.line_key,
        lines.moved_amount,
        lines.former_broken_amount = 0
        and sign(lines.late_amount) = -sign(lines.moved_amount) as is_taken_over
    from lines
    inner join lines_stirred on {{ is_same_line('lines', 'lines_stirred') }}
    where
        lines.moved_amount <> 0
        and not lines_stirred.is_stirred
),

counted as (
    select
        *,
        sum(moved_amount) filter (where is_taken_over)
            over (partition by tenant_id, report_id, known_at, measure) as taken_over_amount
    from unstirred
),

-- What documents took over sums to zero. Any other line has another cause, as where an account was
-- changed for another of the same kind.
strays as (
    select * from counted
    where not is_taken_over or taken_over_amount <> 0
),

-- What was broken and is not as it was before: where a cause has moved, too, it is in the cause's
-- new level, unless documents have moved by it since.
lasting as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key,
        former_broken_amount,
        sign(late_amount) = sign(former_broken_amount) as is_mended
    from lines
    where
        is_comparable
        and former_broken_amount <> 0
        and moved_amount <> 0
),

weighed as (
    select
        *,
        coalesce(sum(former_broken_amount) filter (where not is_mended) over by_report, 0)
            as unmended_amount,
        sum(former_broken_amount) over by_report as lasting_amount
    from lasting
    window by_report as (partition by tenant_id, report_id, known_at, measure)
),

-- What of a line is broken. What lasts of an edit sums to zero, as the edit did: where it would not
-- for want of lines of which documents have moved for another reason, they are broken, too.
parts as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key,
        moved_amount as broken_amount,
        true as is_stray
    from strays
    union all
    select
        weighed.tenant_id,
        weighed.report_id,
        weighed.known_at,
        weighed.measure,
        weighed.line_key,
        weighed.former_broken_amount as broken_amount,
        false as is_stray
    from weighed
    inner join lines_stirred
        on
            {{ is_same_line('weighed', 'lines_stirred') }}
            and lines_stirred.is_stirred
    where
        (weighed.unmended_amount = 0 and not weighed.is_mended)
        or (weighed.unmended_amount <> 0 and weighed.lasting_amount = 0)
),

final as (
    select
        lines.*,
        coalesce(lines_stirred.is_stirred, false) as is_stirred,
        parts.line_key is not null as is_in_part,
        parts.is_stray,
        parts.broken_amount as part_amount
    from lines
    left join lines_stirred on {{ is_same_line('lines', 'lines_stirred') }}
    left join parts on {{ is_same_line('lines', 'parts') }}
)

select * from final
