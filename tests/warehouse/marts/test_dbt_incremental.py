"""A build that takes what moved leaves the same rows as one that makes everything anew.

Knows the raw tables and how dbt is called; must not know what a model computes. Two organisations
of the sandbox live on for some nights; on top of that, what Xero does seldom happens every night.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from airflow_xero.builds import Scope, scope_of
from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS, report_key, report_params
from local_stack.postgres import EmbeddedPostgres
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.wire.records import Shape
from xero_sandbox.wire.spelling_journals import JournalBook
from xero_sandbox.wire.spelling_papers import budget_lines

DBT = Path(__file__).resolve().parents[3] / "dbt"
FIRST = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)
# What a build works with, and what says how it was made: not the same in both ways. The ledger's
# builders hold what this build appends, and no more.
WORKING = {
    "xero_intermediate.int_cash_settlements_posted",
    "xero_intermediate.int_documents_posted",
    "xero_intermediate.int_settlements_posted",
    "xero_intermediate.int_transfers_posted",
    "xero_staging.stg_xero__tenants",
    "xero_staging.stg_xero__reports_confirmed",
    "xero_staging.stg_xero__moved_documents",
    "xero_staging.stg_xero__compared_versions",
    "xero_intermediate.int_documents_touched",
    "xero_intermediate.int_account_days_moved",
    "xero_intermediate.int_account_balances_moved",
    "xero_intermediate.int_movements_withdrawn",
    # What a night compared is history: a full refresh would know the last night alone.
    "xero_intermediate.int_report_lines_compared",
    "xero_intermediate.int_reports_listed",
    "xero_intermediate.int_statement_lines_compared",
    "xero_intermediate.int_explanations_gathered",
    "xero_intermediate.int_statements_explained",
    "xero_intermediate.int_trial_balances_explained",
    "xero_intermediate.int_trial_balances_placed",
    "xero_intermediate.int_trial_balance_lines_revalued",
    "xero_intermediate.int_trial_balance_lines_traced",
    "xero_intermediate.int_trial_balance_lines_judged",
    "xero_intermediate.int_account_amounts_moved",
    "xero_intermediate.int_summary_lines_valued",
    "xero_intermediate.int_executive_summaries_explained",
    # What of dim_dates a build makes again.
    "xero_intermediate.int_financial_years_spanned",
    # The days that a build makes again, of which rpt_daily_statistics is made.
    "xero_intermediate.int_days_moved",
    "xero_intermediate.int_daily_ledgers",
    "xero_intermediate.int_daily_subledgers",
    "xero_intermediate.int_daily_records",
    "xero_intermediate.int_concentrations_measured",
    # Beside the marts they hold the last night alone: see test_dbt_statistics_as_known.
    "xero_marts.rpt_daily_statistics_as_known",
    "xero_marts.rpt_bank_summary_as_known",
    "xero_marts.rpt_daily_statistics_by_currency_as_known",
}
UNDATED = "(select to_jsonb(dated) - 'known_at' as columns from {0} as dated)"
# What of a relation is compared; of others all is.
COMPARED = {
    # When a row was made last says nothing of what is in it.
    "xero_marts.rpt_daily_statistics": UNDATED,
    "xero_marts.rpt_daily_statistics_by_currency": UNDATED,
    "xero_intermediate.int_daily_movements_summed": UNDATED,
    "xero_intermediate.int_ledger_days_summed": UNDATED,
}
# What a full refresh of the same warehouse, which has the same history, must leave as it was.
REFRESHED = {
    "xero_marts.rpt_daily_statistics": UNDATED,
    "xero_intermediate.int_ledger_levels_spanned": "{0}",
    "xero_marts.fct_account_balances": "{0}",
    "xero_marts.rpt_daily_statistics_as_known": "{0}",
    "xero_marts.rpt_daily_statistics_by_currency_as_known": "{0}",
    "xero_marts.rpt_bank_summary_as_known": "{0}",
    "xero_marts.rpt_tie_out": "{0}",
}

# Where a test waits for the builds of all.
pytestmark = pytest.mark.timeout(900)

Record: TypeAlias = dict[str, Any]
Records: TypeAlias = dict[str, list[Record]]


@dataclass
class Warehouse:
    """Raw tables that are filled night by night, and the two ways to build them."""

    dsn: str
    target: Path
    known: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    def extract(self, tenant_id: str, night: datetime, records: Records) -> None:
        """Store what is new, what changed and what has vanished, as a complete extraction."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(
                "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, 'A tenant')"
                " on conflict do nothing",
                (tenant_id,),
            )
            (run_id,) = connection.execute(
                "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
                " values (%s, %s, %s, 'complete') returning run_id",
                (tenant_id, night.date() - timedelta(days=1), night),
            ).fetchone() or (0,)
            for endpoint in ENDPOINTS:
                if endpoint.name in records:
                    self._store(connection, endpoint, (tenant_id, night, run_id), records)
            connection.execute(
                "update xero_ops.tenants set complete_at = %s, complete_day = %s"
                " where tenant_id = %s",
                (night, night.date() - timedelta(days=1), tenant_id),
            )

    def _store(
        self,
        connection: psycopg.Connection[Any],
        endpoint: Endpoint,
        key: tuple[str, datetime, int],
        records: Records,
    ) -> None:
        tenant_id, night, run_id = key
        connection.execute(
            "insert into xero_ops.extract_endpoints (run_id, tenant_id, endpoint, finished_at)"
            " values (%s, %s, %s, %s)",
            (run_id, tenant_id, endpoint.name, night),
        )
        said = {
            str(each.get(endpoint.id_field, "organisation")): json.dumps(each)
            for each in records[endpoint.name]
        }
        known = self.known.get((tenant_id, endpoint.name), {})
        # A report of another day is another record; it stays as it was read.
        gone = {} if endpoint.reading is Reading.REPORT else known.keys() - said.keys()
        changed = {name: text for name, text in said.items() if known.get(name) != text}
        self.known[tenant_id, endpoint.name] = {
            name: text for name, text in {**known, **said}.items() if name not in gone
        }
        connection.execute(
            f"update xero_raw.{endpoint.name} set known_to = %s"
            " where tenant_id = %s and known_to is null and record_id = any(%s)",
            (night, tenant_id, [*changed, *gone]),
        )
        versions = [(name, text, False) for name, text in changed.items()]
        versions += [(name, known[name], True) for name in sorted(gone)]
        connection.cursor().executemany(
            f"insert into xero_raw.{endpoint.name} (tenant_id, record_id, known_from, payload,"
            " is_deleted, run_id) values (%s, %s, %s, %s, %s, %s)",
            [(tenant_id, name, night, text, is_gone, run_id) for name, text, is_gone in versions],
        )

    def dbt(self, *arguments: str, **variables: Any) -> None:
        """Run dbt in a process of its own."""
        parts = conninfo_to_dict(self.dsn)
        names = {"DBT_HOST": "host", "DBT_PORT": "port", "DBT_USER": "user"}
        names |= {"DBT_PASSWORD": "password", "DBT_DBNAME": "dbname"}
        # A target of its own for other variables, which would spoil the partial parse.
        target = self.target / (variables.get("schema_suffix") or "marts")
        ended = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("dbt")), "build", *arguments),
                *("--resource-type", "seed", "--resource-type", "model"),
                *("--project-dir", str(DBT), "--profiles-dir", str(DBT)),
                *("--target-path", str(target), "--log-path", str(target)),
                *("--vars", json.dumps(variables)),
            ],
            env=os.environ | {name: str(parts[part]) for name, part in names.items()},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr

    def build(self) -> None:
        """What the nightly task does: build what moved, then say that it is built."""
        self.execute(
            "insert into xero_ops.published_pages (page_name, media_type, content)"
            " values ('docs', 'text/html', '') on conflict do nothing"
        )
        with psycopg.connect(self.dsn) as connection:
            scope = scope_of(connection, DBT, "docs")
        self.dbt(*(["--selector", "nightly"] if scope is Scope.NIGHTLY else []))
        self.execute(
            "update xero_ops.extract_runs set built_at = clock_timestamp()"
            " where state = 'complete' and built_at is null"
        )

    def execute(self, query: str) -> None:
        """Run a statement."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute(query)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query).fetchall()

    def relations(self) -> list[str]:
        """Every table of dbt that says something of the tenants, and every view but the marts'.

        Those are computed from marts that are compared.
        """
        names = self.rows(
            "select table_schema || '.' || table_name from information_schema.tables"
            " where table_schema in ('xero_staging', 'xero_intermediate')"
            " or table_schema = 'xero_marts' and table_type = 'BASE TABLE'"
        )
        return sorted({name for (name,) in names} - WORKING)

    def differences(self) -> dict[str, int]:
        """How many rows each relation has that its twin of a full refresh lacks, or the reverse."""
        with psycopg.connect(self.dsn) as connection:
            found = {name: self._difference(connection, name) for name in self.relations()}
        return {name: count for name, count in found.items() if count}

    def refreshed(self) -> dict[str, str]:
        """A digest of each table that a full refresh in place must leave as it is."""
        return {
            name: self.rows(_digest(rows.format(name), None))[0][0]
            for name, rows in REFRESHED.items()
        }

    def digests(self, tenant_id: str | None = None) -> dict[str, str]:
        """A digest of every table, of one tenant's rows or of all."""
        names = self.rows(
            "select table_schema || '.' || table_name from information_schema.tables as found"
            " where table_schema in ('xero_staging', 'xero_intermediate', 'xero_marts')"
            " and table_type = 'BASE TABLE' and exists (select from information_schema.columns"
            " where columns.table_schema = found.table_schema"
            " and columns.table_name = found.table_name and column_name = 'tenant_id')"
        )
        return {
            name: self.rows(_digest(name, tenant_id))[0][0]
            for (name,) in names
            if name not in WORKING
        }

    def rows_of(self, tenant_id: str) -> dict[str, int]:
        """How many rows of a tenant each table and view of dbt has."""
        names = self.rows(
            "select table_schema || '.' || table_name from information_schema.columns"
            " where table_schema in ('xero_staging', 'xero_intermediate', 'xero_marts')"
            " and column_name = 'tenant_id'"
        )
        return {
            name: self.rows(f"select count(*) from {name} where tenant_id = '{tenant_id}'")[0][0]
            for (name,) in names
        }

    def erase(self, tenant_id: str) -> None:
        """Delete all that is known of a tenant, as its erasure does."""
        for schema, table in self.rows(
            "select table_schema, table_name from information_schema.columns"
            " inner join information_schema.tables using (table_schema, table_name)"
            " where table_schema in ('xero_raw', 'xero_ops') and column_name = 'tenant_id'"
            " and table_type = 'BASE TABLE' order by table_name in ('tenants', 'extract_runs'),"
            " table_name = 'tenants'"
        ):
            self.execute(f"delete from {schema}.{table} where tenant_id = '{tenant_id}'")

    @staticmethod
    def _difference(connection: psycopg.Connection[Any], name: str) -> int:
        schema, table = name.split(".")
        kept = connection.execute(
            "select to_regclass(%s) is null", (f"{schema}_whole.{table}",)
        ).fetchone()
        if kept and kept[0]:
            return -1
        rows = COMPARED.get(name, "{0}")
        ours = f"select kept::text as line from {rows.format(name)} as kept"
        other = rows.format(f"{schema}_whole.{table}")
        theirs = f"select kept::text as line from {other} as kept"
        row = connection.execute(
            f"select count(*) from (({ours} except all {theirs})"
            f" union all ({theirs} except all {ours})) as lines"
        ).fetchone()
        return int(row[0]) if row else -1


@pytest.fixture
def raw(warehouse_dsn: str, tmp_path: Path) -> Warehouse:
    """A migrated warehouse that knows nobody yet."""
    return Warehouse(warehouse_dsn, tmp_path)


# --- What the organisations say ------------------------------------------------------------------


def company(name: str, *features: str, currencies: Iterable[str] = ()) -> Company:
    """An organisation that has traded for six weeks."""
    traits = {"features": list(features), "currencies": list(currencies)}
    return build_company(name, seed=5, days=42, now=FIRST, traits=traits)


def said(company: Company, night: datetime, *, has_journals: bool) -> Records:
    """Everything it says on a night."""
    company.advance(night)
    return {
        endpoint.name: json.loads(json.dumps(list(_said(company, endpoint, night)), default=float))
        for endpoint in ENDPOINTS
        if has_journals or endpoint.reading is not Reading.NUMBERS
    }


def _said(company: Company, endpoint: Endpoint, night: datetime) -> Iterable[Mapping[str, Any]]:
    match endpoint.reading:
        case Reading.REPORT:
            return _reports(company, endpoint, night.date() - timedelta(days=1))
        case Reading.NUMBERS:
            return _journals(company, is_cash="paymentsOnly" in endpoint.params)
        case Reading.DETAILS:
            return _budgets(company)
        case _:
            return company.records(endpoint.array_key)


def _reports(company: Company, endpoint: Endpoint, day: date) -> Iterator[Mapping[str, Any]]:
    for basis in endpoint.report.bases if endpoint.report else ():
        asked = report_params(endpoint, day, basis)
        report = company.report(endpoint.path.removeprefix("Reports/"), asked) or {}
        yield {**report, "ReportID": report_key(endpoint, day, basis)}


def _journals(company: Company, *, is_cash: bool) -> Iterator[Mapping[str, Any]]:
    ledger = company.books.cash if is_cash else company.books.ledger
    names = {rate.tax_type: rate.name for rate in company.books.country.tax_rates}
    book = JournalBook(company.tenant_id, is_cash, ledger.accounts, names)
    for journal in ledger.journals:
        yield book.spell(journal, is_one=False)


def _budgets(company: Company) -> Iterator[Mapping[str, Any]]:
    accounts = company.books.ledger.accounts
    for entry in company.entries("Budgets").ordered():
        lines = budget_lines(entry.source, accounts, first=date(2026, 1, 1), last=date(2027, 12, 1))
        yield entry.body(Shape.ONE) | {"BudgetLines": lines}


class Seldom:
    """Lets happen to what was said, and keeps up, what the sandbox's people seldom do."""

    def __init__(self) -> None:
        self.changes: dict[tuple[str, str], Record | None] = {}

    def happen(self, records: Records) -> Records:
        """What is said now, with everything that has happened so far."""
        told = copy.deepcopy(records)
        for endpoint, rows in told.items():
            id_field = next(each.id_field for each in ENDPOINTS if each.name == endpoint)
            told[endpoint] = [
                row | (change or {})
                for row in rows
                for change in [self.changes.get((endpoint, str(row.get(id_field))), {})]
                if change is not None
            ]
        return told

    def change(self, endpoint: str, record: Record, **fields: Any) -> None:
        """From now on the record has these fields."""
        name = str(record[next(each.id_field for each in ENDPOINTS if each.name == endpoint)])
        self.changes[endpoint, name] = {**(self.changes.get((endpoint, name)) or {}), **fields}

    def vanish(self, endpoint: str, record: Record) -> None:
        """From now on the record is not listed."""
        name = str(record[next(each.id_field for each in ENDPOINTS if each.name == endpoint)])
        self.changes[endpoint, name] = None

    def documents(self, records: Records) -> None:
        """A void, a back-dated edit, another currency, a deleted payment and one that vanished."""
        invoices = [each for each in records["invoices"] if each["Status"] == "AUTHORISED"]
        voided, moved, *_ = [each for each in invoices if not each.get("Payments")]
        self.change("invoices", voided, Status="VOIDED")
        self.change("invoices", moved, Date="/Date(1788220800000+0000)/", DueDate=None)
        self.change("invoices", invoices[-1], CurrencyCode="USD", CurrencyRate=None)
        deleted, vanished, redated, *_ = records["payments"]
        self.change("payments", deleted, Status="DELETED")
        self.vanish("payments", vanished)
        self.change("payments", redated, Date="/Date(1793577600000+0000)/")

    def credits(self, records: Records) -> None:
        """Allocations are removed, on one side or on both; both are re-dated."""
        allocated = [each for each in records["credit_notes"] if each.get("Allocations")]
        removed, redated, *_ = allocated
        self.change("credit_notes", removed, Allocations=[])
        self.change("credit_notes", redated, Date="/Date(1794355200000+0000)/")
        invoices = {each["InvoiceID"]: each for each in records["invoices"]}
        credited = invoices[removed["Allocations"][0]["Invoice"]["InvoiceID"]]
        self.change("invoices", credited, CreditNotes=[], AmountCredited=0)
        other = invoices[redated["Allocations"][0]["Invoice"]["InvoiceID"]]
        self.change("invoices", other, Date="/Date(1794528000000+0000)/")
        for endpoint in ("overpayments", "prepayments"):
            for record in [each for each in records[endpoint] if each.get("Allocations")][:1]:
                self.change(endpoint, record, Allocations=record["Allocations"][1:])
        gone = [each for each in records["credit_notes"] if each not in (removed, redated)]
        for record in gone[:1]:
            self.vanish("credit_notes", record)

    def money(self, records: Records) -> None:
        """Direct money, transfers, journals and papers change and go."""
        for endpoint, name in (
            ("bank_transactions", "Status"),
            ("bank_transfers", "Status"),
            ("manual_journals", "Status"),
            ("quotes", "Status"),
            ("purchase_orders", "Status"),
        ):
            nothing: Record = {}
            changed, gone, *_ = [*records[endpoint][-2:], nothing, nothing]
            if changed:
                self.change(endpoint, changed, **{name: "DELETED"})
            if gone:
                self.vanish(endpoint, gone)
        self.change("contacts", records["contacts"][0], Name="Another name", ContactStatus="GDPR")
        self.vanish("items", records["items"][0])

    def settings(self, records: Records) -> None:
        """An account gets another code, so that its documents' lines lead nowhere."""
        code = next(
            line["AccountCode"]
            for invoice in records["invoices"]
            for line in invoice["LineItems"]
            if line.get("AccountCode")
        )
        account = next(each for each in records["accounts"] if each.get("Code") == code)
        self.change("accounts", account, Code="zz9")


# --- The nights ----------------------------------------------------------------------------------


@pytest.mark.campaign
@pytest.mark.timeout(1500)
def test_what_moved_leaves_the_same_rows_as_everything_made_anew(raw: Warehouse):
    busy = company("Busy", "all", currencies=["EUR", "USD"])
    quiet = company("Quiet", currencies=["EUR"])
    seldom = Seldom()

    for number, happens in enumerate(
        [None, seldom.documents, seldom.credits, seldom.money, seldom.settings]
    ):
        night = FIRST + timedelta(days=number)
        records = said(busy, night, has_journals=number >= 4)
        if happens:
            happens(records)
        raw.extract(busy.tenant_id, night, seldom.happen(records))
        if number >= 2:
            # It is connected later, and rests on the night of the credits' changes.
            raw.extract(quiet.tenant_id, night, said(quiet, night, has_journals=False))
        raw.build()
        if number == 0:
            continue

        raw.dbt("--full-refresh", schema_suffix="whole")

        (rebuilt,) = raw.rows(
            "select count(*) filter (where is_rebuilt) from xero_staging.stg_xero__tenants"
        )
        assert (number, raw.differences()) == (number, {})
        # The first night of a tenant, and the one of the changed account, are whole.
        assert (number, rebuilt[0]) == (number, {2: 1, 4: 1}.get(number, 0))


@dataclass(frozen=True)
class TwoNights:
    """What stood in the warehouse after each build of two nights, and after an erasure."""

    raw: Warehouse
    busy: Company
    quiet: Company
    once: dict[str, str]
    twice: dict[str, str]
    differences: dict[str, int]
    rebuilt: int
    compared_first: list[tuple[Any, ...]]
    compared_later: list[tuple[Any, ...]]
    before_the_erasure: dict[str, str]
    after_the_erasure: dict[str, str]
    touched: int
    left_behind: dict[str, int]
    before_the_refresh: dict[str, str]
    after_the_refresh: dict[str, str]


@pytest.fixture(scope="module")
def two_nights(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TwoNights]:
    """Six builds: a first night, a second one twice, the same anew beside it, one without news.

    And everything anew in place.
    """
    postgres_server.create_database("nights", template=warehouse_template)
    raw = Warehouse(postgres_server.dsn("nights"), tmp_path_factory.mktemp("dbt_nights"))
    busy = company("Busy", "all", currencies=["EUR", "USD"])
    quiet = company("Quiet", currencies=["EUR"])
    raw.extract(busy.tenant_id, FIRST, said(busy, FIRST, has_journals=False))
    raw.build()
    compared_first = _compared(raw)
    night, seldom = FIRST + timedelta(days=1), Seldom()
    records = said(busy, night, has_journals=False)
    seldom.documents(records)
    raw.extract(busy.tenant_id, night, seldom.happen(records))
    # It is connected later.
    raw.extract(quiet.tenant_id, night, said(quiet, night, has_journals=False))

    # The second build does not know of the first: it was not marked, as after a failed test.
    raw.dbt()
    once = raw.digests()
    raw.build()
    twice = raw.digests()
    ((rebuilt,),) = raw.rows(
        "select count(*) filter (where is_rebuilt) from xero_staging.stg_xero__tenants"
    )
    raw.dbt("--full-refresh", schema_suffix="whole")
    differences = raw.differences()
    compared_later = _compared(raw)

    before_the_erasure = raw.digests(busy.tenant_id)
    raw.erase(quiet.tenant_id)
    raw.build()
    ((touched,),) = raw.rows("select count(*) from xero_intermediate.int_documents_touched")
    after_the_erasure = raw.digests(busy.tenant_id)
    left_behind = raw.rows_of(quiet.tenant_id)
    before_the_refresh = raw.refreshed()
    raw.dbt("--full-refresh")
    yield TwoNights(
        raw=raw,
        busy=busy,
        quiet=quiet,
        once=once,
        twice=twice,
        differences=differences,
        rebuilt=rebuilt,
        compared_first=compared_first,
        compared_later=compared_later,
        before_the_erasure=before_the_erasure,
        after_the_erasure=after_the_erasure,
        touched=touched,
        left_behind=left_behind,
        before_the_refresh=before_the_refresh,
        after_the_refresh=raw.refreshed(),
    )
    postgres_server.drop_database("nights")


def _compared(raw: Warehouse) -> list[tuple[Any, ...]]:
    return raw.rows(
        "select kept::text from xero_marts.rpt_tie_out as kept"
        f" where known_at = '{FIRST.isoformat()}' order by 1"
    )


def test_a_night_leaves_the_same_rows_as_everything_made_anew(two_nights: TwoNights):
    assert two_nights.differences == {}
    # The organisation that is new.
    assert two_nights.rebuilt == 1


def test_building_a_night_twice_changes_no_row(two_nights: TwoNights):
    assert len(two_nights.once) > 60
    assert two_nights.twice == two_nights.once


def test_what_was_compared_with_xeros_reports_stays(two_nights: TwoNights):
    assert len(two_nights.compared_first) > 100
    assert two_nights.compared_later == two_nights.compared_first


def test_a_build_without_news_changes_no_row(two_nights: TwoNights):
    assert two_nights.touched == 0
    assert two_nights.after_the_erasure == two_nights.before_the_erasure


def test_everything_made_anew_leaves_the_days_and_the_history_as_the_nights_made_them(
    two_nights: TwoNights,
):
    assert len(set(two_nights.before_the_refresh.values())) == len(REFRESHED)
    assert two_nights.after_the_refresh == two_nights.before_the_refresh


def test_an_erased_tenant_leaves_no_row_behind(two_nights: TwoNights):
    assert {name: count for name, count in two_nights.left_behind.items() if count} == {}
    assert two_nights.raw.rows("select count(*) > 0 from xero_marts.fct_invoices") == [(True,)]


def test_a_new_table_is_not_filled_in_part(two_nights: TwoNights):
    two_nights.raw.dbt("--select", "stg_xero__tenants")
    with pytest.raises(AssertionError, match="only a whole build can fill int_documents_closed"):
        two_nights.raw.dbt("--full-refresh", "--select", "int_documents_closed")


@pytest.mark.campaign
@pytest.mark.timeout(600)
def test_a_missing_table_is_filled_by_the_next_whole_build(raw: Warehouse):
    quiet = company("Quiet")
    raw.extract(quiet.tenant_id, FIRST, said(quiet, FIRST, has_journals=False))
    raw.build()
    raw.execute("drop table xero_intermediate.int_documents_closed cascade")

    raw.build()

    assert raw.rows("select count(*) > 0 from xero_intermediate.int_documents_closed") == [(True,)]


@pytest.mark.timeout(600)
def test_history_of_an_earlier_version_takes_the_types_and_keeps_the_columns(raw: Warehouse):
    quiet = company("Quiet")
    raw.extract(quiet.tenant_id, FIRST, said(quiet, FIRST, has_journals=False))
    raw.build()
    known = (
        "select count(*), sum(cash_received_base_amount)"
        " from xero_marts.rpt_daily_statistics_as_known"
    )
    before = raw.rows(known)
    raw.execute(
        "drop view xero_marts.fct_daily_metrics_as_known;"
        " alter table xero_marts.rpt_daily_statistics_as_known"
        " alter column cash_received_base_amount type numeric(18, 2),"
        " add column gone text not null default '';"
        " alter table xero_marts.rpt_daily_statistics_as_known alter column gone drop default;"
        " create view xero_marts.fct_daily_metrics_as_known as"
        " select * from xero_marts.rpt_daily_statistics_as_known"
    )

    # The files of another version are another checksum: everything is made anew once.
    raw.dbt("--full-refresh")
    night = FIRST + timedelta(days=1)
    raw.extract(quiet.tenant_id, night, said(quiet, night, has_journals=False))
    raw.dbt("--selector", "nightly")

    assert raw.rows(f"{known} where known_at = '{FIRST}'") == before
    assert raw.rows("select count(*) > 0 from xero_marts.fct_daily_metrics_as_known") == [(True,)]


def _digest(name: str, tenant_id: str | None) -> str:
    where = f" where tenant_id = '{tenant_id}'" if tenant_id else ""
    return (
        "select md5(string_agg(line, '|' order by line)) from"
        f" (select kept::text as line from {name} as kept{where}) as lines"
    )
