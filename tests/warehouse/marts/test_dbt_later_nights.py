"""Nights after the first build: what moved on, what was compared, and what was known before.

Days of business, with edits, voids and deletions of old documents among them. Between two builds
an extraction goes unbuilt, as when a build failed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.ledger_books import (
    LEDGERS,
    NIGHT,
    WITH_DOCUMENTS,
    Movements,
    built_movements,
    differences,
    ledger_of,
    load,
    load_reports,
    mark_built,
    movements_of,
    read_journals,
    run_dbt,
    with_journals,
)
from tests.warehouse.marts.xeros_reports import month_ends
from xero_sandbox.business.company import Company, build_company

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1200)]

UNBUILT, LATER = NIGHT + timedelta(days=2), NIGHT + timedelta(days=6)
FOREIGN = ["USD", "EUR", "JPY"]
TRAITS: dict[str, dict[str, Any]] = {
    "every document": {"features": list(WITH_DOCUMENTS), "currencies": FOREIGN},
    "plain": {},
    "PAYROLL": {"features": ["payroll"]},
    "DEPRECIATION": {"features": ["depreciation"]},
    # A year end is among its reported days.
    "everything": {"features": ["all"], "currencies": ["USD", "EUR"], "year_end": [30, 9]},
}
TOLD = ("every document", "plain")
# Read without their Journals at first, and with them by the last night.
SWITCHED = ("PAYROLL", "everything")
MODELS = (
    *("+fct_ledger_postings", "+fct_cash_basis_postings", "+rpt_tie_out_summary"),
    *("+fct_account_balances", "+fct_outstanding_documents", "+dim_statement_lines"),
    "+fct_reported_movements",
)
BUILD = (
    *("build", "--select", *MODELS, "assert_every_posting_day_sums_to_zero"),
    *("--indirect-selection", "cautious", "--exclude-resource-type", "unit_test"),
)
KEPT = (
    *LEDGERS.values(),
    *("fct_account_balances", "fct_outstanding_documents", "fct_reported_movements"),
)


@dataclass
class Later:
    """The organisations, what their books showed each night, and the tables after each build."""

    dsn: str
    target: Path
    companies: dict[str, Company]
    shown: dict[tuple[datetime, str, str], Movements] = field(default_factory=dict)
    tie_outs: list[dict[tuple[Any, ...], tuple[Any, ...]]] = field(default_factory=list)
    tables: list[dict[str, list[tuple[Any, ...]]]] = field(default_factory=list)

    def extract(self, night: datetime) -> None:
        """A complete extraction of all organisations, and what their own ledgers say then."""
        for name, company in self.companies.items():
            company.advance(night)
            for basis in LEDGERS:
                journals = ledger_of(company, basis).journals
                self.shown[night, name, basis] = movements_of(journals)
        load(self.dsn, self.companies.values(), known_at=night)
        load_reports(self.dsn, self.companies.values(), known_at=night)

    def keep(self) -> None:
        """Remember what stands in the marts."""
        with psycopg.connect(self.dsn) as connection:
            rows = connection.execute(
                "select tenant_id, report, basis, report_date, measure, line_key, known_at,"
                " documents_amount, revaluation_amount, xero_amount, cause, status"
                " from xero_marts.rpt_tie_out"
            ).fetchall()
            self.tie_outs.append({row[:7]: row for row in rows})
            self.tables.append(
                {
                    table: connection.execute(
                        f"select kept::text from xero_marts.{table} as kept order by 1"
                    ).fetchall()
                    for table in KEPT
                }
            )


@pytest.fixture(scope="module")
def later(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Later]:
    """A first build; two extractions, then a build that moves on; then everything anew."""
    postgres_server.create_database("later_nights", template=warehouse_template)
    companies = {
        name: build_company(name, seed=seed, days=130, now=NIGHT, traits=traits)
        for seed, (name, traits) in enumerate(TRAITS.items(), start=81)
    }
    dsn = postgres_server.dsn("later_nights")
    nights = Later(dsn, tmp_path_factory.mktemp("dbt_later_nights"), companies)
    nights.extract(NIGHT)
    load_reports(
        *(dsn, [companies["everything"]]),
        days=month_ends(companies["everything"], NIGHT.date()),
        names=["trial_balances"],
    )
    run_dbt(dsn, nights.target, *BUILD)
    nights.keep()
    mark_built(dsn)
    nights.extract(UNBUILT)
    nights.extract(LATER)
    read_journals(dsn, [companies[name] for name in SWITCHED], known_at=LATER)
    run_dbt(dsn, nights.target, *BUILD)
    nights.keep()
    mark_built(dsn)
    run_dbt(dsn, nights.target, *BUILD, "--full-refresh")
    nights.keep()
    yield nights
    postgres_server.drop_database("later_nights")


def test_a_table_that_moved_on_is_the_same_as_one_built_anew(later):
    first, moved_on, anew = later.tables
    for table in KEPT:
        assert first[table] != moved_on[table]
        assert moved_on[table] == anew[table], table


@pytest.mark.parametrize("basis", LEDGERS)
@pytest.mark.parametrize(
    ("name", "has_journals"),
    [*((name, True) for name in TRAITS), *((name, False) for name in TOLD)],
)
def test_ledgers_that_moved_on_equal_the_sandboxs(later, name, has_journals, basis):
    company = later.companies[name]
    tenant_id = with_journals(company) if has_journals else company.tenant_id
    with psycopg.connect(later.dsn) as connection:
        built = built_movements(connection, basis, tenant_id)
    shown = later.shown[LATER, name, basis]
    assert differences(built, shown, ledger_of(company, basis)) == []


@pytest.mark.parametrize("night", [NIGHT, LATER])
@pytest.mark.parametrize("name", SWITCHED)
def test_what_journals_tell_of_nights_before_they_were_read_counts_once(later, name, night):
    """Reports had told it beyond documents then."""
    company = later.companies[name]
    told_by_reports = {
        key for key in later.tie_outs[0] if str(key[0]) == company.tenant_id and key[-1] == NIGHT
    }
    assert any(later.tie_outs[0][key][-1] == "explained" for key in told_by_reports)
    with psycopg.connect(later.dsn) as connection:
        switched, always = (
            connection.execute(
                "select basis, account_id, closing_amount from xero_marts.fct_account_balances"
                " where tenant_id = %s and day <= %s and next_day > %s and closing_amount <> 0"
                " order by basis, account_id",
                (tenant_id, night.date(), night.date()),
            ).fetchall()
            for tenant_id in (company.tenant_id, with_journals(company))
        )
    assert {row[0] for row in always} == set(LEDGERS)
    assert switched == always


def test_a_report_is_compared_once_and_kept(later):
    """Also when a later night changes the past, and when everything is made anew."""
    before, after, anew = later.tie_outs
    assert {key: after[key] for key in before} == before
    news: dict[datetime, set[str]] = defaultdict(set)
    for key in after.keys() - before.keys():
        news[key[-1]].add(after[key][-1])
    # Of the extraction that went unbuilt the documents are gone.
    assert news[UNBUILT] == {"not_compared"}
    assert news[LATER] == {"tied", "explained"}
    assert anew == after


@pytest.mark.parametrize("night", [NIGHT, UNBUILT])
def test_a_past_night_rebuilt_shows_what_the_books_showed_then(later, night, tmp_path):
    """After back-dated edits, voids and deletions; from documents and from Journals."""
    suffix = f"night_{night.day}"
    run_dbt(
        *(later.dsn, tmp_path, "build", "--resource-type", "seed", "--resource-type", "model"),
        *("--select", "+fct_ledger_postings", "+fct_cash_basis_postings"),
        known_at=night.isoformat(),
        schema_suffix=suffix,
    )
    schema = f"xero_marts_{suffix}"
    with psycopg.connect(later.dsn) as connection:
        for name, company in later.companies.items():
            tenants = {with_journals(company), *([company.tenant_id] if name in TOLD else [])}
            for basis in LEDGERS:
                shown = later.shown[night, name, basis]
                assert shown != later.shown[LATER, name, basis]
                for tenant_id in tenants:
                    built = built_movements(connection, basis, tenant_id, schema=schema)
                    assert differences(built, shown, ledger_of(company, basis)) == []
