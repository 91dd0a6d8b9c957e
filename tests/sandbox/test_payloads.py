"""Given payloads are served record for record as they are; our own are spelled like Xero's."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from xero_sandbox.company import build_company
from xero_sandbox.payloads import PayloadError, load_payloads
from xero_sandbox.records import Shape
from xero_sandbox.shelving import RESOURCES
from xero_sandbox.wire import dump

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

# Name by the convention, and where the recording is.
AU = {
    "Accounts": "accounts",
    "Contacts": "contacts-full",
    "Invoices": "invoices-full",
    "CreditNotes": "credit_notes-full",
    "Payments": "payments",
    "TaxRates": "tax_rates",
    "Organisations": "organisations",
}
COUNTS_AU = {
    "Organisations": 1,
    "Currencies": 0,
    "TaxRates": 10,
    "Accounts": 56,
    "Contacts": 104,
    "Invoices": 82,
    "CreditNotes": 8,
    "Payments": 50,
    "BankTransactions": 0,
}


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


@pytest.fixture
def demo_au(real_payloads: Path, tmp_path: Path) -> Path:
    folder = real_payloads / "demo-company-au-2011"
    for name, given in AU.items():
        shutil.copy(folder / f"{given}.json", tmp_path / f"{name}.json")
    (tmp_path / "Reports").mkdir()
    report = tmp_path / "Reports" / "TrialBalance@date=2011-03-23.json"
    shutil.copy(folder / "trial_balance.json", report)
    return tmp_path


@pytest.fixture
def demo_nz(real_payloads: Path, tmp_path: Path) -> Path:
    recorded = real_payloads / "demo-company-nz-2020" / "demo-nz-2020-invoices-page1.json"
    shutil.copy(recorded, tmp_path / "Invoices.json")
    return tmp_path


@pytest.mark.real_payloads
def test_every_record_of_demo_company_au_is_served_verbatim(demo_au: Path) -> None:
    organisation = load_payloads(demo_au)
    organisation.advance(NOW)
    assert {name: len(organisation.records(name)) for name in RESOURCES} == COUNTS_AU
    for name in AU:
        if name != "Organisations":
            given = read(demo_au / f"{name}.json")[name]
            by_text = sorted(dump(record) for record in given)
            assert sorted(dump(record) for record in organisation.records(name)) == by_text


@pytest.mark.real_payloads
def test_an_organisation_without_id_and_timezone_gets_its_tenant_id_and_nothing_else(
    demo_au: Path,
) -> None:
    organisation = load_payloads(demo_au)
    [record] = organisation.records("Organisations")
    [given] = read(demo_au / "Organisations.json")["Organisations"]
    assert "Timezone" not in record
    assert record == {**given, "OrganisationID": organisation.tenant_id}
    assert organisation.name == "Demo Company (AU)"
    renamed = load_payloads(demo_au, "Another")
    assert renamed.name == "Another"
    assert renamed.tenant_id != organisation.tenant_id


@pytest.mark.real_payloads
def test_a_stored_report_is_served_for_its_own_parameters(demo_au: Path) -> None:
    organisation = load_payloads(demo_au)
    organisation.advance(NOW)
    stored = read(demo_au / "Reports" / "TrialBalance@date=2011-03-23.json")["Reports"][0]
    asked = {"date": "2011-03-23", "paymentsOnly": "false"}
    assert organisation.report("TrialBalance", asked) == stored
    other: Any = organisation.report("TrialBalance", {"date": "2011-03-24"})
    assert [row["Cells"][1]["Value"] for row in other["Rows"][-1]["Rows"]] == ["0.00"]
    assert organisation.report("BalanceSheet", {}) is None


@pytest.mark.real_payloads
def test_every_invoice_of_demo_company_nz_is_served_verbatim_in_xeros_order(
    demo_nz: Path,
) -> None:
    organisation = load_payloads(demo_nz, "Demo NZ")
    given = read(demo_nz / "Invoices.json")["Invoices"]
    served = organisation.records("Invoices")
    assert len(served) == 79
    assert {str(r["InvoiceID"]): r for r in served} == {r["InvoiceID"]: r for r in given}
    # Two of them have one stamp; what Xero orders those by is not known.
    updated = [record["UpdatedDateUTC"] for record in served]
    assert updated == [record["UpdatedDateUTC"] for record in given]
    assert organisation.records("Contacts") == []
    [minimal] = organisation.records("Organisations")
    assert minimal == {
        "Name": "Demo NZ",
        "OrganisationStatus": "ACTIVE",
        "OrganisationID": organisation.tenant_id,
    }


@pytest.mark.real_payloads
def test_the_bytes_of_a_recorded_answer_are_written_again(demo_nz: Path) -> None:
    """Places, escapes, indentation and line ends: every record, byte for byte."""
    recorded = (demo_nz / "Invoices.json").read_bytes().decode()
    served = dump({"Invoices": load_payloads(demo_nz).records("Invoices")}).decode()
    assert sorted(texts_in(served)) == sorted(texts_in(recorded))


def texts_in(body: str) -> list[str]:
    """The texts of the invoices of an answer."""
    start, end = '  "Invoices": [\r\n    {\r\n', "\r\n    }\r\n  ]\r\n}"
    assert body.endswith(end)
    return body[body.index(start) + len(start) : -len(end)].split("\r\n    },\r\n    {\r\n")


def test_a_missing_folder_and_broken_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(PayloadError, match="no folder"):
        load_payloads(tmp_path / "nowhere")
    (tmp_path / "Invoices.json").write_text("not json")
    with pytest.raises(PayloadError, match=r"Invoices\.json cannot be read as JSON"):
        load_payloads(tmp_path)
    (tmp_path / "Invoices.json").write_text('{"Invoices": {}}')
    with pytest.raises(PayloadError, match="the array Invoices"):
        load_payloads(tmp_path)
    (tmp_path / "Invoices.json").write_text('{"Invoices": [{"Type": "ACCREC"}]}')
    with pytest.raises(PayloadError, match="has no InvoiceID"):
        load_payloads(tmp_path)


def test_an_empty_folder_is_an_organisation_without_data(tmp_path: Path) -> None:
    organisation = load_payloads(tmp_path, "Empty")
    counts = {name: len(organisation.records(name)) for name in RESOURCES}
    assert counts == {name: int(name == "Organisations") for name in RESOURCES}


def test_an_unpaged_list_of_payloads_has_no_lines_either(tmp_path: Path) -> None:
    invoice = {
        "InvoiceID": "a",
        "Contact": {"ContactID": "c", "Name": "n", "Addresses": [{"City": "x"}]},
        "LineItems": [{"LineAmount": 1}],
        "UpdatedDateUTC": "/Date(-80006400000+0000)/",
    }
    (tmp_path / "Invoices.json").write_text(json.dumps({"Invoices": [invoice]}))
    [entry] = load_payloads(tmp_path).entries("Invoices").ordered()
    assert entry.body(Shape.PAGE) == invoice
    assert entry.body(Shape.LIST) == {
        **invoice,
        "Contact": {"ContactID": "c", "Name": "n"},
        "LineItems": [],
    }
    assert entry.updated_at == datetime(1967, 6, 20, tzinfo=UTC)


# How our own records are spelled

# Not sent, each for a reason: what no company of ours has (attachments, batches, locks, long
# addresses), a slip of the pen in the published example, what only answers to writing have.
NOT_SENT = {
    "AddressLine2",
    "AddressLine3",
    "AddressLine4",
    "Attachments",
    "BankAccountNumber",
    "BatchPayment",
    "BatchPaymentID",
    "BrandingThemeID",
    "CompanyNumber",
    "ContactNumber",
    "EndOfYearLockDate",
    "OverpaymentID",
    "PeriodLockDate",
    "PrepaymentID",
    "PurchasesDefaultLineAmountType",
    "RepeatingInvoiceID",
    "SalesDefaultLineAmountType",
    "StatusAttributeString",
    "TaxNumbeType",
    "TaxNumber",
    "ValidationErrors",
}


@pytest.fixture(scope="module")
def own() -> Any:
    traits = {"invoices_per_day": 5, "customers": 10, "currencies": ["EUR"]}
    company = build_company("Spelling", seed=2, days=120, now=NOW, traits=traits)
    company.advance(NOW)
    return company


@pytest.mark.real_payloads
@pytest.mark.parametrize(
    ("example", "resource"),
    [
        ("get_Organisation_200", "Organisations"),
        ("get_Accounts_200", "Accounts"),
        ("get_Contacts_200", "Contacts"),
        ("get_Invoices_200", "Invoices"),
        ("get_CreditNotes_200", "CreditNotes"),
        ("get_Payments_200", "Payments"),
        ("get_BankTransactions_200", "BankTransactions"),
        ("get_TaxRates_200", "TaxRates"),
        ("get_Currencies_200", "Currencies"),
    ],
)
def test_our_records_have_the_keys_and_types_of_the_published_examples(
    real_payloads: Path, own: Any, example: str, resource: str
) -> None:
    published = read(real_payloads / "openapi-examples" / f"{example}.json")[resource]
    theirs = shape_of(published)
    ours = shape_of(own.records(resource))
    missing = {path for path in theirs if not set(path.split(".")) & NOT_SENT} - set(ours)
    assert missing == set()
    for path in set(theirs) & set(ours):
        assert theirs[path] & ours[path] or not theirs[path] or not ours[path], path


@pytest.mark.real_payloads
def test_our_invoices_have_the_keys_and_types_of_the_recorded_ones(
    real_payloads: Path, own: Any
) -> None:
    recorded = real_payloads / "demo-company-nz-2020" / "demo-nz-2020-invoices-page1.json"
    theirs = shape_of(read(recorded)["Invoices"])
    ours = shape_of(own.records("Invoices"))
    unknown = {path for path in theirs if not path.startswith("LineItems.Tracking.")} - set(ours)
    assert unknown == {"BrandingThemeID"}
    newer = set(ours) - set(theirs)
    assert newer == {"UpdatedDateUTCString", "PlannedPaymentDate", "LineItems.DiscountRate"}
    for path in set(theirs) & set(ours):
        assert theirs[path] & ours[path] or not theirs[path] or not ours[path], path


@pytest.mark.real_payloads
def test_our_trial_balance_has_the_keys_of_the_published_one(real_payloads: Path, own: Any) -> None:
    path = real_payloads / "openapi-examples" / "get_Reports_TrialBalance_200.json"
    theirs = shape_of(read(path)["Reports"])
    ours = shape_of([own.report("TrialBalance", {})])
    assert set(theirs) ^ set(ours) == {"ReportID"}
    assert all(theirs[key] == ours[key] for key in set(theirs) & set(ours) if theirs[key])


def shape_of(records: Any, path: str = "") -> dict[str, set[str]]:
    """Every key path of the records, with the kinds of value it has."""
    found: dict[str, set[str]] = {}
    for record in records:
        for key, value in record.items():
            here = f"{path}.{key}" if path else key
            found.setdefault(here, set())
            inner = value if isinstance(value, list) else [value]
            if inner and isinstance(inner[0], dict):
                for deeper, kinds in shape_of(inner, here).items():
                    found.setdefault(deeper, set()).update(kinds)
            elif not isinstance(value, list):
                found[here].add(_kind(value))
    return found


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | Decimal):
        return "number"
    text = str(value)
    return "date" if text.startswith("/Date(") else "text"
