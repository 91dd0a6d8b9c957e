{#- Read from the versions themselves, since staging's other tables know the current one alone. Made
    anew by every build, and holds no more than what this build appends elsewhere. -#}
{%- set compared = [
    'is_deleted', 'status', 'is_approved', 'document_date', 'currency_code', 'amount',
    'base_amount', 'quantity', 'measure', 'content',
] -%}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

runs as (
    select * from {{ source('xero_ops', 'extract_runs') }}
    where state = 'complete'
),

organisations as (
    select * from {{ source('xero_raw', 'organisations') }}
    where not is_deleted
),

option_names as (
    select
        tenant_id,
        jsonb_object_agg(
            concat_ws(':', tracking_category_id, tracking_option_name),
            first_tracking_option_id
        ) as option_names
    from {{ ref('stg_xero__tracking_option_names') }}
    group by tenant_id
),

{%- for endpoint in compared_endpoints() %}

{{ endpoint }} as not materialized (
    select * from {{ source('xero_raw', endpoint) }}
),
{%- endfor %}

complete as (
    select
        runs.tenant_id,
        runs.known_at,
        case when runs.closes_day then runs.day end as closed_day
    from runs
    inner join tenants
        on
            runs.tenant_id = tenants.tenant_id
            and runs.known_at <= tenants.known_at
),

-- What the first complete extraction found was there before: nobody knows since when.
spanned as (
    select
        tenants.tenant_id,
        tenants.known_at,
        tenants.timezone,
        tenants.base_currency_code,
        tenants.is_rebuilt,
        case when tenants.is_rebuilt then '-infinity' else tenants.built_known_at end
            as built_known_at,
        min(complete.known_at) as first_known_at,
        coalesce(
            (
                array_agg(complete.closed_day order by complete.known_at)
                filter (where complete.closed_day is not null)
            )[1],
            tenants.complete_day
        ) as first_closed_day
    from tenants
    inner join complete on tenants.tenant_id = complete.tenant_id
    group by
        tenants.tenant_id, tenants.known_at, tenants.timezone, tenants.base_currency_code,
        tenants.is_rebuilt, tenants.built_known_at, tenants.complete_day
),

spans as (
    select
        spanned.*,
        option_names.option_names
    from spanned
    left join option_names on spanned.tenant_id = option_names.tenant_id
),

{%- for endpoint in compared_endpoints() %}

-- Every version that was current at the last build or since, of records that moved since then.
{{ endpoint }}_moved as (
    select
        moved.tenant_id,
        moved.record_id
    from {{ endpoint }} as moved
    inner join spans
        on
            moved.tenant_id = spans.tenant_id
            and moved.known_from > spans.built_known_at
            and moved.known_from <= spans.known_at
            and not spans.is_rebuilt
    where {{ moved_lately('moved') }}
    group by moved.tenant_id, moved.record_id
),

{{ endpoint }}_found as (
    select
        record.*,
        spans.base_currency_code,
        spans.first_known_at,
        spans.option_names
    from spans
    inner join {{ endpoint }} as record
        on
            spans.tenant_id = record.tenant_id
            and spans.known_at >= record.known_from
    where
        spans.is_rebuilt
        {%- if endpoint not in counted_endpoints() %}
        and (record.known_from > spans.first_known_at or record.known_to is not null)
        {%- elif endpoint == 'bank_transactions' %}
        and (
            record.known_from > spans.first_known_at
            or record.known_to is not null
            or {{ xero_boolean('IsReconciled', 'record.payload') }} is not true
        )
        {%- endif %}
    union all
    select
        record.*,
        spans.base_currency_code,
        spans.first_known_at,
        spans.option_names
    from {{ endpoint }}_moved as moved
    inner join spans on moved.tenant_id = spans.tenant_id
    -- One by one through the index: the planner takes a third of the table for what moved.
    cross join lateral (
        select version.*
        from {{ endpoint }} as version
        where
            version.tenant_id = moved.tenant_id
            and version.record_id = moved.record_id
            and version.known_from <= spans.known_at
            and (version.known_to is null or version.known_to > spans.built_known_at)
        order by version.known_from
        offset 0
    ) as record
),

{{ endpoint }}_versions as (
    select
        tenant_id,
        '{{ endpoint }}' as endpoint,
        record_id,
        known_from,
        xero_updated_at,
        is_deleted,
        base_currency_code,
        {{ xero_version_columns(endpoint, 'base_currency_code') }},
        -- What never changed is compared with nothing.
        case
            when known_from > first_known_at or known_to is not null
                then {{ xero_version_content(endpoint) }}
        end as content
    from {{ endpoint }}_found
),
{%- endfor %}

united as (
    {%- for endpoint in compared_endpoints() %}
    select * from {{ endpoint }}_versions
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

converted as (
    select
        *,
        {{ to_base('amount', usable_rate('currency_code', 'currency_rate', 'base_currency_code')) }}
            as base_amount
    from united
),

paired as (
    select
        *,
        lag(known_from) over versions is not null as has_former,
        lag(xero_updated_at) over versions as former_updated_at,
        {%- for column in compared %}
        lag({{ column }}) over versions as former_{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from converted
    window versions as (partition by tenant_id, endpoint, record_id order by known_from)
),

-- The last day that was closed before a moment: an extraction does not close a day before itself.
timeline as (
    select
        tenant_id,
        known_from as moment,
        null::date as closed_day
    from paired
    group by tenant_id, known_from
    union all
    select
        tenant_id,
        known_at as moment,
        closed_day
    from complete
    where closed_day is not null
),

closed as (
    select
        tenant_id,
        moment,
        closed_day is null as is_version,
        max(closed_day) over (
            partition by tenant_id
            order by moment, closed_day nulls first
            rows between unbounded preceding and 1 preceding
        ) as closed_day
    from timeline
),

moments as (
    select
        closed.tenant_id,
        closed.moment,
        closed.closed_day,
        max(greatest(
            {{ xero_date('PeriodLockDate', 'organisations.payload') }},
            {{ xero_date('EndOfYearLockDate', 'organisations.payload') }}
        )) as lock_date
    from closed
    left join organisations
        on
            closed.tenant_id = organisations.tenant_id
            and closed.moment > organisations.known_from
            and (organisations.known_to is null or closed.moment <= organisations.known_to)
    where closed.is_version
    group by closed.tenant_id, closed.moment, closed.closed_day
),

final as (
    select
        paired.tenant_id,
        paired.known_from as known_at,
        paired.endpoint,
        paired.record_id,
        coalesce(moments.closed_day + 1, spans.first_closed_day) as open_day,
        -- Never a day that was closed already, so that a day's changes stay what they were.
        greatest(
            coalesce(moments.closed_day + 1, spans.first_closed_day),
            case
                when
                    paired.xero_updated_at
                    > coalesce(paired.former_updated_at, '-infinity'::timestamptz)
                    then
                        (
                            least(paired.xero_updated_at, paired.known_from)
                            at time zone spans.timezone
                        )::date
            end
        ) as day,
        moments.closed_day,
        moments.lock_date,
        paired.xero_updated_at as updated_at,
        paired.known_from > spans.first_known_at as is_change,
        paired.has_former,
        paired.is_leg,
        -- An old record that is listed for the first time is not new.
        (
            paired.known_from > spans.first_known_at
            and not paired.has_former
            and coalesce(paired.xero_updated_at > spans.first_known_at, true)
        ) as is_new,
        {%- for column in compared %}
        paired.{{ column }},
        paired.former_{{ column }}{{ ',' if not loop.last }}
        {%- endfor %}
    from paired
    inner join spans
        on
            paired.tenant_id = spans.tenant_id
            and paired.known_from > spans.built_known_at
    inner join moments
        on
            paired.tenant_id = moments.tenant_id
            and paired.known_from = moments.moment
)

select * from final
