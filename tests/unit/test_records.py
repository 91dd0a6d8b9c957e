"""Records against the sandbox: every question a Dag author can ask, compared with the truth."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from airflow_xero.answers import moment_of
from airflow_xero.endpoint import Reading
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.offers import (
    NUMBER_FIELDS,
    WITH_ATTACHMENTS,
    WITH_HISTORY,
    WITH_PDF,
    WITHOUT_ROUTE_BY_ID,
)
from tests.unit.on_demand import NOW, Desk, floats_in
from tests.warehouse.extraction import write_payloads

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
LISTS = [each for each in ENDPOINTS if each.reading is not Reading.REPORT]
BY_ID = [each for each in LISTS if each.name not in WITHOUT_ROUTE_BY_ID]
CONTACT = "99999999-0000-0000-0000-000000000001"

every_endpoint = pytest.mark.parametrize("endpoint", BY_ID, ids=lambda each: each.name)


@pytest.fixture
def desk(xero_sandbox, app, http) -> Desk:
    """An organisation with records of every kind."""
    xero_sandbox.control("POST", "clocks", {"business": NOW.isoformat()})
    wanted = {"seed": 3, "days": 75, "traits": {"features": ["all"], "customers": 6}}
    made = xero_sandbox.control("POST", "organisations", {"name": "Everything", **wanted})
    return Desk(xero_sandbox, app, http, tenant_id=made["tenantId"])


# --- One record -----------------------------------------------------------------------------------


@every_endpoint
def test_a_record_comes_by_its_id_as_xero_has_it_and_without_a_float(endpoint, desk):
    listed = desk.truth(endpoint.path, endpoint.array_key, page="1", **endpoint.params)
    key = listed[0][endpoint.id_field]
    path = f"{endpoint.path}/{key}"
    (true,) = desk.truth(path, endpoint.array_key, **endpoint.params)

    got = desk.records.get(endpoint.name, key)

    assert got == true
    assert floats_in(got) == []
    assert desk.asked() == [(path, dict(endpoint.params))]


def test_a_record_comes_by_every_name_of_its_endpoint_and_by_a_uuid(desk):
    note = desk.truth("CreditNotes", "CreditNotes", page="1")[0]
    key = note["CreditNoteID"]

    for name in ("credit_notes", "CreditNotes", "creditnotes"):
        assert desk.records.get(name, UUID(key))["CreditNoteID"] == key
    assert desk.records.get("invoices", desk.do("create_invoice", amount=7)["InvoiceID"].upper())


def test_money_is_exact_to_the_last_digit(desk):
    made = desk.do("create_invoice", amount=98765432.10)

    got = desk.records.get("invoices", made["InvoiceID"])

    assert isinstance(got["Total"], Decimal)
    assert str(got["SubTotal"]) == "98765432.10"


def test_a_budget_comes_with_the_months_that_are_asked_for(desk):
    budget = desk.truth("Budgets", "Budgets")[0]["BudgetID"]
    window = {"DateFrom": date(2026, 10, 1), "DateTo": date(2026, 11, 30)}

    got = desk.records.get("budgets", budget, **window)

    periods = {each["Period"] for line in got["BudgetLines"] for each in line["BudgetBalances"]}
    assert periods == {"2026-10", "2026-11"}
    assert desk.asked()[-1][1] == {"DateFrom": "2026-10-01", "DateTo": "2026-11-30"}


def test_several_records_cost_a_call_for_many_and_unknown_ones_are_left_out(desk):
    invoices = [each["InvoiceID"] for each in desk.truth("Invoices", "Invoices", page="1")][:50]
    payments = [each["PaymentID"] for each in desk.truth("Payments", "Payments")][:3]
    unknown = "00000000-0000-0000-0000-00000000000a"

    got = desk.records.several("invoices", [*invoices[::-1], unknown, invoices[0]])
    calls = [path for path, _ in desk.asked()]
    paid = desk.records.several("payments", [unknown, *payments])

    assert [each["InvoiceID"] for each in got] == invoices[::-1]
    assert all(each["LineItems"] for each in got)
    assert len(invoices) == 50
    assert calls == ["Invoices"] * 2
    assert [each["PaymentID"] for each in paid] == payments


# --- Invoices of a contact, documents by number, changes --------------------------------------


def test_invoices_of_a_contact_are_all_of_them_with_lines(desk):
    invoices = desk.truth("Invoices", "Invoices", page="1", pageSize="1000", unitdp="4")
    contact = invoices[0]["Contact"]["ContactID"]
    true = [each for each in invoices if each["Contact"]["ContactID"] == contact]

    got = list(desk.records.invoices_of(contact))

    assert 1 < len(true) < len(invoices)
    assert got == true
    assert list(desk.records.invoices_of("00000000-0000-0000-0000-00000000000a")) == []


def test_invoices_of_a_contact_come_from_every_page(xero_sandbox, app, http, tmp_path):
    invoices = [
        {
            "InvoiceID": f"00000000-0000-0000-0000-{number:012d}",
            "Contact": {"ContactID": CONTACT if number % 2 else CONTACT.replace("9", "8")},
            "UpdatedDateUTC": f"/Date({1795000000000 + number}+0000)/",
        }
        for number in range(2_206)
    ]
    folder = write_payloads(tmp_path / "given", Invoices=invoices)
    made = xero_sandbox.control("POST", "organisations", {"payloads": str(folder), "name": "Given"})
    desk = Desk(xero_sandbox, app, http, tenant_id=made["tenantId"])

    got = [each["InvoiceID"] for each in desk.records.invoices_of(CONTACT)]

    assert set(got) == {each["InvoiceID"] for each in invoices[1::2]}
    assert len(got) == 1_103
    assert sorted(query["page"] for _, query in desk.asked()) == ["1", "2"]


@pytest.mark.parametrize("endpoint", NUMBER_FIELDS)
def test_documents_come_by_number_in_any_case_and_unknown_ones_are_left_out(endpoint, desk):
    row, field = BY_NAME[endpoint], NUMBER_FIELDS[endpoint]
    every = desk.truth(row.path, row.array_key, page="1", **row.params)
    numbers = [each[field] for each in every if each.get(field)][:3]
    # Every one of them begins with the same letters, and one may be the beginning of another.
    true = [each for number in numbers for each in every if each.get(field) == number]

    got = desk.records.numbered(endpoint, numbers[0].lower(), "NO-SUCH-1", *numbers)

    assert 1 <= len(numbers) <= len(true)
    assert [each[row.id_field] for each in got] == [each[row.id_field] for each in true]
    assert all(each["LineItems"] for each in got)
    assert floats_in(got) == []


def test_bills_that_share_a_number_all_come(desk):
    made = [desk.do("create_invoice", amount=7, type="ACCPAY", number="B-77") for _ in range(3)]

    got = desk.records.numbered("invoices", "B-77")

    assert {each["InvoiceID"] for each in got} == {each["InvoiceID"] for each in made}
    assert len(got) == 3


def test_many_numbers_are_asked_for_in_addresses_of_bounded_length(desk):
    numbers = [f"{'é' * 60}-{number}" for number in range(20)]
    made = desk.do("create_invoice", amount=7, type="ACCPAY", number=numbers[19])

    (got,) = desk.records.numbered("invoices", *numbers)

    assert got["InvoiceID"] == made["InvoiceID"]
    calls = desk.sandbox.control("GET", "requests")
    assert len(calls) == 5
    assert max(len(call["query"]) for call in calls) < 2_000


def test_changes_are_those_of_the_time_that_is_asked_for(desk):
    day = datetime(2026, 11, 10, tzinfo=UTC)
    every = desk.truth("Invoices", "Invoices", page="1", pageSize="1000", unitdp="4")
    stamps = {each["InvoiceID"]: moment_of(each["UpdatedDateUTC"]) for each in every}
    until = day + timedelta(days=7)

    got = [each["InvoiceID"] for each in desk.records.changed("Invoices", since=day, until=until)]

    assert sorted(got) == sorted(key for key, at in stamps.items() if at and day <= at < until)
    assert 0 < len(got) < len(every)


# --- What hangs on a record -------------------------------------------------------------------


@pytest.mark.parametrize("endpoint", sorted(WITH_HISTORY))
def test_the_history_of_a_record_is_the_one_that_xero_has(endpoint, desk):
    row = BY_NAME[endpoint]
    key = desk.truth(row.path, row.array_key, page="1", **row.params)[0][row.id_field]
    desk.do("add_note", id=key, details="called – they pay on Friday")
    true = desk.truth(f"{row.path}/{key}/History", "HistoryRecords")

    got = desk.records.history(endpoint, key)

    assert got == true
    assert got[0]["Details"] == "called – they pay on Friday"


@pytest.mark.parametrize("endpoint", sorted(WITH_ATTACHMENTS))
def test_attachments_are_listed_and_their_bytes_are_equal(endpoint, desk):
    row = BY_NAME[endpoint]
    key = desk.truth(row.path, row.array_key, page="1", **row.params)[0][row.id_field]
    name = "récépissé, 1/2 ünd mehr.pdf"
    desk.do("attach", id=key, file_name=name, mime_type="application/pdf")
    true = desk.truth(f"{row.path}/{key}/Attachments", "Attachments")

    got = desk.records.attachments(endpoint, key)

    assert got == true
    assert name in {each["FileName"] for each in got}
    for each in got:
        file = each["AttachmentID"]
        path = f"{row.path}/{key}/Attachments/{file}"
        bytes_of_file = desk.records.attachment(endpoint, key, file)
        assert bytes_of_file == desk.bytes_of(path, "*/*")
        assert len(bytes_of_file) == each["ContentLength"]


@pytest.mark.parametrize("endpoint", sorted(WITH_PDF))
def test_a_pdf_is_the_one_that_xero_has(endpoint, desk):
    row = BY_NAME[endpoint]
    key = desk.truth(row.path, row.array_key, page="1")[0][row.id_field]
    true = desk.bytes_of(f"{row.path}/{key}/pdf", "application/pdf")

    got = desk.records.pdf(endpoint, key)

    assert got == true
    assert got.startswith(b"%PDF-")
    assert desk.asked() == [(f"{row.path}/{key}", {})]


# --- Reports --------------------------------------------------------------------------------------

REPORTS = {
    "TrialBalance": {"date": date(2026, 10, 31)},
    "balance_sheets": {"date": "2026-10-31", "periods": 2, "timeframe": "MONTH"},
    "ProfitAndLoss": {"fromDate": date(2026, 10, 1), "toDate": NOW, "paymentsOnly": True},
    "bank_summaries": {"fromDate": date(2026, 10, 1), "toDate": date(2026, 10, 31)},
    "BudgetSummary": {"date": date(2026, 10, 1), "periods": 3, "timeframe": 1},
    "executivesummary": {"date": date(2026, 10, 31)},
    "Reports/TenNinetyNine": {"reportYear": 2025},
}
PATHS = {
    "balance_sheets": "BalanceSheet",
    "bank_summaries": "BankSummary",
    "executivesummary": "ExecutiveSummary",
    "Reports/TenNinetyNine": "TenNinetyNine",
}


def without_id(report):
    # Xero makes these anew at each call.
    return {name: each for name, each in report.items() if name != "UpdatedDateUTC"}


@pytest.mark.parametrize(("name", "params"), REPORTS.items(), ids=REPORTS)
def test_every_report_comes_with_its_parameters(name, params, desk):
    if "TenNinetyNine" in name:
        desk = american(desk)
    query = {key: {"True": "true"}.get(str(each), str(each)[:10]) for key, each in params.items()}
    path = f"Reports/{PATHS.get(name, name)}"
    (true,) = desk.truth(path, "Reports", **query)

    got = desk.records.report(name, **params)

    assert without_id(got) == without_id(true)
    assert desk.asked() == [(path, query)]


def american(desk: Desk) -> Desk:
    made = desk.sandbox.control(
        "POST", "organisations", {"name": "US", "days": 3, "traits": {"country": "US"}}
    )
    return Desk(desk.sandbox, desk.app, desk.http, tenant_id=made["tenantId"])


@pytest.mark.parametrize("name", ["AgedReceivablesByContact", "AgedPayablesByContact"])
def test_aged_reports_come_for_a_contact(name, desk):
    contact = desk.truth("Contacts", "Contacts")[0]["ContactID"]
    query = {"contactId": contact, "date": "2026-11-19"}
    (true,) = desk.truth(f"Reports/{name}", "Reports", **query)

    got = desk.records.report(name, contactId=UUID(contact), date=date(2026, 11, 19))

    assert without_id(got) == without_id(true)


def test_published_reports_are_listed(desk):
    assert desk.records.published_reports() == []
    assert desk.asked() == [("Reports", {})]
