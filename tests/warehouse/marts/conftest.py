"""One warehouse for every test of the marts: organisations loaded by SQL, built by dbt.

The organisations: the two real demo companies and Xero's published examples (where their payloads
are at hand), three of the sandbox's (their ledgers are code of their own; one has records of every
kind), two more that are loaded with Journals besides, pretend books from a seed in two versions
(two nights), a twin with the same ids and other amounts, one without documents, one with a single
draft, one whose account is of an unknown type, one of mistyped years, one that has manual journals
alone, one that applied a credit which may not be read, one whose values no column holds, and one
whose first extraction never finished.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local_stack.postgres import EmbeddedPostgres
from tests.conftest import REAL_PAYLOADS
from tests.warehouse.marts.ledger_books import (
    WITH_DOCUMENTS,
    load,
    load_reports,
    with_journals,
)
from tests.warehouse.marts.loaded import Built, Tenant, Warehouse, store
from tests.warehouse.marts.pretend_books import (
    Books,
    Records,
    beyond_measure,
    by_hand,
    day_of,
    debtors_report,
    half_read,
    journals_beyond_measure,
    mistyped,
    one_draft,
    organisation,
    reports_beyond_measure,
    unknown_type,
)
from tests.warehouse.marts.recorded_books import australia, new_zealand, published
from tests.warehouse.marts.said_books import said_by
from xero_sandbox.business.company import Company, build_company

FIRST_NIGHT = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
SECOND_NIGHT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _pretend_tenants() -> dict[str, Tenant]:
    books, twin = Books(1), Books(2)
    first = copy.deepcopy(books.records)
    books.next_night()
    nothing: Records = {"organisations": [organisation("Nothing yet", Timezone="MARSTIME")]}
    return {
        "books": Tenant(_id(1), {FIRST_NIGHT: first, SECOND_NIGHT: books.records}),
        "twin": Tenant(_id(2), {SECOND_NIGHT: twin.records}),
        "empty": Tenant(_id(3), {SECOND_NIGHT: nothing}),
        "unfinished": Tenant(_id(4), {SECOND_NIGHT: books.records}, is_complete=False),
        "one draft": Tenant(_id(8), {SECOND_NIGHT: one_draft()}),
        "unknown type": Tenant(_id(9), {SECOND_NIGHT: unknown_type()}),
        "mistyped": Tenant(_id(10), {SECOND_NIGHT: mistyped()}),
        "by hand": Tenant(_id(11), {SECOND_NIGHT: by_hand()}),
        "half read": Tenant(_id(12), {SECOND_NIGHT: half_read()}),
        "beyond measure": Tenant(_id(13), {SECOND_NIGHT: beyond_measure()}),
        "journals beyond measure": Tenant(
            _id(14), {SECOND_NIGHT: journals_beyond_measure()}, has_journals=True
        ),
        "reports beyond measure": Tenant(_id(15), {SECOND_NIGHT: reports_beyond_measure()}),
    }


@pytest.fixture(scope="session")
def companies() -> dict[str, Company]:
    """The sandbox's organisations: in base currency alone, in three, with all there can be."""
    traits: dict[str, dict[str, Any]] = {
        "ledger": {},
        "foreign ledger": {"country": "US", "currencies": ["EUR", "GBP"]},
        "every kind": {"features": ["all"]},
    }
    made = {
        name: build_company(name, seed=11, days=150, now=SECOND_NIGHT, traits=given)
        for name, given in traits.items()
    }
    for company in made.values():
        company.advance(SECOND_NIGHT)
    everything = made["every kind"]
    deleted = everything.records("BankTransfers")[-1]["BankTransferID"]
    everything.act("delete_transfer", {"id": deleted}, now=SECOND_NIGHT)
    waiting = {"type": "ACCPAY", "status": "SUBMITTED", "date": "2026-11-10", "amount": "55.00"}
    everything.act("create_invoice", waiting, now=SECOND_NIGHT)
    return made


@pytest.fixture(scope="session")
def ledger_companies() -> dict[str, Company]:
    """The sandbox's organisations whose documents tell everything, each loaded in two ways.

    Without Journals under its own id, with them under another one.
    """
    # Reports revalue foreign balances on every day, which documents do not: one has none.
    at_home = [name for name in WITH_DOCUMENTS if name != "foreign_banks"]
    traits: dict[str, dict[str, Any]] = {
        "every document": {
            "features": list(WITH_DOCUMENTS),
            "currencies": ["USD", "EUR", "JPY"],
        },
        "one currency": {"features": at_home, "year_end": [30, 9]},
    }
    made = {
        name: build_company(name, seed=seed, days=130, now=SECOND_NIGHT, traits=given)
        for seed, (name, given) in enumerate(traits.items(), start=42)
    }
    for company in made.values():
        company.advance(SECOND_NIGHT)
        company.act("create_manual_journal", taxed_by_hand(company), now=SECOND_NIGHT)
    return made


def taxed_by_hand(company: Company) -> dict[str, Any]:
    """A manual journal with tax on one side alone, so that something is left on the tax account."""
    tax = max(company.books.country.tax_rates, key=lambda each: each.rate)
    taxed = {"account_code": "429", "amount": "200.00", "tax_type": tax.tax_type}
    whole = {"account_code": "453", "amount": str(-200 - 2 * tax.rate)}
    return {"date": "2026-11-10", "narration": "Taxed by hand", "lines": [taxed, whole]}


def _real_tenants() -> dict[str, Tenant]:
    nz = new_zealand()
    nz["accounts"] = [{"AccountID": "debtors", "Type": "CURRENT", "SystemAccount": "DEBTORS"}]
    nz["trial_balances"] = [debtors_report(nz)]
    return {
        "australia": Tenant(_id(5), {SECOND_NIGHT: australia()}, date(2011, 6, 30)),
        "new zealand": Tenant(_id(6), {SECOND_NIGHT: nz}, date(2020, 5, 5)),
        "published": Tenant(_id(7), {SECOND_NIGHT: published()}),
    }


def _id(number: int) -> str:
    return f"aaaaaaaa-0000-4000-8000-{number:012}"


@pytest.fixture(scope="session")
def loaded_warehouse(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    companies: dict[str, Company],
    ledger_companies: dict[str, Company],
) -> Iterator[Warehouse]:
    """The organisations in the raw tables, nothing built yet."""
    postgres_server.create_database("marts", template=warehouse_template)
    tenants = _pretend_tenants() | (_real_tenants() if REAL_PAYLOADS.is_dir() else {})
    tenants |= {
        name: Tenant(company.tenant_id, {SECOND_NIGHT: said_by(company)})
        for name, company in companies.items()
    }
    dsn = postgres_server.dsn("marts")
    with psycopg.connect(dsn) as connection:
        for tenant in tenants.values():
            store(connection, tenant)
    load(dsn, ledger_companies.values())
    load_reports(dsn, ledger_companies.values())
    for name, company in ledger_companies.items():
        tenants[name] = Tenant(company.tenant_id, {SECOND_NIGHT: {}})
        tenants[f"{name}, journals"] = Tenant(with_journals(company), {SECOND_NIGHT: {}})
    yield Warehouse(dsn, tmp_path_factory.mktemp("dbt"), tenants)
    postgres_server.drop_database("marts")


@pytest.fixture(scope="session")
def built(loaded_warehouse: Warehouse) -> Built:
    """Everything built and tested once, unit tests included."""
    statuses = loaded_warehouse.dbt("build")
    # Read at once: the next build writes other ones into the same place.
    # A unit test's stand-in for a model bears its name, in a folder named like the yml: the model's
    # own comes later.
    paths = sorted(
        (loaded_warehouse.target / "compiled").rglob("*.sql"),
        key=lambda path: not path.parent.name.endswith(".yml"),
    )
    compiled = {path.stem: path.read_text(encoding="utf-8") for path in paths}
    return Built(loaded_warehouse, statuses, compiled)


@pytest.fixture
def marts(built: Built) -> Warehouse:
    """The built warehouse."""
    return built.warehouse


@pytest.fixture(scope="session")
def first_night(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The warehouse with its first night rebuilt beside the marts, 60 days restated."""
    # A target of its own: other variables would spoil the partial parse of the next build.
    beside = replace(built.warehouse, target=tmp_path_factory.mktemp("dbt_first_night"))
    beside.dbt(
        *("build", "--resource-type", "seed", "--resource-type", "model"),
        *("--select", "+dim_tenants", "+rpt_daily_statistics"),
        known_at=FIRST_NIGHT.isoformat(),
        schema_suffix="first_night",
        restated_days=60,
    )
    return beside


@pytest.fixture(scope="session")
def xero_day() -> Callable[[str], date]:
    """The UTC date of a Xero stamp."""
    return day_of


@pytest.fixture
def nights() -> tuple[datetime, datetime]:
    """The two moments of knowledge of the pretend books."""
    return FIRST_NIGHT, SECOND_NIGHT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a file waits for a whole build, longer than other tests ever take."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(900))
