{#- CTEs have no statistics: taken for single rows, they would be walked row by row. -#}
{{ config(materialized='table', pre_hook="set local enable_nestloop = off") }}

with

lines as (
    select * from {{ ref('int_trial_balance_lines_judged') }}
),

-- What is broken of a line is no cause's.
possible as (
    {%- set amount = 'lines.difference - coalesce(lines.part_amount, 0)' %}
    {{ tie_out_candidates('lines', amount, wanted=amount ~ ' <> 0') }}
),

-- Whether a cause can have posted an amount: on that side of the account, and as much. What is left
-- over when a bank is reconciled may come and go between banks, in small money.
fitting as (
    select
        *,
        case
            when is_debited and amount < 0 then false
            when is_credited and amount > 0 then false
            when is_slight
                then abs(amount)
                    <= abs(coalesce(sum(amount) filter (where is_anchor) over by_cause, 0)) + 1
            else true
        end as is_fitting,
        bool_or(is_anchor) over by_line and not is_anchor as is_other_anchor
    from possible
    window
        by_cause as (partition by tenant_id, report_id, known_at, measure, cause),
        by_line as (partition by tenant_id, report_id, known_at, measure, line_key)
),

sets as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        cause,
        bool_or(is_anchor or is_seen) as is_present,
        sum(amount) = 0 and not bool_or(is_other_anchor) as is_alone,
        count(*) as lines
    from fitting
    group by tenant_id, report_id, known_at, measure, cause
),

-- A set that balances by itself is explained by itself, unless the mark of another cause is in it:
-- a conversion touches nearly everything. Smaller ones first, so that what a narrow cause explains
-- is not ascribed to a wide one.
alone as (
    select
        fitting.tenant_id,
        fitting.report_id,
        fitting.known_at,
        fitting.measure,
        fitting.line_key,
        (
            array_agg(fitting.cause order by sets.lines, fitting.cause)
            filter (where fitting.is_fitting)
        )[1] as cause
    from fitting
    inner join sets
        on
            fitting.tenant_id = sets.tenant_id
            and fitting.report_id = sets.report_id
            and fitting.known_at = sets.known_at
            and fitting.measure = sets.measure
            and fitting.cause = sets.cause
    where
        sets.is_present
        and sets.is_alone
    group by
        fitting.tenant_id, fitting.report_id, fitting.known_at, fitting.measure,
        fitting.line_key
),

-- Several causes meet on one account, a bank, say: they are named together, if what is left of
-- all their accounts balances, and where one of them can have posted the amount.
together as (
    select
        fitting.tenant_id,
        fitting.report_id,
        fitting.known_at,
        fitting.measure,
        fitting.line_key,
        fitting.amount,
        bool_or(fitting.is_fitting) as is_fitting,
        string_agg(fitting.cause, ', ' order by fitting.cause) as cause
    from fitting
    inner join sets
        on
            fitting.tenant_id = sets.tenant_id
            and fitting.report_id = sets.report_id
            and fitting.known_at = sets.known_at
            and fitting.measure = sets.measure
            and fitting.cause = sets.cause
            and sets.is_present
            and not sets.is_alone
    left join alone on {{ is_same_line('fitting', 'alone') }}
    where
        alone.line_key is null
    group by
        fitting.tenant_id, fitting.report_id, fitting.known_at, fitting.measure,
        fitting.line_key, fitting.amount
),

balanced as (
    select
        tenant_id,
        report_id,
        known_at,
        measure,
        line_key,
        cause,
        is_fitting,
        sum(amount) over (partition by tenant_id, report_id, known_at, measure) as left_over
    from together
),

named as (
    select
        lines.*,
        coalesce(
            alone.cause,
            case when balanced.left_over = 0 and balanced.is_fitting then balanced.cause end
        ) as named_cause
    from lines
    left join alone on {{ is_same_line('lines', 'alone') }}
    left join balanced on {{ is_same_line('lines', 'balanced') }}
),

explained as (
    select
        *,
        case
            when not is_comparable or difference = 0 then null
            when is_in_part then 'OTHER'
            else coalesce(named_cause, 'OTHER')
        end as cause
    from named
),

final as (
    select
        tenant_id,
        report,
        basis,
        report_date,
        known_at,
        is_comparable,
        measure,
        line_key,
        line_label,
        account_id,
        system_account,
        is_temporary,
        documents_amount,
        revaluation_amount,
        xero_amount,
        difference,
        -- Where its causes do not balance it is not known how much of it they are.
        case
            when coalesce(cause, '') <> 'OTHER' then 0
            when is_stray then part_amount
            when is_in_part and (named_cause is not null or difference = part_amount)
                then part_amount
            when not is_stirred then moved_amount
        end as broken_amount,
        cause
    from explained
    where not is_absent
)

select * from final
