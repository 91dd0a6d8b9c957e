"""Papers, contacts, items, histories and files: what they may become, and what bumps them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.sandbox.bookkeeping import AT, LATER, TODAY, Bookkeeper, amounts
from xero_sandbox.books.books import BooksError
from xero_sandbox.books.documents import Contact, TrackingCategory
from xero_sandbox.books.paper_records import (
    Attachment,
    Item,
    LinkedTransaction,
    PurchaseOrder,
    Quote,
)


@pytest.fixture
def keeper() -> Bookkeeper:
    return Bookkeeper()


def quote(keeper: Bookkeeper, status: str = "DRAFT") -> Quote:
    lines = (keeper.line("10"),)
    made = Quote(
        quote_id=keeper.new_id(), number="", contact=keeper.contact, on=TODAY, expiry_date=TODAY,
        line_kind="Exclusive", lines=lines, currency="NZD", created_at=AT, updated_at=AT,
        status=status,
    )  # fmt: skip
    return keeper.books.enter_quote(made, at=AT)


def order(keeper: Bookkeeper) -> PurchaseOrder:
    lines = (keeper.line("10"),)
    made = PurchaseOrder(
        order_id=keeper.new_id(), number="", contact=keeper.contact, on=TODAY, delivery_date=None,
        line_kind="Exclusive", lines=lines, currency="NZD", created_at=AT, updated_at=AT,
    )  # fmt: skip
    return keeper.books.enter_purchase_order(made, at=AT)


def test_a_quote_goes_from_step_to_step_and_posts_nothing(keeper: Bookkeeper) -> None:
    offered = quote(keeper)
    assert offered.number == "QU-0001"
    for step in ("SENT", "ACCEPTED", "INVOICED"):
        keeper.books.change_quote(offered, at=LATER, status=step)
    assert (offered.status, offered.updated_at) == ("INVOICED", LATER)
    with pytest.raises(BooksError, match="INVOICED cannot become DECLINED"):
        keeper.books.change_quote(offered, at=LATER, status="DECLINED")
    assert not keeper.books.ledger.journals


def test_a_purchase_order_remembers_the_bill_it_became(keeper: Bookkeeper) -> None:
    ordered = order(keeper)
    keeper.books.change_purchase_order(ordered, at=LATER, status="AUTHORISED")
    keeper.books.change_purchase_order(ordered, at=LATER, status="BILLED", bill_id="b")
    assert (ordered.number, ordered.status, ordered.bill_id) == ("PO-0001", "BILLED", "b")
    keeper.books.change_purchase_order(ordered, at=LATER, status="DELETED")
    with pytest.raises(BooksError, match="DELETED cannot become DRAFT"):
        keeper.books.change_purchase_order(ordered, at=LATER, status="DRAFT")


def test_an_edited_quote_says_something_else_and_is_bumped(keeper: Bookkeeper) -> None:
    offered, back = quote(keeper, "SENT"), TODAY - timedelta(days=40)
    keeper.books.edit_quote(
        offered, at=LATER, lines=[keeper.line("7")], on=back, expiry_date=back, reference="r"
    )
    assert (str(offered.total), offered.on, offered.expiry_date) == ("8.05", back, back)
    assert (offered.reference, offered.status, offered.updated_at) == ("r", "SENT", LATER)
    assert [note.changes for note in keeper.books.history(offered.quote_id)][-1] == "Edited"
    keeper.books.edit_quote(offered, at=LATER)
    assert (str(offered.total), offered.on, offered.reference) == ("8.05", back, "r")
    keeper.books.change_quote(offered, at=LATER, status="DELETED")
    with pytest.raises(BooksError, match="DELETED cannot be edited"):
        keeper.books.edit_quote(offered, at=LATER, reference="x")


def test_an_edited_purchase_order_says_something_else_until_it_is_billed(
    keeper: Bookkeeper,
) -> None:
    ordered, back = order(keeper), TODAY - timedelta(days=40)
    keeper.books.edit_purchase_order(
        ordered, at=LATER, lines=[keeper.line("7")], on=back, delivery_date=TODAY, reference="r"
    )
    assert (str(ordered.total), ordered.on, ordered.delivery_date) == ("8.05", back, TODAY)
    assert (ordered.reference, ordered.updated_at) == ("r", LATER)
    keeper.books.change_purchase_order(ordered, at=LATER, status="AUTHORISED")
    keeper.books.change_purchase_order(ordered, at=LATER, status="BILLED")
    with pytest.raises(BooksError, match="BILLED cannot be edited"):
        keeper.books.edit_purchase_order(ordered, at=LATER, reference="x")
    assert ordered.reference == "r"


def test_items_and_links_that_are_deleted_are_gone(keeper: Bookkeeper) -> None:
    books = keeper.books
    item = books.add_item(Item(keeper.new_id(), "X", "X", AT), at=AT)
    with pytest.raises(BooksError, match="already used"):
        books.add_item(Item(keeper.new_id(), "X", "Y", AT), at=AT)
    books.edit_item(item, at=LATER, name="Y")
    assert (item.name, item.updated_at) == ("Y", LATER)
    books.delete_item(item)
    assert len(books.shelves["Items"]) == 0
    with pytest.raises(BooksError, match="no item X"):
        books.delete_item(item)
    link = LinkedTransaction(keeper.new_id(), "bill", "line", None, AT)
    books.link(link, at=AT)
    books.delete_link(link)
    assert len(books.shelves["LinkedTransactions"]) == 0


def test_there_are_at_most_two_active_tracking_categories(keeper: Bookkeeper) -> None:
    books = keeper.books
    books.add_tracking_category(TrackingCategory(keeper.new_id(), "Team"), at=AT)
    third = TrackingCategory(keeper.new_id(), "Third")
    with pytest.raises(BooksError, match="two active"):
        books.add_tracking_category(third, at=AT)
    books.archive_tracking_category(keeper.region, at=LATER)
    books.add_tracking_category(third, at=LATER)
    assert len(books.tracking_categories) == 3


def test_a_merged_contact_hands_over_everything_it_had(keeper: Bookkeeper) -> None:
    books = keeper.books
    into = books.add_contact(Contact(keeper.new_id(), "Other", AT, AT))
    invoice = keeper.enter(keeper.line("100"))
    record = keeper.money("SPEND", keeper.line("1", code="429"))
    offered, ordered = quote(keeper), order(keeper)
    books.merge_contact(keeper.contact, into, at=LATER)
    assert all(each.contact is into for each in (invoice, record, offered, ordered))
    assert {invoice.updated_at, record.updated_at, offered.updated_at} == {LATER}
    assert list(into.open_documents) == [invoice.document_id]
    assert (keeper.contact.status, keeper.contact.merged_to) == ("ARCHIVED", into.contact_id)
    assert into.updated_at == AT
    assert into.is_customer
    with pytest.raises(BooksError, match="that stands"):
        books.merge_contact(keeper.contact, into, at=LATER)


def test_what_a_contact_owes_and_is_does_not_bump_it(keeper: Bookkeeper) -> None:
    shown = keeper.books.shelves["Contacts"].get(keeper.contact.contact_id)
    assert shown is not None
    assert not shown.body()["IsCustomer"]
    invoice = keeper.enter(keeper.line("100"))
    assert shown.body()["IsCustomer"]
    assert shown.body()["Balances"]["AccountsReceivable"]["Outstanding"] == invoice.due
    assert shown.updated_at == AT
    with pytest.raises(BooksError, match="not GONE"):
        keeper.books.edit_contact(keeper.contact, at=LATER, status="GONE")
    keeper.books.edit_contact(keeper.contact, at=LATER, status="GDPRREQUEST")
    assert keeper.contact.updated_at == LATER


@pytest.mark.parametrize("is_paid", [True, False])
def test_due_date_and_sent_bump_only_what_nothing_was_paid_of(
    keeper: Bookkeeper, is_paid: bool
) -> None:
    invoice = keeper.enter(keeper.line("100"))
    if is_paid:
        keeper.pay(invoice, "1")
    keeper.books.edit(invoice, at=LATER, due_date=date(2026, 9, 9), is_sent=True)
    assert (invoice.updated_at == LATER) is not is_paid
    keeper.books.edit(invoice, at=LATER, due_date=date(2026, 9, 9), reference="r")
    assert invoice.updated_at == LATER


def test_recoded_lines_move_in_the_ledger_and_bump_nothing(keeper: Bookkeeper) -> None:
    lines = (keeper.line("100"), keeper.line("20"))
    invoice = keeper.enter(*lines)
    keeper.pay(invoice)
    account = keeper.books.account("210")
    keeper.books.recode(invoice, at=LATER, account=account, line_ids=[lines[1].line_id])
    assert keeper.balances() == amounts(
        Business_Bank_Account="138", Sales="-100", Services="-20", GST="-18"
    )
    assert invoice.updated_at == AT
    shown = keeper.books.shelves["Invoices"].get(invoice.document_id)
    assert shown is not None
    assert [each["AccountCode"] for each in shown.body()["LineItems"]] == ["200", "210"]


def test_the_date_of_a_document_with_credit_applied_stays(keeper: Bookkeeper) -> None:
    invoice = keeper.enter(keeper.line("100"))
    credit = keeper.enter(keeper.line("10"), kind="ACCRECCREDIT")
    keeper.books.allocate(credit, invoice, amount=credit.due, at=AT, ids=keeper.ids)
    with pytest.raises(BooksError, match="date cannot change"):
        keeper.books.edit(invoice, at=LATER, on=TODAY + timedelta(days=1), reference="r")
    assert invoice.reference == ""


def test_every_change_leaves_a_note(keeper: Bookkeeper) -> None:
    invoice = keeper.enter(keeper.line("100"))
    payment = keeper.pay(invoice, "15")
    keeper.books.delete_payment(keeper.books.payment(payment), at=LATER)
    keeper.books.edit(invoice, at=LATER, reference="r")
    keeper.books.note(invoice.document_id, "Note", at=LATER, details="Hm {x}", user="Ava")
    keeper.books.void(invoice, at=LATER)
    notes = keeper.books.history(invoice.document_id)
    assert [note.changes for note in notes] == [
        "Created", "Paid", "Payment Deleted", "Edited", "Note", "Voided"
    ]  # fmt: skip
    assert (notes[0].details, notes[0].at) == ("X-1 for Ridgeway of 115.00.", AT)
    assert notes[1].details == "Payment on 2026-05-04 for 15."
    assert (notes[4].details, notes[4].user) == ("Hm {x}", "Ava")
    assert [note.changes for note in keeper.books.history(payment)] == ["Created", "Deleted"]
    assert keeper.books.history("nobody") == []


def test_attachments_show_without_bumping(keeper: Bookkeeper) -> None:
    invoice = keeper.enter(keeper.line("100"))
    file = Attachment(keeper.new_id(), "a.png", "image/png", 1)
    keeper.books.attach(invoice.document_id, file)
    assert keeper.books.attachments(invoice.document_id) == [file]
    assert keeper.books.attachments("nobody") == ()
    shown = keeper.books.shelves["Invoices"].get(invoice.document_id)
    assert shown is not None
    assert (shown.body()["HasAttachments"], shown.updated_at) == (True, AT)
