"""What of a record is kept, and what lets it be written anew although it was not bumped."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.sandbox.specimens import AT, Specimens, guid
from xero_sandbox.books.documents import TrackingOption
from xero_sandbox.books.paper_records import BrandingTheme
from xero_sandbox.wire.format import element
from xero_sandbox.wire.records import Entry, Shape, Shelf


@pytest.fixture
def made() -> Specimens:
    return Specimens()


# What changes without a bump


def sent(made: Specimens, resource: str) -> Any:
    return json.loads(made.shelving.shelves[resource].ordered()[0].sent())


def test_a_renamed_option_shows_wherever_something_is_tracked_by_it(made: Specimens):
    made.shelving.tracking_category(made.region)
    made.shelving.document(made.document("ACCREC"))
    assert sent(made, "Invoices")["LineItems"][0]["Tracking"][0]["Option"] == "North"
    made.north.name, made.north.status = "Far north", "ARCHIVED"
    made.region.options.append(TrackingOption(guid(), "South", made.region))
    made.shelving.tracking_category(made.region)
    assert sent(made, "Invoices")["LineItems"][0]["Tracking"][0]["Option"] == "Far north"
    options = made.spelled("TrackingCategories", Shape.PAGE)["Options"]
    assert [option["Status"] for option in options] == ["ARCHIVED", "ACTIVE"]


def test_a_renamed_account_shows_wherever_it_stands(made: Specimens):
    bank, sales = made.accounts["090"], made.accounts["200"]
    for account in (bank, sales):
        made.shelving.account(account)
    made.shelving.bank_transaction(made.bank_transaction())
    made.shelving.bank_transfer(made.bank_transfer())
    made.shelving.document(made.document("ACCREC"))
    assert sent(made, "BankTransfers")["FromBankAccount"]["Name"] == bank.name
    assert sent(made, "Invoices")["LineItems"][0]["AccountCode"] == "200"
    bank.name, sales.code = "Savings 🐖", "201"
    for account in (bank, sales):
        made.shelving.account(account)
    assert sent(made, "BankTransactions")["BankAccount"]["Name"] == "Savings 🐖"
    assert sent(made, "BankTransfers")["FromBankAccount"]["Name"] == "Savings 🐖"
    assert sent(made, "Invoices")["LineItems"][0]["AccountCode"] == "201"


def test_a_purchase_order_shows_its_contact_as_it_is_now(made: Specimens):
    made.shelving.contact(made.contact)
    made.shelving.purchase_order(made.purchase_order())
    assert sent(made, "PurchaseOrders")["Contact"]["EmailAddress"] == "pou@example.com"
    made.contact.email = "new@example.com"
    made.shelving.contact(made.contact)
    assert sent(made, "PurchaseOrders")["Contact"]["EmailAddress"] == "new@example.com"


def test_what_shows_a_document_shows_it_as_it_is_now(made: Specimens):
    invoice, credit = made.document("ACCREC"), made.document("ACCRECCREDIT", "CN-0001")
    payment = made.payment(invoice)
    made.allocation(credit, invoice)
    made.shelving.payment(payment)
    for document in (credit, invoice):
        made.shelving.document(document)
    assert sent(made, "Invoices")["CreditNotes"][0]["CreditNoteNumber"] == "CN-0001"
    assert sent(made, "Payments")["Invoice"]["InvoiceNumber"] == "INV-0001"
    assert sent(made, "CreditNotes")["Allocations"][0]["Invoice"]["InvoiceNumber"] == "INV-0001"
    credit.number, invoice.number = "CN-0002", "INV-0002"
    made.shelving.document(credit)
    assert sent(made, "Invoices")["CreditNotes"][0]["CreditNoteNumber"] == "CN-0002"
    made.shelving.document(invoice)
    assert sent(made, "Payments")["Invoice"]["InvoiceNumber"] == "INV-0002"
    assert sent(made, "CreditNotes")["Allocations"][0]["Invoice"]["InvoiceNumber"] == "INV-0002"


def test_a_payment_shows_its_batch_as_it_is_now(made: Specimens):
    batch = made.batch(made.document("ACCREC"))
    for payment in batch.payments:
        made.shelving.payment(payment)
    assert sent(made, "Payments")["BatchPayment"]["IsReconciled"] is False
    batch.is_reconciled = True
    made.shelving.batch_payment(batch)
    assert sent(made, "Payments")["BatchPayment"]["IsReconciled"] is True


def test_an_attachment_shows_at_once(made: Specimens):
    invoice = made.document("ACCREC")
    made.shelving.document(invoice)
    assert sent(made, "Invoices")["HasAttachments"] is False
    made.shelving.attached(invoice.document_id, [made.attachment()])
    assert sent(made, "Invoices")["HasAttachments"] is True
    assert "Attachments" not in sent(made, "Invoices")
    [shown] = made.spelled("Invoices", Shape.ONE)["Attachments"]
    assert shown["Url"].endswith(f"/Invoices/{invoice.document_id}/Attachments/scan%201.png")


def test_papers_for_customers_have_the_first_branding_theme(made: Specimens):
    made.shelving.document(made.document("ACCREC"))
    assert "BrandingThemeID" not in sent(made, "Invoices")
    second, first = (BrandingTheme(guid(), str(place), place, AT) for place in (1, 0))
    for theme in (second, first):
        made.shelving.branding_theme(theme)
    assert sent(made, "Invoices")["BrandingThemeID"] == first.theme_id
    bill = made.document("ACCPAY")
    made.shelving.document(bill)
    entry = made.shelving.shelves["Invoices"].get(bill.document_id)
    assert entry is not None
    assert "BrandingThemeID" not in entry.body()


def test_a_removed_record_is_gone_and_removing_it_again_changes_nothing(made: Specimens):
    item = made.item()
    made.shelving.item(item)
    for _ in range(2):
        made.shelving.remove("Items", item.item_id)
        assert made.shelving.shelves["Items"].get(item.item_id) is None
        assert list(made.shelving.shelves["Items"].ordered()) == []


# What is kept


def test_a_record_is_written_once_until_it_changes():
    calls: list[Shape] = []

    def spell(source: str, shape: Shape) -> dict[str, Any]:
        calls.append(shape)
        return {"Name": source, "Shape": shape.value}

    entry = Entry("1", AT, source="Måne 🌙", spell=spell)
    first = entry.sent(Shape.PAGE)
    assert entry.sent(Shape.PAGE) is first
    assert first == element({"Name": "Måne 🌙", "Shape": "page"})
    assert calls == [Shape.PAGE]
    entry.forget()
    assert entry.sent(Shape.PAGE) == first
    assert calls == [Shape.PAGE] * 2


def test_a_record_by_id_is_written_anew_each_time_and_leaves_the_page_kept():
    calls: list[Shape] = []

    def spell(source: object, shape: Shape) -> dict[str, Any]:
        calls.append(shape)
        return {"Name": source}

    entry = Entry("1", AT, source="x", spell=spell)
    page = entry.sent(Shape.PAGE)
    for _ in range(2):
        assert entry.sent(Shape.ONE) == page
    assert entry.sent(Shape.PAGE) is page
    assert calls == [Shape.PAGE, Shape.ONE, Shape.ONE]


def test_a_forgotten_shelf_spells_its_records_anew_without_looking_at_them() -> None:
    calls: list[str] = []

    def spell(source: str, _: Shape) -> dict[str, Any]:
        calls.append(source)
        return {"Name": source}

    entries = [Entry(name, AT, source=name, spell=spell) for name in "ab"]
    shelf = Shelf(entries)
    for entry in entries * 2:
        entry.sent()
    assert calls == ["a", "b"]
    shelf.forget()
    for entry in entries * 2:
        entry.sent()
    assert calls == ["a", "b"] * 2


def test_what_changes_while_it_is_spelled_is_spelled_again() -> None:
    shelf = Shelf()
    names = ["new", "old"]

    def spell(_: object, __: Shape) -> dict[str, Any]:
        name = names.pop()
        if names:
            shelf.forget()
        return {"Name": name}

    entry = Entry("1", AT, source=None, spell=spell)
    shelf.put(entry)
    assert entry.sent() == element({"Name": "old"})
    assert entry.sent() == element({"Name": "new"})


def test_a_shelf_stands_in_xeros_order_whatever_order_records_came_in():
    def entry(record_id: str, seconds: int) -> Entry:
        at = AT + timedelta(seconds=seconds)
        return Entry(record_id, at, source={}, spell=lambda body, _: body)

    shelf = Shelf([entry("b", 1), entry("a", 1), entry("c", 0)])
    assert [each.record_id for each in shelf.ordered()] == ["c", "a", "b"]
    shelf.put(entry("c", 5))
    assert [each.record_id for each in shelf.ordered()] == ["a", "b", "c"]
    assert [each.record_id for each in shelf.since(AT + timedelta(seconds=5))] == ["c"]
    assert shelf.ordered() is shelf.ordered()
    shelf.remove("a")
    assert [each.record_id for each in shelf.ordered()] == ["b", "c"]
    assert len(shelf) == 2
