"""Every action of the control door: what it changes, and that a refused one changes nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from xero_sandbox.books.actions import ACTIONS
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.wire.format import dump
from xero_sandbox.wire.shelving import RESOURCES

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Door:
    """The control door of an empty organisation; it remembers which actions were used."""

    def __init__(self) -> None:
        self.company = empty()
        self.used: set[str] = set()

    def __call__(self, action: str, **fields: Any) -> dict[str, Any]:
        self.used.add(action)
        return dict(self.company.act(action, fields, now=NOW))


def empty() -> Company:
    company = build_company("Door", seed=3, days=0, now=NOW, traits={"currencies": ["EUR"]})
    company.advance(NOW)
    return company


def everything(of: Company) -> bytes:
    ledgers = [repr(ledger.balances(date.max)) for ledger in (of.books.ledger, of.books.cash)]
    return dump([of.records(resource) for resource in RESOURCES]) + "".join(ledgers).encode()


def use_documents(act: Door) -> None:
    act("create_tracking_category", name="Region", options=["North", "South"])
    line = {"unit_amount": "50.00", "tracking": ["North"], "discount_rate": 10}
    invoice = act("create_invoice", lines=[line, {"unit_amount": 5}], status="DRAFT")
    assert invoice["InvoiceNumber"] == "INV-0001"
    assert act("submit", id=invoice["InvoiceID"])["Status"] == "SUBMITTED"
    assert act("approve", id=invoice["InvoiceID"])["Status"] == "AUTHORISED"
    edited = act("edit_invoice", id=invoice["InvoiceID"], number="INV-X", sent=True)
    assert (edited["InvoiceNumber"], edited["SentToContact"]) == ("INV-X", True)
    recoded = act("recode", id=invoice["InvoiceID"], account_code="210")
    assert {each["AccountCode"] for each in recoded["LineItems"]} == {"210"}
    assert recoded["UpdatedDateUTC"] == edited["UpdatedDateUTC"]
    note = act("create_credit_note", amount=10)
    act("allocate", id=note["CreditNoteID"], invoice_id=invoice["InvoiceID"], amount=4)
    [allocation] = act.company.books.allocations
    freed = act("remove_allocation", id=allocation)
    assert freed["RemainingCredit"] == Decimal("11.50")
    assert act("void", id=note["CreditNoteID"])["Status"] == "VOIDED"
    draft = act("create_invoice", type="ACCPAY", amount=3, status="DRAFT")
    assert act("delete_draft", id=draft["InvoiceID"])["Status"] == "DELETED"


def use_money(act: Door) -> None:
    bills = [act("create_invoice", type="ACCPAY", amount=n)["InvoiceID"] for n in (10, 20, 30)]
    payment = act("pay", id=bills[0], amount="1.50")
    assert act("reconcile", id=payment["PaymentID"])["IsReconciled"]
    assert act("delete_payment", id=payment["PaymentID"])["Status"] == "DELETED"
    wanted = [{"id": bills[1]}, {"id": bills[2], "amount": "5"}]
    batch = act("pay_batch", payments=wanted, reference="Friday")
    assert act("delete_batch", id=batch["BatchPaymentID"])["Status"] == "DELETED"
    spent = act("create_bank_transaction", amount=20)
    edited = act("edit_bank_transaction", id=spent["BankTransactionID"], amount=25)
    assert edited["Total"] == Decimal(25)
    gone = act("delete_bank_transaction", id=spent["BankTransactionID"])
    assert gone["Status"] == "DELETED"
    invoice = act("create_invoice", amount=100)
    prepayment = act("create_prepayment", amount=40)
    act("allocate", id=prepayment["PrepaymentID"], invoice_id=invoice["InvoiceID"], amount=15)
    refund = act("pay", id=prepayment["PrepaymentID"])
    assert refund["PaymentType"] == "ARPREPAYMENTPAYMENT"
    overpayment = act("create_overpayment", type="SPEND-OVERPAYMENT", amount=7)
    assert overpayment["RemainingCredit"] == Decimal(7)
    transfer = act("transfer", amount=12, reference="Savings")
    act("delete_transfer", id=transfer["BankTransferID"])
    euros = act("create_account", code="099", name="Euros", type="BANK", currency="EUR")
    assert euros["CurrencyCode"] == "EUR"
    foreign = act("create_bank_transaction", amount=9, account_code="099", rate="0.5")
    assert foreign["CurrencyCode"] == "EUR"
    moved = act("transfer", amount=3, from_code="099", to_code="090", to_amount="5.70")
    assert moved["Amount"] == Decimal(3)


def use_journals(act: Door) -> None:
    lines = [{"account_code": "404", "amount": 10}, {"account_code": "970", "amount": -10}]
    posted = act("create_manual_journal", lines=lines, narration="Accrual")
    assert act("edit_manual_journal", id=posted["ManualJournalID"], narration="x")
    assert act("void_manual_journal", id=posted["ManualJournalID"])["Status"] == "VOIDED"
    draft = act("create_manual_journal", lines=lines, status="DRAFT", show_on_cash_basis=False)
    assert act("post_manual_journal", id=draft["ManualJournalID"])["Status"] == "POSTED"
    first = act("post_conversion", balances={"090": "500", "970": -100})["JournalNumber"]
    act("depreciate", amount=5)
    act("adjust_bank", amount="0.02")
    assert act("post_payroll", amounts={"477": 100, "825": -20})["JournalNumber"] == first + 3
    claim = act("claim_expenses", amount="23.00")
    paid = act("pay_expense_claim", id=claim["ExpenseClaimID"], amount=3)
    assert paid["AmountDue"] == Decimal(20)


def use_papers(act: Door) -> None:
    quote = act("create_quote", amount=10, status="SENT")
    assert act("change_quote", id=quote["QuoteID"], status="ACCEPTED")["Status"] == "ACCEPTED"
    order = act("create_purchase_order", amount=10, delivery_date="2026-12-01")
    edited = act("edit_quote", id=quote["QuoteID"], date="2026-11-01", lines=[{"unit_amount": 7}])
    assert (edited["Total"], edited["DateString"]) == (Decimal("8.05"), "2026-11-01T00:00:00")
    key = order["PurchaseOrderID"]
    edited = act("edit_purchase_order", id=key, delivery_date="2026-12-03", amount=7)
    assert edited["DeliveryDateString"] == "2026-12-03T00:00:00"
    changed = act("change_purchase_order", id=order["PurchaseOrderID"], status="AUTHORISED")
    assert changed["Status"] == "AUTHORISED"
    assert act("create_repeating_invoice", amount=10)["Status"] == "AUTHORISED"
    bill = act("create_invoice", type="ACCPAY", amount=3)
    link = act("link_transaction", id=bill["InvoiceID"])
    act("delete_link", id=link["LinkedTransactionID"])
    assert act.company.records("LinkedTransactions") == []


def use_settings(act: Door) -> None:
    act("create_item", code="W", is_tracked=True, sale_price="9.50")
    lines = [{"unit_amount": 2, "quantity": 5, "account_code": "630", "item_code": "W"}]
    act("create_invoice", type="ACCPAY", lines=lines)
    act("create_invoice", lines=[{"unit_amount": 9, "quantity": 2, "item_code": "W"}])
    assert act("edit_item", code="W", name="Widget")["QuantityOnHand"] == 3
    act("create_item", code="X")
    act("delete_item", code="X")
    assert len(act.company.records("Items")) == 1
    act("create_tracking_category", name="Team", options=["A"])
    act("add_option", category="Team", name="B")
    act("rename_option", option="B", name="C")
    category = act("archive_option", option="C")
    assert [option["Name"] for option in category["Options"]] == ["A", "C"]
    assert act("archive_tracking_category", category="Team")["Status"] == "ARCHIVED"
    assert act("create_budget", amounts={"200": 1000}, months=3)["Type"] == "OVERALL"
    assert act("create_branding_theme", name="Plain")["Name"] == "Plain"
    assert act("create_user", first_name="A", last_name="B", email="a@example.com")["UserID"]
    act("lock_books", period="2026-09-30")
    locked = act("lock_books", year_end="2026-03-31")
    assert locked["PeriodLockDate"] == "/Date(1790726400000+0000)/"
    assert locked["EndOfYearLockDate"] == "/Date(1774915200000+0000)/"
    assert act.company.records("Organisations") == [locked]
    account = act("create_account", code="777", name="Spare")
    bill = act("create_invoice", type="ACCPAY", lines=[{"unit_amount": 1, "account_code": "404"}])
    act("edit_account", code="404", new_code="4040")
    [shown] = [r for r in act.company.records("Invoices") if r["InvoiceID"] == bill["InvoiceID"]]
    assert shown["LineItems"][0]["AccountCode"] == "4040"  # type: ignore[index]
    assert shown["UpdatedDateUTC"] == bill["UpdatedDateUTC"]
    assert act("edit_account", id=account["AccountID"], new_code="778")["Code"] == "778"
    act("delete_account", code="778")


def use_contacts(act: Door) -> None:
    ann = act("create_contact", name="Ann")["ContactID"]
    bob = act("create_contact", name="Bob")["ContactID"]
    invoice = act("create_invoice", contact="Ann", amount=10)
    act("edit_contact", id=ann, city="Rome")
    paid_to = act("edit_contact", id=ann, bank_account_details="02-0100-0000001-00")
    assert paid_to["BankAccountDetails"] == "02-0100-0000001-00"
    merged = act("merge_contact", id=ann, into="Bob")
    assert (merged["ContactStatus"], merged["MergedToContactID"]) == ("ARCHIVED", bob)
    [shown] = act.company.records("Invoices")[-1:]
    assert shown["InvoiceID"] == invoice["InvoiceID"]
    assert shown["Contact"]["ContactID"] == bob  # type: ignore[index]
    act("create_contact_group", name="VIP", contacts=[bob])
    assert act("forget_contact", id=bob)["ContactStatus"] == "GDPRREQUEST"
    assert act("archive_contact", id=bob)["ContactStatus"] == "ARCHIVED"
    act("add_note", id=invoice["InvoiceID"], details="Called them.")
    act("attach", id=invoice["InvoiceID"], file_name="a.png")
    changes = [note.changes for note in act.company.books.history(str(invoice["InvoiceID"]))]
    assert changes == ["Created", "Note"]
    assert act.company.records("Invoices")[-1]["HasAttachments"]


USES = (use_documents, use_money, use_journals, use_papers, use_settings, use_contacts)


def test_every_action_does_what_it_says_and_leaves_balanced_books() -> None:
    used: set[str] = set()
    for use in USES:
        door = Door()
        use(door)
        used |= door.used
        books = door.company.books
        for ledger in (books.ledger, books.cash):
            assert sum(ledger.balances(date.max).values()) == 0
    assert used == set(ACTIONS)


def test_the_same_actions_give_the_same_books_after_a_restart() -> None:
    for use in USES:
        first, second = Door(), Door()
        use(first)
        use(second)
        assert everything(first.company) == everything(second.company)
        first.company.advance(NOW.replace(year=2025))
        first.company.advance(NOW)
        assert everything(first.company) == everything(second.company)


@pytest.mark.parametrize(
    ("action", "fields", "sentence"),
    [
        ("create_invoice", {"lines": [{"unit_amount": 1, "tracking": ["x"]}]}, "tracking option x"),
        ("create_invoice", {"lines": [{"unit_amount": 1, "tracking": "x"}]}, "list of options"),
        ("create_invoice", {"lines": [{"unit_amount": 1, "discount_rate": 101}]}, "0 to 100"),
        ("create_invoice", {"amount": 1, "currency": "EUR", "rate": 0}, "rate must be at least"),
        ("create_invoice", {"amount": "1e30"}, "must be a number"),
        ("create_invoice", {"amount": -1}, "must not be negative"),
        ("create_invoice", {"amount": 1, "date": "9999-12-31"}, "date must lie in 1990 to 2100"),
        ("create_invoice", {"amount": 1, "due_date": "1800-01-01"}, "due_date must lie in 1990"),
        ("create_quote", {"amount": 1, "date": "0001-01-01"}, "date must lie in 1990 to 2100"),
        ("edit_invoice", {"id": "x", "sent": "yes"}, "no document x"),
        ("edit_quote", {"id": "x"}, "no quote x"),
        ("edit_purchase_order", {"id": "x"}, "no purchase order x"),
        ("pay_batch", {"payments": []}, "at least one object"),
        ("pay_batch", {"payments": ["x"]}, "list of objects"),
        ("reconcile", {"id": "x"}, "no payment, batch payment or bank transaction x"),
        ("transfer", {"amount": 1, "to_code": "090"}, "between two accounts"),
        ("transfer", {"amount": "0.001"}, "two decimals"),
        ("create_prepayment", {"amount": 0}, "greater than zero"),
        ("create_overpayment", {"amount": 1, "line_amount_types": "Inclusive"}, "neither tax"),
        ("post_conversion", {"balances": {}}, "object of amounts"),
        ("create_manual_journal", {"lines": [{"account_code": "404", "amount": 1}]}, "sum to zero"),
        ("create_repeating_invoice", {"amount": 1, "period": 0}, "whole number"),
        ("create_account", {"code": "090", "name": "x"}, "already used"),
        ("create_account", {"code": "9", "name": "x", "type": "GOLD"}, "must be one of"),
        ("delete_account", {"code": "610"}, "in use"),
        ("archive_option", {"option": "x"}, "no tracking option x"),
        ("add_option", {"category": "x", "name": "y"}, "no tracking category x"),
        ("add_note", {"id": "x", "details": "y"}, "no record x"),
        ("create_contact", {"name": "x", "currency": "GBP"}, "must be one of NZD, EUR"),
        ("create_contact_group", {"name": "x", "contacts": "y"}, "list of ids"),
        ("create_tracking_category", {"name": "x", "options": ["a", "a"]}, "different names"),
        ("create_account", {"code": "1", "name": "x", "type": "BANK", "currency": "USD"}, "USD"),
        ("edit_account", {"code": "200", "new_code": "404"}, "already used"),
        ("create_invoice", {"amount": 1, "rounding": 3}, "less than one unit"),
        ("create_invoice", {"lines": [{"unit_amount": "1e9"}]}, "must be a number"),
        ("create_invoice", {"lines": [{"unit_amount": 1, "account_code": "800"}]}, "on a line"),
        ("create_bank_transaction", {"amount": 1, "account_code": "200"}, "not a bank account"),
        ("post_payroll", {"amounts": {"090": 1}}, "cannot be used"),
        ("create_manual_journal", {"lines": [], "show_on_cash_basis": True}, "at least one"),
        ("create_manual_journal", {"status": "PAID"}, "must be one of"),
        ("create_budget", {"amounts": {"x": 1}}, "no account x"),
    ],
)
def test_a_refused_action_changes_nothing(
    action: str, fields: dict[str, Any], sentence: str
) -> None:
    company = empty()
    before = everything(company)
    with pytest.raises(ValueError, match=sentence):
        company.act(action, fields, now=NOW)
    assert everything(company) == before
    assert company.act("create_invoice", {"amount": 1}, now=NOW)["InvoiceNumber"] == "INV-0001"
