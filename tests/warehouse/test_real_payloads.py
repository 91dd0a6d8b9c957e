"""Payloads of real Xero organisations: served as they are, and every record arrives."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from airflow_xero.endpoints import DEFAULT_ENDPOINTS
from tests.warehouse.extraction import BY_NAME, DAY, ConnectedApp
from tests.warehouse.marts.loaded import Warehouse
from xero_sandbox.testing import SandboxServer

pytestmark = pytest.mark.real_payloads

# Raw table, the file that was recorded, and its name by the sandbox's convention.
AU = {
    "accounts": ("accounts", "Accounts", 56),
    "contacts": ("contacts-full", "Contacts", 104),
    "invoices": ("invoices-full", "Invoices", 82),
    "credit_notes": ("credit_notes-full", "CreditNotes", 8),
    "payments": ("payments", "Payments", 50),
    "tax_rates": ("tax_rates", "TaxRates", 10),
    "organisations": ("organisations", "Organisations", 1),
}
AU_DAY = date(2011, 3, 23)


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        yield app


@pytest.fixture
def demo_au(real_payloads: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = real_payloads / "demo-company-au-2011"
    tmp_path = tmp_path_factory.mktemp("au")
    for recorded, name, _ in AU.values():
        shutil.copy(folder / f"{recorded}.json", tmp_path / f"{name}.json")
    (tmp_path / "Reports").mkdir()
    report = tmp_path / "Reports" / f"TrialBalance@date={AU_DAY.isoformat()}.json"
    shutil.copy(folder / "trial_balance.json", report)
    return tmp_path


@pytest.fixture
def demo_nz(real_payloads: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("nz")
    recorded = real_payloads / "demo-company-nz-2020" / "demo-nz-2020-invoices-page1.json"
    shutil.copy(recorded, tmp_path / "Invoices.json")
    return tmp_path


def records_of(path: Path) -> list[Any]:
    found: list[Any] = json.loads(path.read_text("utf-8-sig"), parse_float=Decimal)[path.stem]
    return found


def by_id(records: list[Any], table: str) -> dict[str, Any]:
    found = {record[BY_NAME[table].id_field]: record for record in records}
    assert len(found) == len(records)
    return found


AMOUNTS = ("Total", "SubTotal", "TotalTax", "AmountDue", "AmountPaid")


def sums_in_postgres(xero: ConnectedApp) -> dict[str, Decimal]:
    query = "select sum((payload ->> %s)::numeric) from xero_raw.invoices where known_to is null"
    return {field: xero.one(query, field)[0] for field in AMOUNTS}


def sums_in_file(path: Path) -> dict[str, Decimal]:
    records = records_of(path)
    return {field: sum((Decimal(r[field]) for r in records), Decimal(0)) for field in AMOUNTS}


def test_every_record_of_demo_company_au_arrives_as_it_was_recorded(xero, demo_au):
    tenant = xero.payloads(demo_au, "Demo Company (AU)")
    extracted = xero.extract(tenant, AU_DAY)
    assert extracted.state == "complete"
    for table, (_, name, count) in AU.items():
        given = records_of(demo_au / f"{name}.json")
        assert len(given) == count
        if table == "organisations":
            # The recording lacks the id, without which nobody can store it.
            given = [{**record, "OrganisationID": tenant.tenant_id} for record in given]
        assert xero.stored(tenant, table) == by_id(given, table), table
    read = {name: counts.records_read for name, counts in extracted.counts.items()}
    others = {
        endpoint.name: len(endpoint.report.bases) if endpoint.report else 0
        for endpoint in DEFAULT_ENDPOINTS
    }
    counts = {table: count for table, (_, _, count) in AU.items()}
    assert read == {**others, **counts}


def test_recorded_trial_balance_of_demo_company_au_arrives(xero, demo_au):
    tenant = xero.payloads(demo_au, "Demo Company (AU)")
    xero.extract(tenant, AU_DAY)
    recorded = demo_au / "Reports" / f"TrialBalance@date={AU_DAY.isoformat()}.json"
    [given] = json.loads(recorded.read_text(), parse_float=Decimal)["Reports"]
    assert xero.stored(tenant, "trial_balances") == {"TrialBalance:2011-03-23:accrual": given}


def test_invoices_of_demo_company_au_add_up_to_those_of_the_file(xero, demo_au):
    xero.extract(xero.payloads(demo_au, "Demo Company (AU)"), AU_DAY)
    expected = sums_in_file(demo_au / "Invoices.json")
    assert all(expected.values())
    assert sums_in_postgres(xero) == expected


def test_every_invoice_of_demo_company_nz_arrives_as_it_was_recorded(xero, demo_nz):
    tenant = xero.payloads(demo_nz, "Demo Company (NZ)")
    xero.extract(tenant)
    given = by_id(records_of(demo_nz / "Invoices.json"), "invoices")
    assert len(given) == 79
    assert xero.stored(tenant, "invoices") == given


def test_invoices_of_demo_company_nz_add_up_to_those_of_the_file(xero, demo_nz):
    xero.extract(xero.payloads(demo_nz, "Demo Company (NZ)"))
    expected = sums_in_file(demo_nz / "Invoices.json")
    assert all(expected.values())
    assert sums_in_postgres(xero) == expected


@pytest.mark.parametrize("company", ["demo_au", "demo_nz"])
def test_second_extraction_of_real_payloads_writes_no_version(xero, company, request):
    tenant = xero.payloads(request.getfixturevalue(company), "Given")
    xero.extract(tenant)
    before = xero.all_rows()
    xero.set_clock(xero.watermark().replace(year=2027))
    xero.extract(tenant)
    assert xero.all_rows() == before


def test_real_payloads_that_were_extracted_add_up_in_the_marts(
    xero, demo_au, demo_nz, warehouse_dsn, tmp_path_factory
):
    folders, tenants = {"au": demo_au, "nz": demo_nz}, {}
    for name, folder in folders.items():
        tenants[name] = xero.payloads(folder, name)
        xero.extract(tenants[name], AU_DAY if name == "au" else DAY)
    marts = Warehouse(warehouse_dsn, tmp_path_factory.mktemp("dbt"), tenants)
    models = ("--select", "+fct_invoices", "+fct_payments")
    marts.dbt("build", *models, "--exclude-resource-type", "test", "unit_test")
    for name, folder in folders.items():
        rows = marts.table("xero_marts.fct_invoices", name)
        given = records_of(folder / "Invoices.json")
        assert {row["invoice_id"] for row in rows} == {record["InvoiceID"] for record in given}
        for column, field in (("total_amount", "Total"), ("due_amount", "AmountDue")):
            assert sum(row[column] for row in rows) == sum(record[field] for record in given)
    payments = marts.table("xero_marts.fct_payments", "au")
    given = records_of(demo_au / "Payments.json")
    assert {row["payment_id"] for row in payments} == {record["PaymentID"] for record in given}
    assert sum(row["amount"] for row in payments) == sum(record["Amount"] for record in given)
