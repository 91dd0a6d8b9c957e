"""The two ledgers against the sandbox's own, which shares no code with dbt: to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.ledger_books import (
    LEDGERS,
    MODELS,
    NIGHT,
    WITH_DOCUMENTS,
    Movements,
    built_movements,
    differences,
    ledger_of,
    load,
    mark_built,
    movements_of,
    run_dbt,
    with_journals,
)
from xero_sandbox.business.company import Company, build_company

FOREIGN = ["USD", "EUR", "JPY"]
TRAITS: dict[str, dict[str, Any]] = {
    "plain": {},
    "every document": {"features": list(WITH_DOCUMENTS), "currencies": FOREIGN},
    "every document, British": {
        "country": "GB",
        "features": list(WITH_DOCUMENTS),
        "currencies": FOREIGN,
    },
    "every document, American": {"country": "US", "features": list(WITH_DOCUMENTS)},
    "without documents, too": {
        "features": ["conversion", "depreciation", "expense_claims", "payroll", "rounding"]
    },
    "with stock": {"features": ["stock", "tracking"]},
}
EXPLAINED = [name for name in TRAITS if name.startswith(("plain", "every document"))]
# Of journals without a source: conversion, depreciation and what a reconciliation left over.
WITHOUT_DOCUMENT_SOURCES = {None, "PAYSLIP", "EXPCLAIM", "EXPPAYMENT"}


@dataclass(frozen=True)
class Ledgers:
    """The organisations, and the database in which dbt built their ledgers."""

    dsn: str
    target: Path
    companies: dict[str, Company]
    statuses: dict[str, str]
    compiled: dict[str, str]

    def tenant_id(self, name: str, builder: str) -> str:
        """The organisation as it is loaded for a builder: documents or journals."""
        company = self.companies[name]
        return company.tenant_id if builder == "documents" else with_journals(company)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, parameters).fetchall()

    def movements(self, name: str, basis: str, builder: str = "documents") -> Movements:
        """What dbt posts for an organisation."""
        with psycopg.connect(self.dsn) as connection:
            return built_movements(connection, basis, self.tenant_id(name, builder))


@pytest.fixture(scope="module")
def ledgers(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ledgers]:
    """Both ledgers of all organisations, built by dbt."""
    companies = {
        name: build_company(name, seed=seed, days=130, now=NIGHT, traits=traits)
        for seed, (name, traits) in enumerate(TRAITS.items(), start=41)
    }
    for company in companies.values():
        company.advance(NIGHT)
    postgres_server.create_database("ledgers", template=warehouse_template)
    dsn, target = postgres_server.dsn("ledgers"), tmp_path_factory.mktemp("dbt_ledgers")
    load(dsn, companies.values())
    statuses = run_dbt(
        *(dsn, target, "build", "--select", *MODELS, "posting_rules"),
        *(
            "assert_every_posting_day_sums_to_zero",
            "--indirect-selection",
            "cautious",
            "--exclude-resource-type",
            "unit_test",
        ),
    )
    # Read at once: the next build writes other ones into the same place.
    compiled = {
        path.stem: path.read_text(encoding="utf-8") for path in (target / "compiled").rglob("*.sql")
    }
    yield Ledgers(dsn, target, companies, statuses, compiled)
    postgres_server.drop_database("ledgers")


@pytest.mark.parametrize("builder", ["documents", "journals"])
@pytest.mark.parametrize("basis", LEDGERS)
@pytest.mark.parametrize("name", EXPLAINED)
def test_a_ledger_equals_the_sandboxs_on_every_account_and_day(ledgers, name, basis, builder):
    ledger = ledger_of(ledgers.companies[name], basis)
    posted = movements_of(ledger.journals)
    assert len(posted) > 300
    assert differences(ledgers.movements(name, basis, builder), posted, ledger) == []


@pytest.mark.parametrize("basis", LEDGERS)
def test_what_no_document_shows_is_exactly_what_is_missing(ledgers, basis):
    name = "without documents, too"
    ledger = ledger_of(ledgers.companies[name], basis)
    unshown = [j for j in ledger.journals if j.source_type in WITHOUT_DOCUMENT_SOURCES]
    assert len(unshown) > 10
    missing = _less(movements_of(ledger.journals), ledgers.movements(name, basis))
    assert differences(missing, movements_of(unshown), ledger) == []
    assert (
        differences(
            ledgers.movements(name, basis, "journals"), movements_of(ledger.journals), ledger
        )
        == []
    )


def test_the_cost_of_goods_sold_is_all_that_documents_do_not_tell_of_stock(ledgers):
    company = ledgers.companies["with stock"]
    ledger = company.books.ledger
    missing = _less(movements_of(ledger.journals), ledgers.movements("with stock", "accrual"))
    assert missing
    assert differences(missing, _cost_of_goods_sold(company), ledger) == []


def _less(all_of_it: Movements, part: Movements) -> Movements:
    nothing = Decimal(0)
    left = {
        key: all_of_it.get(key, nothing) - part.get(key, nothing)
        for key in all_of_it.keys() | part.keys()
    }
    return {key: amount for key, amount in left.items() if amount}


def _cost_of_goods_sold(company: Company) -> Movements:
    """Cost and inventory posted one after the other, the opposite of each other."""
    items = [item for item in company.books.items.values() if item.is_tracked]
    costs = {item.purchase_account.account_id for item in items if item.purchase_account}
    stock = {item.inventory_account.account_id for item in items if item.inventory_account}
    found: Movements = {}
    for journal in company.books.ledger.journals:
        for cost, goods in zip(journal.postings, journal.postings[1:], strict=False):
            is_pair = cost.account_id in costs and goods.account_id in stock
            if is_pair and cost.amount == -goods.amount:
                for posting in (cost, goods):
                    key = (posting.account_id, journal.on)
                    found[key] = found.get(key, Decimal(0)) + posting.amount
    return {key: amount for key, amount in found.items() if amount}


def test_every_source_sums_to_zero_on_every_day(ledgers):
    assert ledgers.statuses["assert_every_posting_day_sums_to_zero"] == "pass"
    for table in LEDGERS.values():
        assert (
            ledgers.rows(
                f"select source_id from xero_marts.{table}"
                " group by tenant_id, source_id, posting_date having sum(base_amount) <> 0"
            )
            == []
        )


def test_every_posting_rule_is_named_and_tried(ledgers):
    """But those of reports; the sandbox's taxed manual journals have no tax over both sides."""
    named = {rule for (rule,) in ledgers.rows("select rule from xero_staging.posting_rules")}
    tried = {
        rule
        for table in LEDGERS.values()
        for (rule,) in ledgers.rows(f"select distinct rule from xero_marts.{table}")
    }
    assert tried == named - {"revaluation", "unexplained", "manual_journal_taxed"}


@pytest.mark.parametrize("builder", ["documents", "journals"])
def test_postings_name_their_document_and_contact(ledgers, builder):
    company = ledgers.companies["every document"]
    found = ledgers.rows(
        "select source_type, count(*), count(document_id), count(contact_id)"
        " from xero_marts.fct_ledger_postings where tenant_id = %s"
        " and source_type in ('ACCREC', 'ACCPAY', 'ACCRECPAYMENT', 'ACCPAYPAYMENT', 'CASHREC')"
        " group by source_type",
        ledgers.tenant_id("every document", builder),
    )
    assert len(found) == 5
    assert [row for row in found if len(set(row[1:])) > 1] == []
    known = {
        (document.document_id, document.contact.contact_id)
        for document in (company.books.documents.values())
    }
    posted = ledgers.rows(
        "select document_id, contact_id from xero_marts.fct_ledger_postings where tenant_id = %s"
        " and source_type in ('ACCREC', 'ACCPAY', 'ACCRECPAYMENT', 'ACCPAYPAYMENT')",
        ledgers.tenant_id("every document", builder),
    )
    assert set(posted) <= known


@pytest.mark.parametrize("builder", ["documents", "journals"])
def test_income_and_costs_by_tracking_option_equal_the_sandboxs(ledgers, builder):
    company = ledgers.companies["every document"]
    ledger = company.books.ledger
    temporary = {key for key, account in ledger.accounts.items() if account.is_temporary}
    options = [
        option
        for category in company.books.tracking_categories.values()
        for option in category.options
    ]
    built = {
        (option, account): amount
        for option, account, amount in ledgers.rows(
            "select option_id, account_id, sum(base_amount) from xero_marts.fct_ledger_postings"
            " cross join lateral (values (tracking_option_1_id), (tracking_option_2_id))"
            " as tracked (option_id) where tenant_id = %s and option_id is not null group by 1, 2",
            ledgers.tenant_id("every document", builder),
        )
        if account in temporary and amount
    }
    posted = {
        (option.option_id, account): amount
        for option in options
        for account, amount in ledger.tracked_balances(date.max, options=[option]).items()
        if account in temporary and amount
    }
    assert len(posted) > 10
    assert built == posted


# --- A night later -------------------------------------------------------------------------------


@pytest.mark.timeout(600)
def test_a_night_later_the_ledgers_are_the_same_as_built_anew(postgres_server, ledgers):
    """Ten days of business, edits and voids of old documents among them."""
    postgres_server.create_database("ledgers_later", template="ledgers")
    dsn, later = postgres_server.dsn("ledgers_later"), NIGHT + timedelta(days=10)
    build = ("build", "--select", *MODELS, "assert_every_posting_day_sums_to_zero")
    only = ("--indirect-selection", "cautious", "--exclude-resource-type", "unit_test")
    names = ["every document", "plain"]
    companies = [
        build_company(name, seed=seed, days=130, now=NIGHT, traits=TRAITS[name])
        for seed, name in enumerate(TRAITS, start=41)
        if name in names
    ]
    mark_built(dsn)
    for company in companies:
        company.advance(later)
    load(dsn, companies, known_at=later)
    run_dbt(dsn, ledgers.target, *build, *only)
    moved_on = _rows(dsn)
    with psycopg.connect(dsn) as connection:
        for company in companies:
            for basis in LEDGERS:
                ledger = ledger_of(company, basis)
                posted = movements_of(ledger.journals)
                for tenant_id in (company.tenant_id, with_journals(company)):
                    built = built_movements(connection, basis, tenant_id)
                    assert differences(built, posted, ledger) == []
    run_dbt(dsn, ledgers.target, *build, *only, "--full-refresh")
    assert _rows(dsn) == moved_on
    postgres_server.drop_database("ledgers_later")


def _rows(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(dsn) as connection:
        return {
            table: connection.execute(
                f"select * from xero_marts.{table} order by tenant_id, posting_id"
            ).fetchall()
            for table in LEDGERS.values()
        }


# --- A wrong rule is seen ------------------------------------------------------------------------

# In the order in which one reads the other.
CHAIN = (
    "int_posting_documents_gathered",
    "int_document_lines_converted",
    "int_bank_transfers_converted",
    "int_settlement_sides_converted",
    "int_settlement_lines_shared",
    "int_documents_posted",
    "int_settlements_posted",
    "int_cash_settlements_posted",
    "int_transfers_posted",
    "fct_ledger_postings",
    "fct_cash_basis_postings",
)
# Model, what stands there, what is put in its place.
MISTAKES = {
    "none": ("int_documents_posted", "select", "select"),
    "a wrong sign": (
        "int_documents_posted",
        "-documents.whole_sign * lines.net_base_amount",
        "documents.whole_sign * lines.net_base_amount",
    ),
    "a lost payment": (
        "int_settlement_sides_converted",
        "where is_counted",
        "where is_counted and payment_id <> (select min(payment_id)"
        " from xero_intermediate.int_payments_converted where is_counted)",
    ),
    "a swapped tax": (
        "int_documents_posted",
        "-documents.whole_sign * taxed.tax_base_amount",
        "documents.whole_sign * taxed.tax_base_amount",
    ),
    "tax on the wrong lines": ("int_document_lines_converted", "'Inclusive'", "'Exclusive'"),
    "a transfer counted twice": (
        "int_posting_documents_gathered",
        "and not bank_transactions.is_transfer",
        "",
    ),
    "a prepayment on the control account": (
        "int_settlements_posted",
        "sides.document_kind = 'prepayment'",
        "sides.document_kind = 'nothing'",
    ),
    "a payment at its own rate": (
        "int_settlement_sides_converted",
        "sign * (money_base_amount - base_amount) as gain_base_amount",
        "0 as gain_base_amount",
    ),
    "a cent left over on the wrong line": (
        "int_document_lines_converted",
        "order by abs(net_amount) desc",
        "order by abs(net_amount) asc",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_one_mistake_is_seen(ledgers, mistake):
    name = "every document"
    company = ledgers.companies[name]
    with psycopg.connect(ledgers.dsn) as connection:
        _build_with(connection, ledgers.compiled, *MISTAKES[mistake])
        wrong = {
            basis: differences(
                built_movements(connection, basis, company.tenant_id),
                movements_of(ledger_of(company, basis).journals),
                ledger_of(company, basis),
            )
            for basis in LEDGERS
        }
        connection.rollback()
    assert bool(wrong["accrual"]) == (mistake != "none")


def _build_with(
    connection: psycopg.Connection[Any],
    compiled: dict[str, str],
    model: str,
    right: str,
    wrong: str,
) -> None:
    """Fill the ledgers' tables anew from the compiled SQL, one model of which is changed."""
    for name in CHAIN[CHAIN.index(model) :]:
        query = compiled[name]
        if name == model:
            assert right in query
            query = query.replace(right, wrong)
        schema = "xero_marts" if name.startswith("fct_") else "xero_intermediate"
        if name.endswith("_posted"):
            connection.execute(f"create or replace view {schema}.{name} as {query}")
        else:
            connection.execute(f"truncate {schema}.{name}")
            connection.execute(f"insert into {schema}.{name} {query}")
