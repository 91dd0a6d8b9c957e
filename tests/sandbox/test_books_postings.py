"""What each document posts, by hand-made books; and that nothing unbalanced can be posted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from xero_sandbox.books.books import Books, BooksError
from xero_sandbox.books.countries import COUNTRIES
from xero_sandbox.books.documents import BankTransaction, Contact, Document, Line, compute_line
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.ledger import LedgerError, Posting
from xero_sandbox.books.money import cents
from xero_sandbox.business.chart import chart_of_accounts

AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
LATER = AT + timedelta(days=40)
TODAY = date(2026, 5, 4)
IDS = Random(1)


@pytest.fixture
def books() -> Books:
    accounts = chart_of_accounts(
        COUNTRIES["NZ"], new_id=lambda: new_guid(IDS), created_at=AT - timedelta(days=1)
    )
    return Books(COUNTRIES["NZ"], currencies=("NZD", "EUR", "JPY"), accounts=accounts, today=TODAY)


@pytest.fixture
def contact(books: Books) -> Contact:
    return books.add_contact(Contact(new_guid(IDS), "Ridgeway", AT, AT))


def line(books: Books, price: str, *, code: str = "200", kind: str = "Exclusive") -> Line:
    account = books.account(code)
    return compute_line(
        new_guid(IDS),
        kind=kind,
        quantity=Decimal(1),
        price=Decimal(price),
        account=account,
        tax_type=account.tax_type,
        tax_rate=books.country.rate_of(account.tax_type),
    )


def document(
    books: Books, contact: Contact, *lines: Line, kind: str = "ACCREC", rate: str = "1.000000"
) -> Document:
    return Document(
        document_id=new_guid(IDS),
        type=kind,
        number="X-1",
        contact=contact,
        on=TODAY,
        due_date=TODAY,
        line_kind="Exclusive",
        lines=lines,
        currency="NZD" if rate == "1.000000" else "EUR",
        created_at=AT,
        updated_at=AT,
        rate=Decimal(rate),
    )


def by_name(books: Books, on: date = date.max) -> dict[str, Decimal]:
    """Balances by account name, zeros left out."""
    accounts = books.ledger.accounts
    balances = books.ledger.balances(on).items()
    return {accounts[key].name: amount for key, amount in balances if amount}


def amounts(**named: str) -> dict[str, Decimal]:
    return {name.replace("_", " "): Decimal(amount) for name, amount in named.items()}


def test_an_invoice_debits_debtors_and_credits_each_line_and_gst_once(
    books: Books, contact: Contact
) -> None:
    invoice = document(books, contact, line(books, "100"), line(books, "10.10", code="260"))
    books.enter(invoice, at=AT)
    assert by_name(books) == amounts(
        Accounts_Receivable="126.62", Sales="-100.00", Other_Revenue="-10.10", GST="-16.52"
    )
    [journal] = books.ledger.journals
    assert [posting.amount for posting in journal.postings] == [
        Decimal("126.62"),
        Decimal("-100.00"),
        Decimal("-10.10"),
        Decimal("-16.52"),
    ]


def test_a_bill_is_the_mirror_on_creditors(books: Books, contact: Contact) -> None:
    books.enter(document(books, contact, line(books, "50", code="400"), kind="ACCPAY"), at=AT)
    assert by_name(books) == amounts(Accounts_Payable="-57.50", Advertising="50.00", GST="7.50")


@pytest.mark.parametrize(
    ("kind", "control"),
    [("ACCRECCREDIT", "Accounts Receivable"), ("ACCPAYCREDIT", "Accounts Payable")],
)
def test_a_credit_note_reverses_its_side(
    books: Books, contact: Contact, kind: str, control: str
) -> None:
    books.enter(document(books, contact, line(books, "100"), kind=kind), at=AT)
    sign = 1 if kind == "ACCPAYCREDIT" else -1
    assert by_name(books)[control] == sign * Decimal("115.00")


def test_tax_is_rounded_per_line_half_away_from_zero(books: Books) -> None:
    assert line(books, "0.10").tax == Decimal("0.02")  # 0.015
    assert line(books, "0.30").tax == Decimal("0.05")  # 0.045
    assert cents(Decimal("-0.015")) == Decimal("-0.02")
    inclusive = line(books, "89", kind="Inclusive")
    assert (inclusive.tax, inclusive.net, inclusive.amount) == (
        Decimal("11.61"),
        Decimal("77.39"),
        Decimal("89.00"),
    )


def test_a_foreign_document_rounds_control_tax_and_nets_and_gives_the_rest_to_the_largest_line(
    books: Books, contact: Contact
) -> None:
    lines = (line(books, "33.33"), line(books, "66.67", code="210"), line(books, "33.33"))
    books.enter(document(books, contact, *lines, rate="0.550000"), at=AT)
    # 153.33 / 0.55 = 278.78; nets 60.60, 121.22, 60.60; taxes 9.09, 18.18, 9.09: one cent too many.
    assert by_name(books) == amounts(
        Accounts_Receivable="278.78", Sales="-121.20", Services="-121.22", GST="-36.36"
    )


def test_a_payment_realises_what_the_rate_made(books: Books, contact: Contact) -> None:
    invoice = document(books, contact, line(books, "100"), rate="0.500000")
    books.enter(invoice, at=AT)
    books.pay(
        invoice,
        invoice.due,
        at=AT,
        on=TODAY,
        account=books.account("090"),
        ids=IDS,
        rate=Decimal("0.400000"),
    )
    balances = by_name(books)
    assert "Accounts Receivable" not in balances
    assert balances["Business Bank Account"] == Decimal("287.50")
    assert balances["Realised Currency Gains"] == Decimal("-57.50")
    assert (invoice.status, invoice.fully_paid_on, invoice.due) == ("PAID", TODAY, Decimal(0))


def test_a_loss_on_a_foreign_bill_is_a_debit(books: Books, contact: Contact) -> None:
    bill = document(books, contact, line(books, "80", code="404"), kind="ACCPAY", rate="0.500000")
    books.enter(bill, at=AT)
    bank = books.account("090")
    books.pay(bill, bill.due, at=AT, on=TODAY, account=bank, ids=IDS, rate=Decimal("0.400000"))
    assert by_name(books)["Realised Currency Gains"] == Decimal("40.00")
    assert "Accounts Payable" not in by_name(books)


def test_parts_of_a_foreign_document_may_leave_a_cent_on_the_control_account(
    books: Books, contact: Contact
) -> None:
    invoice = document(books, contact, line(books, "0.26"), rate="3.000000")
    books.enter(invoice, at=AT)  # 0.30 / 3 = 0.10
    for part in ("0.05", "0.05", "0.05", "0.05", "0.05", "0.05"):  # each 0.02
        books.pay(invoice, Decimal(part), at=AT, on=TODAY, account=books.account("090"), ids=IDS)
    assert invoice.status == "PAID"
    assert by_name(books)["Accounts Receivable"] == Decimal("-0.02")


def test_money_spent_and_received_goes_straight_to_the_bank(books: Books, contact: Contact) -> None:
    for kind, code in (("SPEND", "449"), ("RECEIVE", "200")):
        record = BankTransaction(
            new_guid(IDS),
            kind,
            contact,
            books.account("090"),
            TODAY,
            "Inclusive",
            (line(books, "115" if kind == "SPEND" else "230", code=code, kind="Inclusive"),),
            "NZD",
            AT,
            AT,
        )
        books.enter_bank_transaction(record, at=AT)
    assert by_name(books) == amounts(
        Business_Bank_Account="115.00", Motor_Vehicle_Expenses="100.00", Sales="-200.00",
        GST="-15.00",
    )  # fmt: skip


def test_a_void_reverses_with_the_date_of_the_original(books: Books, contact: Contact) -> None:
    invoice = document(books, contact, line(books, "100"))
    books.enter(invoice, at=AT)
    books.void(invoice, at=LATER)
    original, reversal = books.ledger.journals
    assert (reversal.on, reversal.created_at, reversal.reverses) == (TODAY, LATER, original.number)
    assert by_name(books) == {}
    assert (invoice.status, invoice.due, invoice.total) == ("VOIDED", Decimal(0), Decimal("115.00"))


def test_an_edit_posts_a_reversal_and_a_repost_even_when_no_amount_changed(
    books: Books, contact: Contact
) -> None:
    invoice = document(books, contact, line(books, "100"))
    books.enter(invoice, at=AT)
    before = by_name(books)
    books.edit(invoice, at=LATER, reference="another")
    assert [journal.reverses for journal in books.ledger.journals] == [None, 1, None]
    assert {journal.on for journal in books.ledger.journals} == {TODAY}
    assert by_name(books) == before
    assert invoice.updated_at == LATER


def test_a_new_due_date_of_a_part_paid_invoice_does_not_bump_it(
    books: Books, contact: Contact
) -> None:
    invoice = document(books, contact, line(books, "100"))
    books.enter(invoice, at=AT)
    books.pay(invoice, Decimal(5), at=AT, on=TODAY, account=books.account("090"), ids=IDS)
    books.edit(invoice, at=LATER, due_date=date(2026, 9, 9))
    shown = books.shelves["Invoices"].get(invoice.document_id)
    assert shown is not None
    assert shown.updated_at == AT
    assert shown.body()["DueDateString"] == "2026-09-09T00:00:00"


def test_an_allocation_settles_both_documents(books: Books, contact: Contact) -> None:
    invoice = document(books, contact, line(books, "100"))
    credit = document(books, contact, line(books, "40"), kind="ACCRECCREDIT")
    credit.on = TODAY + timedelta(days=3)
    books.enter(invoice, at=AT)
    books.enter(credit, at=AT)
    allocation = books.allocate(credit, invoice, amount=Decimal("46.00"), at=LATER, ids=IDS)
    assert allocation.on == TODAY + timedelta(days=3)
    assert (credit.status, credit.due) == ("PAID", Decimal(0))
    assert (invoice.status, invoice.due, invoice.allocated) == (
        "AUTHORISED",
        Decimal("69.00"),
        Decimal("46.00"),
    )
    assert by_name(books)["Accounts Receivable"] == invoice.due


def test_an_allocation_at_two_rates_realises_the_difference(books: Books, contact: Contact) -> None:
    invoice = document(books, contact, line(books, "100"), rate="0.500000")
    credit = document(books, contact, line(books, "100"), kind="ACCRECCREDIT", rate="0.400000")
    books.enter(invoice, at=AT)
    books.enter(credit, at=AT)
    books.allocate(credit, invoice, amount=invoice.due, at=AT, ids=IDS)
    balances = by_name(books)
    assert "Accounts Receivable" not in balances
    assert balances["Realised Currency Gains"] == Decimal("-57.50")


def test_a_deleted_payment_makes_its_invoice_due_again(books: Books, contact: Contact) -> None:
    invoice = document(books, contact, line(books, "100"))
    books.enter(invoice, at=AT)
    bank = books.account("090")
    payment = books.pay(invoice, invoice.due, at=AT, on=TODAY, account=bank, ids=IDS)
    books.delete_payment(payment, at=LATER)
    assert (invoice.status, invoice.due, invoice.fully_paid_on) == (
        "AUTHORISED",
        Decimal("115.00"),
        None,
    )
    assert payment.status == "DELETED"
    assert by_name(books)["Accounts Receivable"] == Decimal("115.00")


def test_drafts_post_nothing_until_they_are_approved_with_their_own_date(
    books: Books, contact: Contact
) -> None:
    draft = document(books, contact, line(books, "100"))
    draft.status = "DRAFT"
    books.enter(draft, at=AT)
    assert books.ledger.journals == []
    books.approve(draft, at=LATER)
    assert books.ledger.journals[0].on == TODAY


def test_what_xero_refuses_is_refused_and_changes_nothing(books: Books, contact: Contact) -> None:
    invoice = document(books, contact, line(books, "100"))
    books.enter(invoice, at=AT)
    bank = books.account("090")
    with pytest.raises(BooksError, match="exceeds the amount outstanding"):
        books.pay(invoice, Decimal(116), at=AT, on=TODAY, account=bank, ids=IDS)
    with pytest.raises(BooksError, match="greater than zero"):
        books.pay(invoice, Decimal(0), at=AT, on=TODAY, account=bank, ids=IDS)
    books.pay(invoice, Decimal(15), at=AT, on=TODAY, account=bank, ids=IDS)
    with pytest.raises(BooksError, match="payments or credits"):
        books.void(invoice, at=AT)
    with pytest.raises(BooksError, match="less than what was paid"):
        books.edit(invoice, at=AT, lines=[line(books, "1")])
    with pytest.raises(BooksError, match="already assigned"):
        books.add_contact(Contact("other", "RIDGEWAY", AT, AT))
    other = books.add_contact(Contact("other", "Somebody else", AT, AT))
    with pytest.raises(BooksError, match="already assigned"):
        books.edit_contact(other, at=AT, name="ridgeway")
    assert other.name == "Somebody else"
    assert len(books.ledger.journals) == 2
    assert invoice.due == Decimal("100.00")


def test_an_unbalanced_journal_cannot_be_posted(books: Books) -> None:
    bank = books.account("090").account_id
    with pytest.raises(LedgerError, match="does not balance"):
        books.ledger.post(
            [Posting(bank, Decimal(1))], on=TODAY, created_at=AT, source_type=None, source_id=None
        )
    assert books.ledger.journals == []
    assert books.ledger.balances(date.max) == {}


def test_journal_numbers_ascend_with_gaps(books: Books, contact: Contact) -> None:
    for _ in range(30):
        invoice = books.enter(document(books, contact, line(books, "1")), at=AT)
        books.void(invoice, at=LATER)
    numbers = [journal.number for journal in books.ledger.journals]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] > len(numbers) == 60


def test_what_a_total_has_more_than_its_lines_goes_to_rounding(
    books: Books, contact: Contact
) -> None:
    bill = document(books, contact, line(books, "100", code="400"), kind="ACCPAY")
    bill.rounding = Decimal("0.02")
    bill.add_up()
    books.enter(bill, at=AT)
    assert (bill.total, bill.total_tax) == (Decimal("115.02"), Decimal("15.00"))
    assert by_name(books) == amounts(
        Accounts_Payable="-115.02", Advertising="100.00", GST="15.00", Rounding="0.02"
    )
    bank = books.account("090")
    books.pay(bill, bill.due, at=AT, on=TODAY, account=bank, ids=IDS)
    assert books.cash.balances(date.max) == {
        key: amount for key, amount in books.ledger.balances(date.max).items() if amount
    }
    bill.rounding = Decimal(2)
    with pytest.raises(BooksError, match="less than one unit"):
        books.edit(bill, at=LATER, reference="r")
