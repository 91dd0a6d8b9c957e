"""Xero's own demo companies and published examples, from the payloads beside the clone."""

from __future__ import annotations

import json

from airflow_xero.endpoint import Reading
from airflow_xero.endpoints import ENDPOINTS, report_key
from tests.conftest import REAL_PAYLOADS
from tests.warehouse.marts.pretend_books import LAST_DAY, Records, organisation

# What the demo companies have; their examples would need contacts and accounts of their own.
DEMO_ENDPOINTS = {
    "accounts",
    "bank_transactions",
    "contacts",
    "credit_notes",
    "currencies",
    "invoices",
    "payments",
    "tax_rates",
    "trial_balances",
}


def australia() -> Records:
    """Xero's Demo Company (AU) as recorded in 2010 and 2011: no timezone, no allocations."""
    files = {
        "organisations": ("organisations.json", "Organisations"),
        "tax_rates": ("tax_rates.json", "TaxRates"),
        "accounts": ("accounts.json", "Accounts"),
        "contacts": ("contacts-full.json", "Contacts"),
        "invoices": ("invoices-full.json", "Invoices"),
        "credit_notes": ("credit_notes-full.json", "CreditNotes"),
        "payments": ("payments.json", "Payments"),
        "manual_journals": ("manual_journals-full.json", "ManualJournals"),
    }
    folder = REAL_PAYLOADS / "demo-company-au-2011"
    records: Records = {
        endpoint: json.loads((folder / name).read_text(encoding="utf-8"))[key]
        for endpoint, (name, key) in files.items()
    }
    report = json.loads((folder / "trial_balance.json").read_text(encoding="utf-8"))["Reports"][0]
    records["trial_balances"] = [report | {"ReportID": "TrialBalance:2011-03-23:accrual"}]
    return records


def new_zealand() -> Records:
    """79 invoices of Xero's Demo Company (NZ), and nothing else but the organisation."""
    page = REAL_PAYLOADS / "demo-company-nz-2020" / "demo-nz-2020-invoices-page1.json"
    return {
        "organisations": [organisation("Demo Company (NZ)")],
        "invoices": json.loads(page.read_text(encoding="utf-8"))["Invoices"],
    }


def published() -> Records:
    """The examples that Xero publishes of everything the demo companies do not have."""
    folder = REAL_PAYLOADS / "openapi-examples"
    records: Records = {"organisations": [organisation("Published")]}
    for endpoint in ENDPOINTS:
        file = folder / f"get_{endpoint.path.replace('/', '_')}_200.json"
        if endpoint.name in records or endpoint.name in DEMO_ENDPOINTS or not file.is_file():
            continue
        found = json.loads(file.read_text(encoding="utf-8"))[endpoint.array_key]
        if endpoint.reading is Reading.REPORT:
            found = [found[0] | {"ReportID": report_key(endpoint, LAST_DAY)}]
        records[endpoint.name] = found
    return records
