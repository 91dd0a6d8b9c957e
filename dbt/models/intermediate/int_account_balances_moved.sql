{#- Made again is what says something else than in the last build, not what was merely touched: an
    old invoice that is edited without moving money would have every balance since written anew. -#}
{{ config(
    materialized='table',
    indexes=[{'columns': ['tenant_id', 'basis', 'account_id'], 'unique': true}],
) }}

with

tenants as (
    select * from {{ ref('stg_xero__tenants') }}
),

touched as (
    select * from {{ ref('int_account_days_moved') }}
),

charts as (
    select * from {{ ref('dim_accounts') }}
),

tie_out as (
    select * from {{ ref('rpt_tie_out') }}
    where
        status <> 'not_compared'
        and (
            (report = 'TrialBalance' and measure = 'balance')
            or (report = 'ProfitAndLoss' and basis = 'cash')
        )
),

healed as (
    select * from {{ ref('int_levels_healed') }}
),

account_days as not materialized (
    select * from {{ ref('int_account_days_summed') }}
),

levels as not materialized (
    select * from {{ ref('int_account_levels_moved') }}
),

amounts as not materialized (
    select * from {{ ref('int_account_amounts_moved') }}
),

kept as not materialized (
    {{ balances_before_this_build() }}
),

-- A report compared since the last good build moves the levels of its day and of every day after
-- it, those of accounts that it no longer names, too.
levelled as (
    select
        tie_out.tenant_id,
        tie_out.basis,
        min(tie_out.report_date) as touched_day
    from tie_out
    inner join tenants
        on
            tie_out.tenant_id = tenants.tenant_id
            and tie_out.known_at > tenants.built_known_at
            and not tenants.is_rebuilt
    group by tie_out.tenant_id, tie_out.basis
),

retained as (
    select
        tenant_id,
        account_id
    from charts
    where system_account = 'RETAINEDEARNINGS'
),

names as (
    select
        tie_out.tenant_id,
        tie_out.basis,
        tie_out.line_key as account_id
    from tie_out
    inner join levelled
        on
            tie_out.tenant_id = levelled.tenant_id
            and tie_out.basis = levelled.basis
    where
        tie_out.difference <> 0
        or tie_out.revaluation_amount <> 0
    group by tie_out.tenant_id, tie_out.basis, tie_out.line_key
    union
    -- What closed years leave moves retained earnings, named or not.
    select
        levelled.tenant_id,
        levelled.basis,
        coalesce(charts.account_id, 'RETAINEDEARNINGS') as account_id
    from levelled
    left join charts
        on
            levelled.tenant_id = charts.tenant_id
            and charts.system_account = 'RETAINEDEARNINGS'
    union
    -- The profit and loss on cash basis has all currency gains in one line, and no other side.
    select
        levelled.tenant_id,
        levelled.basis,
        accounts.account_id
    from levelled
    left join charts
        on
            levelled.tenant_id = charts.tenant_id
            and charts.system_account = 'BANKCURRENCYGAIN'
    cross join lateral (values (''), (charts.account_id)) as accounts (account_id)
    where
        levelled.basis = 'cash'
        and accounts.account_id is not null
),

-- Levels of these may end by a document that moves another account of theirs alone.
broken as (
    select
        tenant_id,
        basis,
        line_key as account_id
    from tie_out
    where
        report = 'TrialBalance'
        and status = 'broken'
    group by tenant_id, basis, line_key
),

touched_days as (
    select
        touched.tenant_id,
        touched.basis,
        touched.account_id,
        touched.day
    from touched
    inner join tenants
        on
            touched.tenant_id = tenants.tenant_id
            and not tenants.is_rebuilt
    group by touched.tenant_id, touched.basis, touched.account_id, touched.day
),

keys as (
    -- A day with documents has a row, even if they sum to nothing.
    select
        touched_days.tenant_id,
        touched_days.basis,
        touched_days.account_id,
        touched_days.day
    from touched_days
    left join account_days
        on
            touched_days.tenant_id = account_days.tenant_id
            and touched_days.basis = account_days.basis
            and touched_days.account_id = account_days.account_id
            and touched_days.day = account_days.day
    left join kept
        on
            touched_days.tenant_id = kept.tenant_id
            and touched_days.basis = kept.basis
            and touched_days.account_id = kept.account_id
            and touched_days.day = kept.day
    left join broken
        on
            touched_days.tenant_id = broken.tenant_id
            and touched_days.basis = broken.basis
            and touched_days.account_id = broken.account_id
    where
        account_days.tenant_id is null
        or kept.tenant_id is null
        or account_days.documents_amount <> kept.documents_amount
        or broken.tenant_id is not null
    union all
    select
        names.tenant_id,
        names.basis,
        names.account_id,
        levelled.touched_day as day
    from names
    inner join levelled
        on
            names.tenant_id = levelled.tenant_id
            and names.basis = levelled.basis
    union all
    -- A level that ends does so on its own day, which is earlier. Where a later night showed it
    -- before, the documents that moved since have touched its account.
    select
        healed.tenant_id,
        healed.basis,
        accounts.account_id,
        healed.report_date as day
    from healed
    inner join tenants
        on
            healed.tenant_id = tenants.tenant_id
            and healed.healed_at > tenants.built_known_at
            and not tenants.is_rebuilt
    left join retained on healed.tenant_id = retained.tenant_id
    cross join lateral (
        values
        (healed.account_id),
        (coalesce(retained.account_id, 'RETAINEDEARNINGS'))
    ) as accounts (account_id)
),

-- Of tenants made anew every account. Asked tenant by tenant: joined, the amounts of all of them
-- would be added up.
rebuilt as (
    select firsts.*
    from tenants
    cross join lateral (
        select
            amounts.tenant_id,
            amounts.basis,
            amounts.account_id,
            min(amounts.day) as touched_day
        from amounts
        where tenants.tenant_id = amounts.tenant_id
        group by amounts.tenant_id, amounts.basis, amounts.account_id
    ) as firsts
    where tenants.is_rebuilt
),

firsts as (
    select
        tenant_id,
        basis,
        account_id,
        min(day) as touched_day
    from keys
    group by tenant_id, basis, account_id
    union all
    select
        tenant_id,
        basis,
        account_id,
        touched_day
    from rebuilt
),

{%- set origins = {'account_days': ['documents'], 'levels': ['revaluation', 'unexplained']} %}

-- The balance before the first day that moved stays, but the day after it may be another now: it
-- is made again, too. Documents and levels are asked apart, through their indexes: together they
-- would be grouped by day first, all days of each account.
begun as (
    select
        firsts.tenant_id,
        firsts.basis,
        firsts.account_id,
        coalesce(
            greatest(former_account_days.day, former_levels.day), firsts.touched_day
        ) as first_day
    from firsts
    {%- for origin in origins %}
    left join lateral (
        select {{ origin }}.day
        from {{ origin }}
        where
            firsts.tenant_id = {{ origin }}.tenant_id
            and firsts.basis = {{ origin }}.basis
            and firsts.account_id = {{ origin }}.account_id
            and firsts.touched_day > {{ origin }}.day
        order by {{ origin }}.day desc
        limit 1
    ) as former_{{ origin }} on true
    {%- endfor %}
),

final as (
    select
        begun.tenant_id,
        begun.basis,
        begun.account_id,
        begun.first_day,
        coalesce(sum_of_account_days.documents_amount, 0) as documents_opening_amount,
        coalesce(sum_of_levels.revaluation_amount, 0) as revaluation_opening_amount,
        coalesce(sum_of_levels.unexplained_amount, 0) as unexplained_opening_amount
    from begun
    {%- for origin, parts in origins.items() %}
    left join lateral (
        select
            {%- for part in parts %}
            sum({{ origin }}.{{ part }}_amount) as {{ part }}_amount{{ ',' if not loop.last }}
            {%- endfor %}
        from {{ origin }}
        where
            begun.tenant_id = {{ origin }}.tenant_id
            and begun.basis = {{ origin }}.basis
            and begun.account_id = {{ origin }}.account_id
            and begun.first_day > {{ origin }}.day
    ) as sum_of_{{ origin }} on true
    {%- endfor %}
)

select * from final
