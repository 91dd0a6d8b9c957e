"""The accounting routes alone: lists, pages, filters and records by id, without identity."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.asking import NOW, Xero
from xero_sandbox.api.accounting import SCOPES, routes
from xero_sandbox.api.resources import REPORTS, RESOURCES, scopes_of
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.reports import REPORT_NAMES

PATHS = (
    "Organisation",
    "Currencies",
    "TaxRates",
    "Accounts",
    "Contacts",
    "Invoices",
    "CreditNotes",
    "Payments",
    "BankTransactions",
)


@pytest.fixture(scope="module")
def company() -> Company:
    traits = {"invoices_per_day": 4, "currencies": ["EUR"]}
    each = build_company("Routes Ltd", seed=9, days=200, now=NOW, traits=traits)
    each.advance(NOW)
    return each


@pytest.fixture(scope="module")
def xero(company: Company) -> Xero:
    return Xero(company)


def get(xero: Xero, path: str, **headers: str) -> Any:
    return xero.body(path, None, **headers)


def milliseconds(record: dict[str, Any]) -> int:
    return int(re.fullmatch(r"/Date\((\d+)\+0000\)/", record["UpdatedDateUTC"])[1])  # type: ignore[index]


@pytest.mark.parametrize("path", PATHS)
def test_every_list_has_the_envelope_and_its_array(xero: Xero, path: str) -> None:
    body = get(xero, path)
    key = "Organisations" if path == "Organisation" else path
    assert list(body) == ["Id", "Status", "ProviderName", "DateTimeUTC", key]
    assert body["DateTimeUTC"] == "/Date(1795176000000)/"
    assert body[key]


@pytest.mark.parametrize("path", [resource.path for resource in RESOURCES])
def test_every_resource_has_scopes_granular_first(path: str) -> None:
    assert scopes_of(path)[0].endswith(".read")
    assert scopes_of(path) == SCOPES[path]


def test_every_operation_of_a_path_is_found_once_and_is_called_with_a_scope() -> None:
    paths = [route.path for route in routes]
    assert len(paths) == len(set(paths))
    assert {route.path for route in routes if not route.scopes} == {"/Reports/{report}"}


@pytest.mark.parametrize("path", ["Contacts", "Invoices", "CreditNotes", "Payments"])
def test_pages_together_are_the_whole_list_in_order(xero: Xero, path: str) -> None:
    whole = get(xero, f"{path}?pageSize=1000&includeArchived=True")
    assert whole["pagination"] == {
        "page": 1,
        "pageSize": 1000,
        "pageCount": 1,
        "itemCount": len(whole[path]),
    }
    size = max(1, len(whole[path]) // 3)
    walked, page = [], 1
    while found := get(xero, f"{path}?page={page}&pageSize={size}&includeArchived=true")[path]:
        walked += found
        page += 1
    assert walked == whole[path]
    id_field = {"Contacts": "ContactID", "Invoices": "InvoiceID"}.get(path, path[:-1] + "ID")
    keys = [(milliseconds(record), record[id_field]) for record in walked]
    assert keys == sorted(keys)
    assert len({key for _, key in keys}) == len(keys)


def test_a_page_has_lines_and_an_unpaged_list_has_none(xero: Xero) -> None:
    for path in ("Invoices", "CreditNotes", "BankTransactions"):
        assert all(record["LineItems"] for record in get(xero, f"{path}?page=1")[path])
        unpaged = get(xero, path)
        assert "pagination" not in unpaged
        assert not any(record["LineItems"] for record in unpaged[path])
        assert set(unpaged[path][0]["Contact"]) == {
            "ContactID", "Name", "Addresses", "Phones", "ContactGroups", "ContactPersons",
            "HasValidationErrors",
        }  # fmt: skip
        assert unpaged[path][0]["Contact"]["Addresses"] == []


def test_balances_are_sent_in_pages_and_equal_the_open_invoices(xero: Xero) -> None:
    assert not any("Balances" in record for record in get(xero, "Contacts")["Contacts"])
    contacts = get(xero, "Contacts?page=1&includeArchived=true")["Contacts"]
    invoices = get(xero, "Invoices?pageSize=1000")["Invoices"]
    credits_ = get(xero, "CreditNotes?pageSize=1000")["CreditNotes"]
    outstanding = {c["ContactID"]: c["Balances"]["AccountsReceivable"]["Outstanding"]
                   for c in contacts if "Balances" in c}  # fmt: skip
    assert outstanding
    for contact_id, shown in outstanding.items():
        due = sum(
            invoice["AmountDue"]
            for invoice in invoices
            if invoice["Contact"]["ContactID"] == contact_id
            and invoice["Type"] == "ACCREC"
            and invoice["Status"] == "AUTHORISED"
        )
        credit = sum(
            note["RemainingCredit"]
            for note in credits_
            if note["Contact"]["ContactID"] == contact_id and note["Type"] == "ACCRECCREDIT"
        )
        assert shown == due - credit


def test_if_modified_since_filters_by_whole_seconds_and_never_answers_304(
    xero: Xero,
) -> None:
    invoices = get(xero, "Invoices?pageSize=1000")["Invoices"]
    middle = invoices[len(invoices) // 2]
    moment = datetime.fromtimestamp(milliseconds(middle) // 1000, UTC)
    since = moment.strftime("%Y-%m-%dT%H:%M:%S")
    found = get(xero, "Invoices?pageSize=1000", If_Modified_Since=since)["Invoices"]
    whole_second = int(moment.timestamp()) * 1000
    assert found == [record for record in invoices if milliseconds(record) >= whole_second]
    same = moment.astimezone(UTC) + timedelta(hours=2)
    shifted = f"{same:%Y-%m-%dT%H:%M:%S}+02:00"
    assert get(xero, "Invoices?pageSize=1000", If_Modified_Since=shifted)["Invoices"] == found
    later = get(xero, "Invoices?page=1", If_Modified_Since="2026-11-20T12:00:01")
    assert later["Invoices"] == []
    assert later["pagination"]["itemCount"] == 0


def test_a_record_by_id_has_lines_and_the_whole_contact(xero: Xero) -> None:
    for path, id_field in (("Invoices", "InvoiceID"), ("CreditNotes", "CreditNoteID")):
        listed = get(xero, f"{path}?page=1")[path][0]
        body = get(xero, f"{path}/{listed[id_field].upper()}")
        [record] = body[path]
        assert "pagination" not in body
        assert record["LineItems"] == listed["LineItems"]
        assert record["Contact"]["ContactStatus"]
        assert len(record["Contact"]["Phones"]) == 4
        shared = {key: value for key, value in record.items() if key in listed}
        assert {**shared, "Contact": None} == {**listed, "Contact": None}
        assert set(record) - set(listed) <= {"RoundingAmount", "EnteredTotal"}


@pytest.mark.parametrize(
    ("path", "id_field"),
    [
        ("Accounts", "AccountID"),
        ("Contacts", "ContactID"),
        ("Payments", "PaymentID"),
        ("BankTransactions", "BankTransactionID"),
        ("TaxRates", "TaxType"),
    ],
)
def test_every_record_can_be_asked_for_by_its_id(xero: Xero, path: str, id_field: str) -> None:
    for listed in get(xero, path)[path][:3]:
        [record] = get(xero, f"{path}/{listed[id_field]}")[path]
        assert record[id_field] == listed[id_field]


def test_an_invoice_can_be_asked_for_by_its_number(xero: Xero) -> None:
    [record] = get(xero, "Invoices/INV-0003")["Invoices"]
    assert record["InvoiceNumber"] == "INV-0003"


@pytest.mark.parametrize("path", ["Invoices/no-such-thing", "Reports/NoSuchReport"])
def test_what_is_not_there_is_a_404_in_plain_text(xero: Xero, path: str) -> None:
    response = xero.get(f"/{path}")
    assert response.status_code == 404
    assert response.text == "The resource you're looking for cannot be found"


def test_archived_contacts_are_hidden_unless_asked_for(xero: Xero, company: Company) -> None:
    first = next(iter(company.books.contacts))
    company.act("archive_contact", {"id": first}, now=NOW)
    shown = get(xero, "Contacts")["Contacts"]
    everyone = get(xero, "Contacts?includeArchived=true")["Contacts"]
    assert {contact["ContactStatus"] for contact in shown} == {"ACTIVE"}
    archived = [c for c in everyone if c["ContactStatus"] == "ARCHIVED"]
    assert archived
    assert len(everyone) == len(shown) + len(archived)


def test_ids_statuses_numbers_and_contacts_select_invoices(xero: Xero) -> None:
    invoices = get(xero, "Invoices?pageSize=1000")["Invoices"]
    wanted = [invoices[3], invoices[8]]
    ids = ",".join(invoice["InvoiceID"] for invoice in wanted)
    assert get(xero, f"Invoices?IDs={ids}")["Invoices"] == wanted
    numbers = [i["InvoiceNumber"] for i in invoices if i["Type"] == "ACCREC"][:2]
    found = get(xero, f"Invoices?InvoiceNumbers={','.join(numbers)}")["Invoices"]
    assert sorted(i["InvoiceNumber"] for i in found) == sorted(numbers)
    body = get(xero, "Invoices?Statuses=DRAFT,VOIDED&pageSize=1000")
    assert body["Invoices"] == [i for i in invoices if i["Status"] in ("DRAFT", "VOIDED")] != []
    assert "pagination" in get(xero, "Invoices?statuses=PAID")
    contact = invoices[0]["Contact"]["ContactID"]
    assert {
        i["Contact"]["ContactID"] for i in get(xero, f"Invoices?ContactIDs={contact}")["Invoices"]
    } == {contact}


def test_a_summary_is_paged_and_leaves_out_what_takes_long(xero: Xero) -> None:
    body = get(xero, "Invoices?summaryOnly=true")
    assert body["pagination"]["page"] == 1
    record = body["Invoices"][0]
    assert record["LineItems"] == []
    assert not {"Payments", "CreditNotes", "HasAttachments"} & set(record)
    assert "Addresses" not in get(xero, "Contacts?page=1&summaryOnly=true")["Contacts"][0]


def test_unit_prices_have_two_decimals_unless_four_are_asked_for(xero: Xero) -> None:
    def prices(query: str) -> list[Decimal]:
        invoices = get(xero, f"Invoices?pageSize=1000{query}")["Invoices"]
        return [line["UnitAmount"] for invoice in invoices for line in invoice["LineItems"]]

    two, four = prices(""), prices("&unitdp=4")
    assert {price.as_tuple().exponent for price in two} == {-2}
    assert {price.as_tuple().exponent for price in four} == {-4}
    assert any(price != whole for price, whole in zip(four, two, strict=True))
    assert all(abs(a - b) <= Decimal("0.005") for a, b in zip(four, two, strict=True))


def test_the_reports_are_those_that_the_books_can_give() -> None:
    assert set(REPORTS) == set(REPORT_NAMES)


def test_the_trial_balance_is_one_report_of_the_organisation(xero: Xero) -> None:
    body = get(xero, "Reports/TrialBalance?date=2026-11-19")
    [report] = body["Reports"]
    assert report["ReportTitles"] == ["Trial Balance", "Routes Ltd", "As at 19 November 2026"]


def test_amounts_are_numbers_with_their_places_and_dates_escaped(xero: Xero) -> None:
    text = xero.get("/Invoices?page=1").text
    assert re.search(r'"Total": \d+\.\d\d,\r\n', text)
    assert re.search(r'"Quantity": \d+\.\d{4},\r\n', text)
    assert re.search(r'"Date": "\\/Date\(\d+\+0000\)\\/"', text)


def test_a_changed_record_is_served_changed(xero: Xero, company: Company) -> None:
    before = get(xero, "Invoices?pageSize=1000")["Invoices"]
    open_one = next(i for i in before if i["Status"] == "AUTHORISED")
    company.act("pay", {"id": open_one["InvoiceID"]}, now=NOW)
    after = get(xero, "Invoices?pageSize=1000")["Invoices"]
    assert after[-1]["InvoiceID"] == open_one["InvoiceID"]
    assert after[-1]["Status"] == "PAID"
    unchanged = [i for i in before if i is not open_one]
    assert after[:-1] == unchanged


def test_an_invoice_asked_for_as_pdf_is_one(xero: Xero) -> None:
    answer = xero.get("/Invoices/INV-0003", {"Accept": "application/pdf"})
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    for accept, kind in (
        ("application/pdf;q=0.9, application/json;q=0.1", "application/pdf"),
        ("application/json;q=0, application/pdf", "application/pdf"),
        ("application/pdf, application/json", "application/json"),
        ("application/pdf;q=0, application/json;q=0.2", "application/json"),
    ):
        chosen = xero.get("/Invoices/INV-0003", {"Accept": accept})
        assert chosen.headers["content-type"].startswith(kind), accept
    assert xero.get("/Contacts/no-such-thing", {"Accept": "application/pdf"}).status_code == 404
