"""Given payloads are served record for record as they are; our own are spelled like Xero's."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.asking import Xero
from xero_sandbox.reports import REPORT_NAMES
from xero_sandbox.testing import SandboxServer
from xero_sandbox.wire.format import dump
from xero_sandbox.wire.payloads import PayloadError, load_payloads
from xero_sandbox.wire.records import Shape
from xero_sandbox.wire.shelving import RESOURCES

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
    "TaxRates": 10,
    "Accounts": 56,
    "Contacts": 104,
    "Invoices": 82,
    "CreditNotes": 8,
    "Payments": 50,
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
    found = {name: len(organisation.records(name)) for name in RESOURCES}
    assert {name: count for name, count in found.items() if count} == COUNTS_AU
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
    assert organisation.report("TrialBalance", asked | {"standardLayout": "true"}) == stored
    assert organisation.report("Unheard", {}) is None


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


def test_a_journal_without_its_number_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Journals.json").write_text('{"Journals": [{"JournalID": "a"}]}')
    with pytest.raises(PayloadError, match="has no JournalNumber"):
        load_payloads(tmp_path)


def test_a_given_paper_with_nothing_on_it_is_a_pdf_all_the_same(tmp_path: Path) -> None:
    bare = {"InvoiceID": "a", "Contact": None, "LineItems": None, "DateString": None}
    (tmp_path / "Invoices.json").write_text(json.dumps({"Invoices": [bare]}))
    answer = Xero(load_payloads(tmp_path, "Bare")).get("/Invoices/a/pdf")
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.parametrize("name", ["invoices.csv", "My invoices.json", "Reports/TrailBalance.json"])
def test_a_folder_without_any_name_of_the_convention_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    named = r"Invoices\.json.*Reports/TrialBalance@date=2011-03-23\.json"
    with pytest.raises(PayloadError, match=named):
        load_payloads(tmp_path)


def test_the_control_door_names_the_convention_to_who_gives_another_folder(
    xero_sandbox: SandboxServer, tmp_path: Path
) -> None:
    (tmp_path / "invoices-full.json").write_text('{"Invoices": []}')
    with pytest.raises(ValueError, match=r"400.*like Accounts\.json, Invoices\.json"):
        xero_sandbox.control("POST", "organisations", {"payloads": str(tmp_path)})


def test_what_is_not_in_the_folder_is_empty(tmp_path: Path) -> None:
    (tmp_path / "Journals.json").write_text('{"Journals": []}')
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


EVERYTHING: dict[str, dict[str, Any]] = {
    "BankTransfers": {"BankTransferID": "a", "CreatedDateUTC": "/Date(1476737161140+0000)/"},
    "ManualJournals": {"ManualJournalID": "b", "JournalLines": [{"LineAmount": 1}]},
    "ContactGroups": {"ContactGroupID": "c", "Name": "Oasis", "Contacts": [{"Name": "Noel"}]},
    "Budgets": {"BudgetID": "d", "BudgetLines": [{"AccountCode": "200"}]},
    "Users": {"UserID": "e", "UpdatedDateUTC": "/Date(1508523261613+0000)/"},
    "Journals": {"JournalID": "f", "JournalNumber": 7, "JournalLines": [{"NetAmount": 1}]},
    "Quotes": {"QuoteID": "g", "QuoteNumber": "QU-7", "LineItems": []},
    "Invoices": {"InvoiceID": "h", "Attachments": [{"FileName": "scan.pdf"}]},
}


@pytest.fixture
def given(tmp_path: Path) -> Xero:
    for key, record in EVERYTHING.items():
        (tmp_path / f"{key}.json").write_text(json.dumps({key: [record]}))
    return Xero(load_payloads(tmp_path, "Given"))


@pytest.mark.parametrize("key", EVERYTHING)
def test_every_resource_can_be_given_and_is_served_by_id_as_it_is(given: Xero, key: str) -> None:
    record = EVERYTHING[key]
    [served] = given.body(f"{key}/{next(iter(record.values()))}")[key]
    assert served == record


def test_lines_and_members_of_given_records_are_left_out_of_lists(given: Xero) -> None:
    assert given.body("ManualJournals")["ManualJournals"][0]["JournalLines"] == []
    assert given.body("ContactGroups")["ContactGroups"][0]["Contacts"] == []
    assert given.body("Budgets")["Budgets"][0]["BudgetLines"] == []


def test_given_journals_are_read_by_offset_and_by_number(given: Xero) -> None:
    assert given.body("Journals")["Journals"] == [EVERYTHING["Journals"]]
    assert given.body("Journals?offset=7")["Journals"] == []
    assert given.body("Journals/7")["Journals"] == [EVERYTHING["Journals"]]
    assert given.get("/Journals/8").status_code == 404


def test_what_hangs_on_a_given_record_is_what_the_record_says(given: Xero) -> None:
    assert given.body("Invoices/h/Attachments")["Attachments"] == [{"FileName": "scan.pdf"}]
    assert given.body("Invoices/h/History")["HistoryRecords"] == []
    assert given.get("/Invoices/h/Attachments/scan.pdf").status_code == 404
    assert given.get("/Quotes/g/pdf").content.startswith(b"%PDF-")


@pytest.mark.parametrize("name", [name for name in REPORT_NAMES if name != "TenNinetyNine"])
@pytest.mark.parametrize("basis", ["false", "true"])
def test_a_report_that_was_not_given_is_blank(tmp_path: Path, name: str, basis: str) -> None:
    contact = {"ContactID": "11111111-1111-4111-8111-111111111111", "Name": "Noel"}
    (tmp_path / "Contacts.json").write_text(json.dumps({"Contacts": [contact]}))
    organisation = load_payloads(tmp_path, "Given & Co")
    organisation.advance(NOW)
    xero = Xero(organisation)
    params = {"date": "2026-03-31", "paymentsOnly": basis, "contactId": contact["ContactID"]}
    [report] = xero.body(f"Reports/{name}", params)["Reports"]
    assert "Given & Co" in report["ReportTitles"] or name.startswith("Aged")
    assert report["Rows"][0]["RowType"] == "Header"
    written = json.dumps(report["Rows"])
    assert '"account"' not in written
    assert '"accountID"' not in written


def test_given_transfers_go_by_when_they_were_made(given: Xero) -> None:
    for since, count in (("2016-10-17T00:00:00", 1), ("2016-10-18T00:00:00", 0)):
        body = given.body("BankTransfers", If_Modified_Since=since)
        assert len(body["BankTransfers"]) == count
