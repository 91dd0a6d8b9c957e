"""What hangs on a record: history, attachments, papers as PDF, links and settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.asking import NOW, Xero
from tests.sandbox.conftest import App
from xero_sandbox.api import attachments, history
from xero_sandbox.books.paper_records import Attachment
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.wire.format import element, framed
from xero_sandbox.wire.spelling import attachment, attachment_url

NOWHERE = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def company() -> Company:
    traits = {"country": "GB", "features": ["all"], "currencies": ["EUR"]}
    made = build_company("Hangs & Söhne 漢", seed=9, days=60, now=NOW, traits=traits)
    made.advance(NOW)
    return made


@pytest.fixture(scope="module")
def xero(company: Company) -> Xero:
    return Xero(company)


def ids(xero: Xero, resource: str, **fields: Any) -> list[str]:
    """The ids of the records of a page whose fields have these values."""
    records = xero.body(f"{resource}?page=1&pageSize=1000")[resource]
    found = [each for each in records if all(each.get(k) == v for k, v in fields.items())]
    return [str(each[_ID.get(resource, f"{resource[:-1]}ID")]) for each in found]


_ID = {"Currencies": "Code", "TrackingCategories": "TrackingCategoryID"}


# History


def test_a_history_tells_what_happened_newest_first(xero: Xero):
    [invoice_id, *_] = ids(xero, "Invoices", Status="PAID")
    notes = xero.body(f"Invoices/{invoice_id}/History")["HistoryRecords"]
    assert len(notes) >= 2
    assert [list(note) for note in notes] == [
        ["Changes", "DateUTCString", "DateUTC", "User", "Details"]
    ] * len(notes)
    dates = [note["DateUTCString"] for note in notes]
    assert dates == sorted(dates, reverse=True)
    assert "Created" in {notes[-1]["Changes"], notes[-2]["Changes"]}


@pytest.mark.parametrize("resource", history.RESOURCES)
def test_every_resource_with_a_history_has_one_for_its_records(xero: Xero, resource: str):
    for record_id in ids(xero, resource)[:1]:
        assert xero.body(f"{resource}/{record_id.upper()}/History")["HistoryRecords"]
    assert xero.get(f"/{resource}/{NOWHERE}/History").status_code == 404


# Attachments


@pytest.mark.parametrize("resource", attachments.RESOURCES)
def test_attachments_of_every_resource_are_listed(xero: Xero, resource: str):
    for record_id in ids(xero, resource)[:1]:
        assert "Attachments" in xero.body(f"{resource}/{record_id}/Attachments")
    assert xero.get(f"/{resource}/{NOWHERE}/Attachments").status_code == 404
    assert xero.get(f"/{resource}/{NOWHERE}/Attachments/a.pdf").status_code == 404


def test_attached_bytes_are_read_by_id_and_by_name(xero: Xero):
    found = [
        (resource, record_id)
        for resource in ("Invoices", "BankTransactions", "Contacts")
        for record_id in ids(xero, resource, HasAttachments=True)
    ]
    assert found
    for resource, record_id in found:
        path = f"/{resource}/{record_id}"
        listed = xero.body(f"{path[1:]}/Attachments")["Attachments"]
        assert xero.body(path[1:])[resource][0]["Attachments"]
        for each in listed:
            assert list(each) == [
                "AttachmentID",
                "FileName",
                "Url",
                "MimeType",
                "ContentLength",
            ]
            by_name = xero.get(httpx.URL(each["Url"]).path.removeprefix("/api.xro/2.0"))
            by_id = xero.get(f"{path}/Attachments/{each['AttachmentID']}")
            assert by_name.status_code == by_id.status_code == 200
            assert by_name.content == by_id.content
            assert len(by_id.content) == each["ContentLength"]
            assert by_id.headers["Content-Type"].startswith(each["MimeType"])
        assert xero.get(f"{path}/Attachments/{NOWHERE}").status_code == 404
        assert xero.get(f"{path}/Attachments/unheard.pdf").status_code == 404


@pytest.mark.parametrize(
    ("mime_type", "start"),
    [
        ("application/pdf", b"%PDF-"),
        ("image/png", b"\x89PNG\r\n"),
        ("text/csv", b"Quittung \xe2\x84\x96 7\r\n"),
    ],
)
def test_an_attached_file_is_of_its_kind_and_always_the_same(mime_type: str, start: bytes):
    company = build_company("Filed", seed=1, days=0, now=NOW)
    company.advance(NOW)
    [account_id, *_] = company.books.ledger.accounts
    one = Attachment(NOWHERE, "Quittung № 7", mime_type, 7)
    company.books.attach(account_id, one)
    answers = [
        Xero(company).get(f"/Accounts/{account_id}/Attachments/{part}")
        for part in (NOWHERE, one.file_name)
    ]
    assert answers[0].content.startswith(start)
    assert answers[0].content == answers[1].content
    assert answers[0].headers["Content-Type"].partition(";")[0] == mime_type


@pytest.mark.real_payloads
def test_a_list_of_attachments_is_as_long_as_the_recorded_one(real_payloads: Path):
    recorded = json.loads(
        (real_payloads / "demo-company-nz-2020/recorded-exchanges.json").read_bytes()
    )
    [length] = {
        exchange["response_headers"]["Content-Length"]
        for exchange in recorded
        if exchange["method"] == "GET" and exchange["uri"].endswith("/Attachments")
    }
    file = Attachment("40fa0d97-8b94-4948-b299-4bcbe73dafc3", "inv-0032.pdf", "application/pdf", 1)
    url = attachment_url("Invoices", "22b3fab4-ef56-4d70-a110-a7cc3c1a26cd", file.file_name)
    spelled = attachment(file, url) | {"ContentLength": 54574}
    head = {
        "Id": NOWHERE,
        "Status": "OK",
        "ProviderName": "python-sdk",
        "DateTimeUTC": "/Date(1588633397422)/",
    }
    assert len(framed(head, "Attachments", [element(spelled)])) == int(length)


# PDF


@pytest.mark.parametrize(
    ("resource", "number"),
    [
        ("Invoices", "InvoiceNumber"),
        ("CreditNotes", "CreditNoteNumber"),
        ("Quotes", "QuoteNumber"),
        ("PurchaseOrders", "PurchaseOrderNumber"),
    ],
)
def test_papers_are_real_pdfs_that_hold_their_number(xero: Xero, resource: str, number: str):
    for record in xero.body(f"{resource}?page=1")[resource][:3]:
        path = f"/{resource}/{record[f'{resource[:-1]}ID']}"
        answers = [
            xero.get(f"{path}/pdf", {"Accept": accept}) for accept in ("application/pdf", "*/*")
        ]
        answers.append(xero.get(path, {"Accept": "application/pdf"}))
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.headers["Content-Type"] for answer in answers} == {"application/pdf"}
        [content] = {answer.content for answer in answers}
        assert content.startswith(b"%PDF-")
        assert content.rstrip().endswith(b"%%EOF")
        assert record[number].encode("latin-1", "replace") in content
        assert b"Hangs & S\xf6hne ?" in content
        assert len(content) < 20_000
    assert xero.get(f"/{resource}/{NOWHERE}/pdf").status_code == 404


def test_a_pdf_shows_every_script_it_can_and_never_fails():
    from xero_sandbox.wire.pdf_pages import page_of

    names = ("Ōamaru", "漢字 Ltd", "🌙", "שלום", "a\nb\x00c", "(brackets) \\ back", "ﬁne", "")
    content = page_of("Invoice", names)
    assert b"(Oamaru)" in content
    assert b"(?? Ltd)" in content
    assert content == page_of("Invoice", names)


# Links and settings


def test_only_an_approved_sales_invoice_can_be_seen_online(xero: Xero):
    [approved, *_] = ids(xero, "Invoices", Type="ACCREC", Status="AUTHORISED")
    [found] = xero.body(f"Invoices/{approved}/OnlineInvoice")["OnlineInvoices"]
    assert found["OnlineInvoiceUrl"].startswith("https://in.xero.com/")
    [bill, *_] = ids(xero, "Invoices", Type="ACCPAY")
    assert xero.get(f"/Invoices/{bill}/OnlineInvoice").status_code == 404


def test_construction_industry_settings_exist_in_the_united_kingdom_alone(
    xero: Xero, company: Company
):
    [answer] = xero.body(f"Organisation/{company.tenant_id}/CISSettings")["CISSettings"]
    assert answer == {"CISContractorEnabled": False, "CISSubContractorEnabled": False}
    [contact, *_] = ids(xero, "Contacts")
    assert xero.get(f"/Contacts/{contact}/CISSettings").status_code == 404
    kiwi = build_company("Kiwi", seed=1, days=0, now=NOW)
    assert Xero(kiwi).get(f"/Organisation/{kiwi.tenant_id}/CISSettings").status_code == 404


def test_settings_of_the_organisation_are_answered(xero: Xero):
    assert xero.body("InvoiceReminders/Settings")["InvoiceReminders"] == [{"Enabled": False}]
    assert xero.body("PaymentServices")["PaymentServices"] == []
    actions = xero.body("Organisation/Actions")["Actions"]
    assert len(actions) == 13
    assert {each["Status"] for each in actions} == {"ALLOWED"}
    kiwi = Xero(build_company("Kiwi", seed=1, days=0, now=NOW))
    refused = [
        each["Name"]
        for each in kiwi.body("Organisation/Actions")["Actions"]
        if each["Status"] == "NOT-ALLOWED"
    ]
    assert refused == ["UseMulticurrency"]


def test_payment_services_of_an_unknown_theme_are_not_found(xero: Xero):
    assert xero.get(f"/BrandingThemes/{NOWHERE}/PaymentServices").status_code == 404
    for theme in ids(xero, "BrandingThemes")[:1]:
        assert xero.body(f"BrandingThemes/{theme}/PaymentServices")["PaymentServices"] == []


# Budgets


def test_a_budget_by_id_has_the_lines_of_three_months_unless_dates_are_given(xero: Xero):
    [budget_id, *_] = ids(xero, "Budgets")
    [listed, *_] = xero.body("Budgets")["Budgets"]
    assert listed["BudgetLines"] == []
    [shown] = xero.body(f"Budgets/{budget_id}")["Budgets"]
    periods = {b["Period"] for line in shown["BudgetLines"] for b in line["BudgetBalances"]}
    assert periods <= {"2026-11", "2026-12", "2027-01"}
    [shown] = xero.body(f"Budgets/{budget_id}?DateFrom=2026-08-10&DateTo=2026-09-01")["Budgets"]
    periods = {b["Period"] for line in shown["BudgetLines"] for b in line["BudgetBalances"]}
    assert periods <= {"2026-08", "2026-09"}
    assert periods
    line = shown["BudgetLines"][0]
    assert list(line) == ["AccountID", "AccountCode", "BudgetBalances"]
    assert list(line["BudgetBalances"][0]) == ["Period", "Amount", "Notes"]


@pytest.mark.parametrize(
    "dates",
    [
        "DateFrom=2026-01-01&DateTo=2028-01-01",
        "DateFrom=2026-02-01&DateTo=2026-01-01",
        "DateFrom=9999-12-01",
        "DateFrom=never",
    ],
)
def test_a_budget_of_too_many_or_no_months_is_refused(xero: Xero, dates: str):
    [budget_id, *_] = ids(xero, "Budgets")
    assert xero.get(f"/Budgets/{budget_id}?{dates}").status_code == 400
    allowed = xero.get(f"/Budgets/{budget_id}?DateFrom=2026-01-31&DateTo=2027-12-01")
    assert allowed.status_code == 200


# Through the gate


def test_files_need_the_scope_of_attachments_and_papers_come_as_they_are(app: App, tiny: str):
    contact = {"tenantId": tiny, "action": "create_contact", "name": "Ōamaru 漢"}
    app.sandbox.control("POST", "documents", contact)
    invoice = {"tenantId": tiny, "action": "create_invoice", "contact": "Ōamaru 漢", "amount": "10"}
    made = app.sandbox.control("POST", "documents", invoice)
    path = f"Invoices/{made['InvoiceID']}"
    tokens = app.connect()
    assert app.read(tokens, f"{path}/Attachments", tiny).status_code == 401
    assert app.read(tokens, f"{path}/History", tiny).json()["HistoryRecords"]
    for answer in (
        app.read(tokens, f"{path}/pdf", tiny, Accept="application/pdf"),
        app.read(tokens, path, tiny, Accept="application/pdf"),
    ):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/pdf"
        assert b"(To: Oamaru ?)" in answer.content
    tokens = app.connect(scopes="openid accounting.attachments.read")
    assert app.read(tokens, f"{path}/Attachments", tiny).json()["Attachments"] == []
