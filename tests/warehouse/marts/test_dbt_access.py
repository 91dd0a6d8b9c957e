"""Who reads which rows of the marts: real logins, members of bi_reader, on every mart there is.

Knows the roles, the mapping (xero_ops.reader_tenants) and the catalogue; must not know what a model
computes. What a reader sees is held against what the owner, who sees everything, sees of the same
organisations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import errors as postgres
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.warehouse.marts.loaded import DBT, Built, Warehouse
from tests.warehouse.marts.pretend_books import LAST_DAY

PASSWORD = "of a test"
# Login → the organisations it is let read; the group itself none.
LOGINS: dict[str, tuple[str, ...]] = {
    "reader_of_one": ("every kind",),
    "reader_of_two": ("books", "twin"),
    "reader_of_none": (),
}
# One of each kind: swapped, renewed, appended to, and a view; with the views that read them, which
# a swap drops.
EACH_KIND = (
    *("dim_tenants", "rpt_bank_summary"),
    *("dim_tracking_options", "rpt_profit_and_loss_by_tracking"),
    "fct_quotes",
)
# Written once and kept: a full refresh renews their policies in a transaction of its own.
KEPT = [
    file.stem
    for file in (DBT / "models" / "marts").glob("*.sql")
    if "full_refresh=false" in file.read_text(encoding="utf-8")
]

RELATIONS = """
select
    class.relname::text,
    class.relkind::text,
    (
        select attname::text from pg_attribute
        where attrelid = class.oid and attname in ('day', 'month_end_date')
        order by attname limit 1
    )
from pg_class as class
where
    class.relnamespace = 'xero_marts'::regnamespace
    and class.relkind not in ('i', 'I', 'S', 't', 'c')
    and exists (
        select from pg_attribute where attrelid = class.oid and attname = 'tenant_id'
    )
order by class.relname
"""
# Whatever is neither a table with the policy nor a view that reads as who asks.
UNPROTECTED = """
select class.relname::text
from pg_class as class
left join pg_policy as policy
    on class.oid = policy.polrelid and policy.polname = 'readers_of_the_tenant'
left join pg_policy as policy_of_all
    on class.oid = policy_of_all.polrelid and policy_of_all.polname = 'readers_of_all'
where
    class.relnamespace = 'xero_marts'::regnamespace
    and class.relkind not in ('i', 'I', 'S', 't', 'c')
    and exists (
        select from pg_attribute where attrelid = class.oid and attname = 'tenant_id'
    )
    and not (
        class.relkind = 'r'
        and class.relrowsecurity
        and policy.polpermissive
        and policy.polroles = '{0}'
        and pg_get_expr(policy.polqual, class.oid) ~ 'readable_tenants'
        and policy_of_all.polroles = array['bi_reader_of_all'::regrole::oid]
        and 2 = (select count(*) from pg_policy where polrelid = class.oid)
        or class.relkind = 'v' and class.reloptions @> '{security_invoker=true}'
    )
"""
# Made by one transaction and protected, or opened to readers, by another.
MADE_AND_PROTECTED_APART = """
select class.relname::text
from pg_class as class
inner join pg_attribute as made on class.oid = made.attrelid and made.attnum = 1
left join pg_policy as policy on class.oid = policy.polrelid
where
    class.relnamespace = 'xero_marts'::regnamespace
    and class.relkind in ('r', 'v')
    and class.relname <> all(%s)
    and exists (
        select from pg_attribute where attrelid = class.oid and attname = 'tenant_id'
    )
    and coalesce(policy.xmin, class.xmin) <> made.xmin
"""
# Whatever a group of readers may use, or read, of a build beside the marts.
OPENED_BESIDE = """
select readers.rolname::text, class.relname::text
from pg_class as class
cross join pg_roles as readers
where
    class.relnamespace = 'xero_marts_beside'::regnamespace
    and class.relkind in ('r', 'v')
    and readers.rolname in ('bi_reader', 'bi_reader_of_all')
    and (
        has_table_privilege(readers.oid, class.oid, 'select')
        or has_schema_privilege(readers.oid, class.relnamespace, 'usage')
    )
"""
PROTECTED_BESIDE = """
select relname::text from pg_class
where
    relnamespace = 'xero_marts_beside'::regnamespace
    and (relrowsecurity or reloptions @> '{security_invoker=true}')
"""


@dataclass(frozen=True)
class Readers:
    """The built warehouse, and its logins."""

    warehouse: Warehouse

    def connect(self, login: str) -> psycopg.Connection[Any]:
        """A connection of one of them; each statement commits."""
        conninfo = make_conninfo(self.warehouse.dsn, user=login, password=PASSWORD)
        return psycopg.connect(conninfo, autocommit=True)

    def rows(self, login: str, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query that a login asks."""
        with self.connect(login) as connection:
            return connection.execute(query, parameters).fetchall()

    def tenants(self, login: str, *before: str) -> set[str]:
        """The names of the organisations whose rows a login sees, after some statements."""
        with self.connect(login) as connection:
            for statement in before:
                connection.execute(statement)
            rows = connection.execute("select tenant_id::text from xero_marts.dim_tenants")
            ids = {tenant_id for (tenant_id,) in rows}
        return {name for name, each in self.warehouse.tenants.items() if each.tenant_id in ids}

    def everything(self) -> set[str]:
        """The names of all organisations that were built."""
        return {name for name, each in self.warehouse.tenants.items() if each.is_complete}

    def let_read(self, role: str, *names: str) -> None:
        """Let a role read organisations."""
        with self.warehouse.connect() as connection:
            for name in names:
                connection.execute(
                    "insert into xero_ops.reader_tenants (reader_name, tenant_id) values (%s, %s)",
                    (role, self.warehouse.tenants[name].tenant_id),
                )

    def owner(self, statement: str) -> None:
        """Run a statement as the owner."""
        with self.warehouse.connect() as connection:
            connection.execute(statement)


@pytest.fixture(scope="module")
def readers(built: Built) -> Iterator[Readers]:
    """The logins, each with its organisations."""
    found = Readers(built.warehouse)
    for login, names in LOGINS.items():
        found.owner(f"create role {login} login password '{PASSWORD}' in role bi_reader")
        found.let_read(login, *names)
    yield found
    found.owner("delete from xero_ops.reader_tenants")
    for login in LOGINS:
        found.owner(f"drop role {login}")


@pytest.fixture
def role(readers: Readers) -> Iterator[str]:
    """One more login, without any right."""
    readers.owner(f"create role newcomer login password '{PASSWORD}'")
    yield "newcomer"
    readers.owner("delete from xero_ops.reader_tenants where reader_name = 'newcomer'")
    readers.owner("drop owned by newcomer")
    readers.owner("drop role newcomer")


def counted(readers: Readers, login: str | None) -> dict[str, dict[str, int]]:
    """How many rows of each organisation each mart shows; of views, on one day."""
    connection = readers.connect(login) if login else readers.warehouse.connect()
    with connection:
        relations = readers.warehouse.rows(RELATIONS)
        found: dict[str, dict[str, int]] = {}
        for name, kind, day_column in relations:
            query = sql.SQL("select tenant_id::text, count(*) from xero_marts.{}").format(
                sql.Identifier(name)
            )
            if kind == "v" and day_column:
                day = LAST_DAY if day_column == "day" else LAST_DAY.replace(month=10, day=31)
                query += sql.SQL(" where {} = {}").format(sql.Identifier(day_column), day)
            found[name] = dict(connection.execute(query + sql.SQL(" group by 1")).fetchall())
    return found


def differences(readers: Readers, login: str) -> dict[str, Any]:
    """Every mart that shows a login other rows than those of its organisations."""
    everything, seen = counted(readers, None), counted(readers, login)
    ids = {readers.warehouse.tenants[name].tenant_id for name in LOGINS[login]}
    theirs = {
        name: {tenant_id: count for tenant_id, count in counts.items() if tenant_id in ids}
        for name, counts in everything.items()
    }
    # Else there would be nothing to hide, and nothing to show.
    assert sum(len(counts) > 1 for counts in everything.values()) > 0.8 * len(everything)
    if ids:
        assert sum(bool(counts) for counts in theirs.values()) > 0.8 * len(everything)
    return {name: seen[name] for name in theirs if seen[name] != theirs[name]}


@pytest.mark.parametrize("login", ["reader_of_one", "reader_of_none"])
def test_a_reader_sees_all_rows_of_its_organisations_in_every_mart_and_no_other(readers, login):
    assert differences(readers, login) == {}


def test_every_mart_is_protected_by_the_transaction_that_made_it(marts):
    assert len(marts.rows(RELATIONS)) > 40
    assert marts.rows(UNPROTECTED) == []
    assert marts.rows(MADE_AND_PROTECTED_APART, KEPT) == []


@pytest.mark.parametrize(
    "how",
    [
        pytest.param(["--full-refresh", "--select", *EACH_KIND], id="some anew"),
        pytest.param([], id="all again", marks=pytest.mark.campaign),
        pytest.param(["--full-refresh"], id="all anew", marks=pytest.mark.campaign),
    ],
)
def test_the_next_build_shows_no_reader_more_or_less(readers, how):
    readers.warehouse.dbt("run", *how)
    assert readers.warehouse.rows(UNPROTECTED) == []
    assert readers.warehouse.rows(MADE_AND_PROTECTED_APART, KEPT) == []
    assert readers.tenants("reader_of_two") == {"books", "twin"}
    if "--select" not in how:
        assert differences(readers, "reader_of_one") == {}


def test_the_second_build_leaves_what_did_not_change_in_its_place_and_protected(readers):
    marts = readers.warehouse
    names = ("dim_contacts", "dim_tracking_options")
    views = (
        "select oid, relname from pg_class where relkind = 'v' and relname ~ '^rpt_'"
        " or relname in ('dim_tenants', 'fct_quotes')"
    )
    places = [f"select ctid::text, xmin::text from xero_marts.{name}" for name in names]
    with marts.connect() as connection:
        connection.execute("update xero_marts.dim_tracking_options set tracking_option_name = 'x'")
        connection.execute("delete from xero_marts.dim_contacts where contact_name like 'S%'")
    before = [sorted(marts.rows(query)) for query in [views, *places]]
    marts.dbt("run", "--select", *names, "dim_tenants", "fct_quotes")
    after = [sorted(marts.rows(query)) for query in [views, *places]]
    assert len(before[0]) > 10
    assert after[0] == before[0]
    # What was changed or missing is there again, and what was not has stayed.
    assert set(before[1]) < set(after[1])
    assert set(before[2]).isdisjoint(after[2])
    assert len(after[2]) == len(before[2])
    assert marts.rows(UNPROTECTED) == []
    assert marts.rows(MADE_AND_PROTECTED_APART, KEPT) == []
    assert readers.tenants("reader_of_two") == {"books", "twin"}


def test_the_owner_needs_no_permission(marts):
    with marts.connect() as connection:
        connection.execute("create role plain_owner nologin")
        connection.execute("grant usage on schema xero_marts to plain_owner")
        connection.execute("alter table xero_marts.dim_tenants owner to plain_owner")
        connection.execute("set role plain_owner")
        rows = connection.execute("select tenant_id::text from xero_marts.dim_tenants").fetchall()
        connection.rollback()
    assert {tenant_id for (tenant_id,) in rows} == {
        each.tenant_id for each in marts.tenants.values() if each.is_complete
    }


# --- The mapping ---------------------------------------------------------------------------------


def test_after_an_installation_a_member_of_bi_reader_reads_nothing(readers, role):
    readers.owner(f"grant bi_reader to {role}")
    assert readers.tenants(role) == set()


def test_whoever_is_no_member_of_bi_reader_reads_nothing_even_when_it_is_let(readers, role):
    readers.let_read(role, "books")
    with pytest.raises(postgres.InsufficientPrivilege):
        readers.tenants(role)


def test_a_reader_of_all_reads_every_organisation(readers, role):
    readers.owner(f"grant bi_reader_of_all to {role}")
    assert readers.tenants(role) == readers.everything()


def test_a_team_that_reads_everything_needs_one_grant(readers):
    readers.owner("grant bi_reader_of_all to bi_reader")
    try:
        assert readers.tenants("reader_of_none") == readers.everything()
    finally:
        readers.owner("revoke bi_reader_of_all from bi_reader")
    assert readers.tenants("reader_of_none") == set()


def test_what_a_group_may_read_all_its_members_read(readers):
    readers.let_read("bi_reader", "twin")
    try:
        assert readers.tenants("reader_of_none") == {"twin"}
        assert readers.tenants("reader_of_one") == {"every kind", "twin"}
    finally:
        readers.owner("delete from xero_ops.reader_tenants where reader_name = 'bi_reader'")


def test_a_pooled_login_reads_what_the_role_that_it_sets_reads(readers, role):
    readers.owner(f"alter role {role} noinherit")
    readers.owner(f"grant reader_of_one, reader_of_two to {role}")
    assert readers.tenants(role, "set role reader_of_one") == {"every kind"}
    assert readers.tenants(role, "set role reader_of_one", "set role reader_of_two") == {
        "books",
        "twin",
    }
    with pytest.raises(postgres.InsufficientPrivilege):
        readers.tenants(role)


def test_a_login_reads_what_all_roles_that_it_inherits_from_read(readers, role):
    readers.owner(f"grant reader_of_one, reader_of_two to {role}")
    assert readers.tenants(role) == {"every kind", "books", "twin"}


def test_a_prepared_query_follows_the_role(readers, role):
    names = ("reader_of_one", "bi_reader_of_all", "reader_of_two")
    readers.owner(f"grant {', '.join(names)} to {role}")
    with readers.connect(role) as connection:
        seen = {}
        connection.execute("prepare asked as select count(*) from xero_marts.dim_tenants")
        for _ in range(7):
            for name in names:
                connection.execute(f"set role {name}")
                (seen[name],) = connection.execute("execute asked").fetchone() or (0,)
    assert seen == {
        "reader_of_one": 1,
        "bi_reader_of_all": len(readers.everything()),
        "reader_of_two": 2,
    }


def test_taking_the_group_opens_nothing(readers):
    assert readers.tenants("reader_of_one", "set role bi_reader") == set()
    with pytest.raises(postgres.InsufficientPrivilege):
        readers.tenants("reader_of_one", "set role reader_of_two")
    with pytest.raises(postgres.InsufficientPrivilege):
        readers.tenants("reader_of_one", "set session authorization reader_of_two")


def test_a_role_that_is_gone_disturbs_nobody(readers):
    readers.let_read("who_has_left", "books")
    assert readers.tenants("reader_of_one") == {"every kind"}


# --- Ways around it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        "xero_intermediate.int_documents_converted",
        "xero_ops.grants",
        "xero_ops.readable_tenants",
        "xero_ops.reader_tenants",
        "xero_raw.invoices",
        "xero_staging.stg_xero__tenants",
    ],
)
def test_a_reader_reads_nothing_but_the_marts(readers, table):
    with pytest.raises(postgres.InsufficientPrivilege):
        readers.rows("reader_of_one", f"select * from {table} limit 1")


def test_what_is_built_beside_the_marts_is_opened_to_no_reader(readers: Readers, tmp_path: Path):
    # A target of its own: other variables would spoil the partial parse of the next build.
    beside = replace(readers.warehouse, target=tmp_path)
    beside.dbt(
        *("build", "--resource-type", "seed", "--resource-type", "model"),
        *("--select", "+dim_tracking_options", "+dim_currencies"),
        schema_suffix="beside",
    )
    opened = beside.rows(OPENED_BESIDE)
    protected = beside.rows(PROTECTED_BESIDE)
    for schema in ("xero_staging", "xero_intermediate", "xero_marts"):
        readers.owner(f"drop schema {schema}_beside cascade")
    assert opened == []
    assert {name for (name,) in protected} == {"dim_currencies", "dim_tracking_options"}


@pytest.mark.parametrize(
    "statement",
    [
        "delete from xero_marts.dim_tenants",
        "update xero_marts.dim_tenants set tenant_name = 'mine'",
        "alter table xero_marts.dim_tenants disable row level security",
        "create policy mine on xero_marts.dim_tenants using (true)",
        "create table xero_marts.mine ()",
        "alter view xero_marts.rpt_trial_balance set (security_invoker = false)",
        "insert into xero_ops.reader_tenants (reader_name, tenant_id)"
        " select 'reader_of_one', tenant_id from xero_marts.dim_tenants",
        "grant bi_reader_of_all to reader_of_one",
        "set role bi_reader_of_all",
    ],
)
def test_a_reader_changes_nothing(readers, statement):
    with pytest.raises(postgres.InsufficientPrivilege):
        readers.rows("reader_of_one", statement)


def test_switching_row_security_off_is_refused_not_obeyed(readers):
    with readers.connect("reader_of_one") as connection:
        connection.execute("set row_security = off")
        with pytest.raises(postgres.InsufficientPrivilege):
            connection.execute("select * from xero_marts.fct_invoices").fetchall()


@pytest.mark.parametrize("mart", ["fct_invoices", "dim_contacts", "rpt_aged_receivables"])
def test_a_function_of_the_readers_own_never_sees_a_row_of_others(readers, mart):
    """A cheap function in a condition is asked before dear ones, but not before the policy."""
    heard: set[str] = set()
    where = f" and day = '{LAST_DAY}'" if mart.startswith("rpt_") else ""
    with readers.connect("reader_of_one") as connection:
        connection.add_notice_handler(lambda notice: heard.add(str(notice.message_primary)))
        connection.execute(
            "create function pg_temp.listen(tenant uuid) returns boolean language plpgsql"
            " cost 0.0000001 as $$ begin raise notice '%', tenant; return true; end $$"
        )
        connection.execute(
            f"select count(*) from xero_marts.{mart} where pg_temp.listen(tenant_id){where}"
        )
    assert heard == {readers.warehouse.tenants["every kind"].tenant_id}


# --- Speed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("login", "where"),
    [
        ("reader_of_one", "tenant_id = %(tenant_id)s and"),
        # Without a word of the organisation the policy itself finds it.
        ("reader_of_one", ""),
        ("bi_reader_of_all", "tenant_id = %(tenant_id)s and"),
    ],
)
def test_the_policy_leaves_a_querys_index_to_it(readers, login, where):
    """What a reader asks about an organisation is answered by index, as of the owner."""
    with readers.warehouse.connect() as connection:
        connection.execute(f"set role {login}")
        # The tables of a test are small enough to be read whole.
        connection.execute("set enable_seqscan = off")
        row = connection.execute(
            f"explain (format json) select * from xero_marts.rpt_daily_statistics where {where}"
            " day > %(day)s",
            {"tenant_id": readers.warehouse.tenants["every kind"].tenant_id, "day": LAST_DAY},
        ).fetchone()
    conditions = " ".join(
        str(node.get("Index Cond"))
        for node in nodes(row[0][0]["Plan"])
        if node.get("Relation Name") == "rpt_daily_statistics"
        or node["Node Type"] == "Bitmap Index Scan"
    )
    assert "tenant_id" in conditions
    assert "day" in conditions
    assert ("ANY" in conditions) == (login == "reader_of_one")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan and all that is below it."""
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)
