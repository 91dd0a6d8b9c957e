"""The tie-out: Xero's own reports held against what dbt makes of the documents.

The sandbox's reports are code of their own. Organisations whose documents tell everything differ
nowhere; what no document tells of is named by its cause, to the cent; a wrong posting is broken.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from airflow_xero.dbt_build import require_tolerated, tell_of_broken_tie_outs
from airflow_xero.endpoints import ENDPOINTS, report_key, report_params
from airflow_xero.errors import PublishError
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.ledger_books import (
    NIGHT,
    WITH_DOCUMENTS,
    load,
    mark_built,
    run_dbt,
    with_journals,
)
from tests.warehouse.marts.test_dbt_ledger_postings import MISTAKES, _build_with
from xero_sandbox.business.company import Company, build_company

FOREIGN = ["USD", "EUR", "JPY"]
DAYS = 130
TRAITS: dict[str, dict[str, Any]] = {
    "plain": {},
    "every document": {"features": list(WITH_DOCUMENTS), "currencies": FOREIGN},
    "every document, over a year end": {
        "country": "US",
        "features": list(WITH_DOCUMENTS),
        "currencies": ["EUR", "GBP"],
        "year_end": (30, 9),
    },
    "CONVERSION": {"features": ["conversion"]},
    "DEPRECIATION": {"features": ["depreciation"]},
    "EXPENSE_CLAIMS": {"features": ["expense_claims"]},
    "INVENTORY": {"features": ["stock"]},
    "PAYROLL": {"features": ["payroll"]},
    "ROUNDING": {"features": ["rounding"]},
    "without documents, too": {
        "features": ["conversion", "depreciation", "expense_claims", "payroll", "rounding"]
    },
}
FOREIGN_NAMES = [name for name in TRAITS if "currencies" in TRAITS[name]]
CAUSES = [name for name in TRAITS if name.isupper()]
TIED = [name for name in TRAITS if name.startswith(("plain", "every document"))]
WITHOUT_DOCUMENT_SOURCES = {None, "PAYSLIP", "EXPCLAIM", "EXPPAYMENT"}
MODELS = ("build", "--select", "+rpt_tie_out_summary", "posting_rules")
ONLY = ("--indirect-selection", "cautious", "--exclude-resource-type", "unit_test")
_KEY = "tenant_id, report, basis, report_date, measure, line_key, known_at"


@dataclass(frozen=True)
class TieOut:
    """The organisations, and the database in which dbt compared them with their reports."""

    dsn: str
    target: Path
    companies: dict[str, Company]
    compiled: dict[str, str]

    def tenant_id(self, name: str, builder: str) -> str:
        """The organisation as it is loaded for a builder: documents or journals."""
        company = self.companies[name]
        return company.tenant_id if builder == "documents" else with_journals(company)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, parameters).fetchall()

    def different(self, name: str, builder: str = "documents") -> list[tuple[Any, ...]]:
        """The lines of an organisation that are not tied."""
        return self.rows(
            "select report, basis, measure, line_label, documents_amount, revaluation_amount,"
            " xero_amount, cause, status from xero_marts.rpt_tie_out"
            " where tenant_id = %s and status <> 'tied' order by 1, 2, 3, 4",
            self.tenant_id(name, builder),
        )


@pytest.fixture(scope="module")
def tie_out(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[TieOut]:
    """All organisations compared with the reports of the day before."""
    companies = {
        name: build_company(name, seed=seed, days=DAYS, now=NIGHT, traits=traits)
        for seed, (name, traits) in enumerate(TRAITS.items(), start=61)
    }
    for company in companies.values():
        company.advance(NIGHT)
    postgres_server.create_database("tie_out", template=warehouse_template)
    dsn, target = postgres_server.dsn("tie_out"), tmp_path_factory.mktemp("dbt_tie_out")
    load(dsn, companies.values())
    load_reports(dsn, companies.values())
    run_dbt(dsn, target, *MODELS, *ONLY)
    # Read at once: the next build writes other ones into the same place.
    compiled = {
        path.stem: path.read_text(encoding="utf-8") for path in (target / "compiled").rglob("*.sql")
    }
    yield TieOut(dsn, target, companies, compiled)
    postgres_server.drop_database("tie_out")


def load_reports(dsn: str, companies: Iterable[Company], *, known_at: datetime = NIGHT) -> None:
    """Store the reports of the day before, as the run of that moment fetches them."""
    with psycopg.connect(dsn) as connection:
        for company in companies:
            for tenant_id in (company.tenant_id, with_journals(company)):
                _store_reports(connection, company, tenant_id, known_at)


def _store_reports(
    connection: psycopg.Connection[Any], company: Company, tenant_id: str, known_at: datetime
) -> None:
    day = (known_at - timedelta(days=1)).date()
    for endpoint in ENDPOINTS:
        for basis in endpoint.report.bases if endpoint.report else ():
            asked = report_params(endpoint, day, basis)
            report = company.report(endpoint.path.removeprefix("Reports/"), asked) or {}
            key = report_key(endpoint, day, basis)
            connection.execute(
                f"insert into xero_raw.{endpoint.name} (tenant_id, record_id, known_from, payload,"
                " run_id) select %s, %s, %s, %s, max(run_id) from xero_ops.extract_runs"
                " where tenant_id = %s",
                (tenant_id, key, known_at, json.dumps({**report, "ReportID": key}), tenant_id),
            )


@pytest.mark.parametrize("builder", ["documents", "journals"])
@pytest.mark.parametrize("name", TIED)
def test_documents_that_tell_everything_tie_on_every_line(tie_out, name, builder):
    assert tie_out.different(name, builder) == []
    assert tie_out.rows(
        "select distinct status, difference from xero_marts.rpt_tie_out where tenant_id = %s",
        tie_out.tenant_id(name, builder),
    ) == [("tied", 0)]


@pytest.mark.parametrize("name", [*CAUSES, "without documents, too"])
def test_with_journals_everything_ties(tie_out, name):
    assert tie_out.different(name, "journals") == []


@pytest.mark.parametrize("name", FOREIGN_NAMES)
def test_revaluation_is_what_reports_add_and_sums_to_zero(tie_out, name):
    [(accounts, total, gains)] = tie_out.rows(
        "select count(*), sum(revaluation_amount),"
        " sum(revaluation_amount) filter (where line_label similar to '%%(497|498)%%')"
        " from xero_marts.rpt_tie_out where tenant_id = %s and report = 'TrialBalance'"
        " and measure = 'balance' and revaluation_amount <> 0",
        tie_out.companies[name].tenant_id,
    )
    assert accounts > 4
    assert total == 0
    assert gains != 0


@pytest.mark.parametrize("name", CAUSES)
def test_what_no_document_tells_of_has_its_cause_and_the_sandboxs_amount(tie_out, name):
    company = tie_out.companies[name]
    found = tie_out.rows(
        "select line_key, difference, cause, status from xero_marts.rpt_tie_out"
        " where tenant_id = %s and measure = 'balance' and report = 'TrialBalance'"
        " and difference <> 0",
        company.tenant_id,
    )
    assert {(cause, status) for _, _, cause, status in found} == {(name, "explained")}
    posted = _of_stock(company) if name == "INVENTORY" else _unshown(company)
    assert {account: amount for account, amount, _, _ in found} == posted


def test_several_causes_on_one_account_are_named_together(tie_out):
    name = "without documents, too"
    company = tie_out.companies[name]
    found = tie_out.rows(
        "select line_key, difference, cause, status from xero_marts.rpt_tie_out"
        " where tenant_id = %s and measure = 'balance' and report = 'TrialBalance'"
        " and difference <> 0",
        company.tenant_id,
    )
    assert {account: amount for account, amount, _, _ in found} == _unshown(company)
    assert {status for *_, status in found} == {"explained"}
    assert {cause for each in found for cause in each[2].split(", ")} == {
        "CONVERSION",
        "DEPRECIATION",
        "EXPENSE_CLAIMS",
        "PAYROLL",
        "ROUNDING",
    }


def _unshown(company: Company) -> dict[str, Decimal]:
    """What stands on each account at the day by journals that have no document."""
    return _summed(
        (posting.account_id, posting.amount)
        for journal in company.books.ledger.journals
        if journal.source_type in WITHOUT_DOCUMENT_SOURCES and journal.on < NIGHT.date()
        for posting in journal.postings
    )


def _of_stock(company: Company) -> dict[str, Decimal]:
    """Cost of goods sold: cost and inventory posted one after the other, each other's opposite."""
    items = [item for item in company.books.items.values() if item.is_tracked]
    costs = {item.purchase_account.account_id for item in items if item.purchase_account}
    goods = {item.inventory_account.account_id for item in items if item.inventory_account}
    return _summed(
        (posting.account_id, posting.amount)
        for journal in company.books.ledger.journals
        if journal.on < NIGHT.date()
        for pair in zip(journal.postings, journal.postings[1:], strict=False)
        if pair[0].account_id in costs
        and pair[1].account_id in goods
        and pair[0].amount == -pair[1].amount
        for posting in pair
    )


def _summed(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for account, amount in amounts:
        found[account] += amount
    return {account: amount for account, amount in found.items() if amount}


def test_the_summary_counts_what_the_lines_say(tie_out):
    counted = tie_out.rows(
        "select tenant_id, report, basis, count(*), count(*) filter (where status = 'tied'),"
        " count(*) filter (where status = 'explained'), count(*) filter (where status = 'broken'),"
        " sum(abs(difference)) from xero_marts.rpt_tie_out group by 1, 2, 3 order by 1, 2, 3"
    )
    assert counted == tie_out.rows(
        "select tenant_id, report, basis, lines, tied_lines, explained_lines, broken_lines,"
        " difference_amount from xero_marts.rpt_tie_out_summary order by 1, 2, 3"
    )
    ratios = dict(
        tie_out.rows(
            "select tenant_id::text, explained_ratio from xero_marts.rpt_tie_out_summary"
            " where report = 'TrialBalance'"
        )
    )
    for name in TRAITS:
        assert ratios[tie_out.tenant_id(name, "journals")] == 1
        ratio = ratios[tie_out.tenant_id(name, "documents")]
        assert (ratio == 1) == (name in TIED)
        assert 0 < ratio <= 1


# --- A wrong rule is seen ------------------------------------------------------------------------


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_mistake_breaks_the_tie_out(tie_out, mistake):
    tenant_id = tie_out.companies["every document"].tenant_id
    model, right, wrong = MISTAKES[mistake]
    # One of the organisation's own payments.
    wrong = wrong.replace("where is_counted)", f"where is_counted and tenant_id = '{tenant_id}')")
    with psycopg.connect(tie_out.dsn) as connection:
        for table in ("xero_staging.stg_xero__tenants", "xero_intermediate.int_documents_touched"):
            connection.execute(f"delete from {table} where tenant_id <> %s", (tenant_id,))
        _build_with(connection, tie_out.compiled, model, right, wrong)
        for table in (
            "xero_intermediate.int_account_days_summed",
            "xero_intermediate.int_report_lines_compared",
            "xero_intermediate.int_trial_balances_explained",
            "xero_intermediate.int_statements_explained",
            "xero_marts.rpt_tie_out",
        ):
            connection.execute(f"truncate {table}")
            query = tie_out.compiled[table.split(".")[1]]
            connection.execute(f"insert into {table} {query}")
        statuses = connection.execute(
            "select distinct status from xero_marts.rpt_tie_out where tenant_id = %s",
            (tenant_id,),
        ).fetchall()
        connection.rollback()
    assert (("broken",) in statuses) == (mistake != "none")
    assert ("explained",) not in statuses


# --- People are told -----------------------------------------------------------------------------


@pytest.fixture
def broken(tie_out):
    """Two organisations, one account of each broken, one report of them below a currency unit."""
    with psycopg.connect(tie_out.dsn) as connection:
        for name, amount in (("plain", "12.34"), ("PAYROLL", "0.01")):
            connection.execute(
                "update xero_marts.rpt_tie_out set status = 'broken', cause = 'OTHER',"
                " difference = %s where tenant_id = %s and measure = 'balance'"
                " and report = 'TrialBalance' and line_label like 'Accounts Receivable%%'",
                (Decimal(amount), tie_out.companies[name].tenant_id),
            )
        yield connection
        connection.rollback()


def test_a_broken_tie_out_is_told_once_a_day_and_read_again(tie_out, broken):
    runs = [run for (run,) in broken.execute("select run_id from xero_ops.extract_runs")]
    for _ in range(2):
        found = tell_of_broken_tie_outs(broken, runs, link=None)
    assert {(each.tenant_id, each.amount, each.is_new) for each in found} == {
        (tie_out.companies["plain"].tenant_id, Decimal("12.34"), True),
        (tie_out.companies["PAYROLL"].tenant_id, Decimal("0.01"), True),
    }
    assert {tuple(each.accounts) for each in found} == {("Accounts Receivable (610)",)}
    told = broken.execute("select cause, advice from xero_ops.notices order by cause").fetchall()
    assert [cause for cause, _ in told] == sorted(
        f"tie_out_broken:{tie_out.companies[name].tenant_id}" for name in ("plain", "PAYROLL")
    )
    assert all("Accounts Receivable (610)" in advice for _, advice in told)
    wanted = broken.execute(
        "select endpoint, count(*) from xero_ops.rereads where wanted_reason is not null"
        " group by endpoint"
    ).fetchall()
    assert {endpoint for endpoint, _ in wanted} >= {"invoices", "bank_transactions"}
    assert {count for _, count in wanted} == {2}


def test_nobody_is_told_when_everything_ties_or_is_explained(tie_out):
    with psycopg.connect(tie_out.dsn) as connection:
        runs = [run for (run,) in connection.execute("select run_id from xero_ops.extract_runs")]
        assert tell_of_broken_tie_outs(connection, runs, link=None) == []
        assert connection.execute("select * from xero_ops.notices").fetchall() == []
        connection.rollback()


def test_a_run_fails_above_the_tolerance_only(broken):
    runs = [run for (run,) in broken.execute("select run_id from xero_ops.extract_runs")]
    found = tell_of_broken_tie_outs(broken, runs, link=None)
    require_tolerated(found, None)
    require_tolerated(found, Decimal("12.34"))
    with pytest.raises(PublishError, match="tie-out"):
        require_tolerated(found, Decimal("12.33"))
    with pytest.raises(PublishError, match=r"0\.00"):
        require_tolerated(found, Decimal("0.00"))


# --- The nights after ----------------------------------------------------------------------------


@pytest.mark.timeout(600)
def test_a_report_is_compared_once_and_kept(postgres_server, tie_out):
    """Also when a later night changes the past, and when everything is made anew."""
    postgres_server.create_database("tie_out_later", template="tie_out")
    dsn = postgres_server.dsn("tie_out_later")
    later = NIGHT + timedelta(days=4)
    names = ["every document", "PAYROLL"]
    companies = [
        build_company(name, seed=seed, days=DAYS, now=NIGHT, traits=TRAITS[name])
        for seed, name in enumerate(TRAITS, start=61)
        if name in names
    ]
    before = _kept(dsn)
    mark_built(dsn)
    # Two nights are extracted before a build: of the first one's reports the documents are gone.
    for night in (NIGHT + timedelta(days=2), later):
        for company in companies:
            company.advance(night)
        load(dsn, companies, known_at=night)
        load_reports(dsn, companies, known_at=night)
    run_dbt(dsn, tie_out.target, *MODELS, *ONLY)
    after = _kept(dsn)
    assert {key: after[key] for key in before} == before
    news: dict[datetime, set[str]] = defaultdict(set)
    for key in after.keys() - before.keys():
        news[key[-1]].add(after[key][-1])
    assert news[NIGHT + timedelta(days=2)] == {"not_compared"}
    assert news[later] == {"tied", "explained"}
    mark_built(dsn)
    run_dbt(dsn, tie_out.target, *MODELS, *ONLY, "--full-refresh")
    assert _kept(dsn) == after
    postgres_server.drop_database("tie_out_later")


def _kept(dsn: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            f"select {_KEY}, documents_amount, revaluation_amount, xero_amount, cause, status"
            " from xero_marts.rpt_tie_out"
        ).fetchall()
    return {row[:7]: row for row in rows}
