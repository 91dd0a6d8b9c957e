"""Money that comes before an invoice, or is more than one: prepayments and overpayments.

Knows why they happen and what becomes of them: applied in parts, refunded, kept. Must not know
the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import BankTransaction, Contact, Document
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import cents
from xero_sandbox.business.habits import Event
from xero_sandbox.business.names import PURCHASES
from xero_sandbox.business.office import Activity, Deed, Office
from xero_sandbox.business.people import pick
from xero_sandbox.business.treasury import Treasury

_TAKEN_BACK = 0.08


class _Credits(Activity):
    """What prepayments and overpayments have in common: what becomes of the credit."""

    def __init__(self, office: Office, treasury: Treasury) -> None:
        super().__init__(office)
        self._treasury = treasury

    def _enter(self, event: Event, record: BankTransaction, *, random: Random) -> None:
        self.office.books.enter_bank_transaction(record, at=event.at, ids=random)
        if record.credit is not None:
            subject, days = record.credit.document_id, random.randrange(2, 25)
            self.office.later(event, days, kind=f"apply_{self.feature}", subject=subject)

    def _apply(self, event: Event, random: Random) -> None:
        """Apply what the contact's open invoices take; the rest is refunded, or waits."""
        credit = self.office.books.document(event.intent.subject)
        for invoice in _takers(credit):
            amount = min(credit.due, invoice.due)
            if not amount or random.random() < 0.2:
                continue
            if amount == credit.due and random.random() < 0.3:
                amount = cents(amount / 2)
            allocation = self.office.books.allocate(
                credit, invoice, amount=amount, at=event.at, ids=random
            )
            if random.random() < _TAKEN_BACK:
                days, subject = random.randrange(1, 9), allocation.allocation_id
                self.office.later(event, days, kind=f"take_back_{self.feature}", subject=subject)
        if credit.due and random.random() < 0.4:
            days, subject = random.randrange(3, 20), credit.document_id
            self.office.later(event, days, kind="refund", subject=subject)
        elif credit.due:
            days, subject = random.randrange(10, 40), credit.document_id
            self.office.later(event, days, kind=f"apply_{self.feature}", subject=subject)

    def _take_back(self, event: Event, _: Random) -> None:
        """Somebody applied it to the wrong invoice."""
        allocation = self.office.books.allocations[event.intent.subject]
        self.office.books.remove_allocation(allocation, at=event.at)

    def _account_for(self, contact: Contact) -> Account | None:
        """A bank account in the contact's currency, if there is one."""
        books = self.office.books
        currency = contact.currency or books.base_currency
        banks = (each for each in books.by_code.values() if each.type == "BANK")
        return next((each for each in banks if each.currency == currency), None)


def _takers(credit: Document) -> list[Document]:
    """The open invoices or bills that a credit can be applied to."""
    return [
        document
        for document in list(credit.contact.open_documents.values())
        if document.type in ("ACCREC", "ACCPAY")
        and document.is_receivable == credit.is_receivable
        and document.currency == credit.currency
    ]


class Prepayments(_Credits):
    """Customers pay, and suppliers want to be paid, before there is an invoice."""

    feature = "prepayments"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "be_paid_in_advance": self._be_paid,
            "pay_in_advance": self._pay,
            "apply_prepayments": self._apply,
            "take_back_prepayments": self._take_back,
        }

    def usual(self, _: date, dice: Random) -> list[str]:
        """One or two a month."""
        kinds = ["be_paid_in_advance"] * (dice.random() < 0.06)
        return kinds + ["pay_in_advance"] * (dice.random() < 0.03)

    def _be_paid(self, event: Event, random: Random) -> None:
        self._advance(event, random, kind="RECEIVE-PREPAYMENT")

    def _pay(self, event: Event, random: Random) -> None:
        self._advance(event, random, kind="SPEND-PREPAYMENT")

    def _advance(self, event: Event, random: Random, *, kind: str) -> None:
        is_sale = kind.startswith("RECEIVE")
        people, desk = self.office.people, self.office.desk
        contact = pick(people.customers if is_sale else people.suppliers, random)
        if contact is None:
            return
        account = self._account_for(contact)
        if account is None:
            return
        product = random.choice(desk.products if is_sale else PURCHASES)
        record = desk.bank_transaction(
            kind,
            product,
            contact=contact,
            on=event.day,
            at=event.at,
            random=random,
            reference=random.choice(("Deposit", "Advance", "")),
            account=account,
        )
        self._enter(event, record, random=random)


class Overpayments(_Credits):
    """Customers pay too much, or twice; the business does so, too."""

    feature = "overpayments"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "be_overpaid": self._be_overpaid,
            "overpay": self._overpay,
            "apply_overpayments": self._apply,
            "take_back_overpayments": self._take_back,
        }

    def usual(self, _: date, dice: Random) -> list[str]:
        """About one a month; twice in a year the business itself."""
        kinds = ["be_overpaid"] * (dice.random() < 0.05)
        return kinds + ["overpay"] * (dice.random() < 0.02)

    def _be_overpaid(self, event: Event, random: Random) -> None:
        self._pay_too_much(event, random, is_sale=True)

    def _overpay(self, event: Event, random: Random) -> None:
        self._pay_too_much(event, random, is_sale=False)

    def _pay_too_much(self, event: Event, random: Random, *, is_sale: bool) -> None:
        """Pay a document in full and something on top: a bit, or all of it once more."""
        on = event.day
        invoices = [
            each
            for each in self.office.open_invoices(is_sale=is_sale)
            if each.on <= on and self._account_for(each.contact) is not None
        ]
        if not invoices:
            return
        invoice = random.choice(invoices)
        account = self._account_for(invoice.contact)
        if account is None or account.currency != invoice.currency:
            return
        too_much = random.choice((invoice.due, cents(invoice.due / 8), Decimal("9.99")))
        self.office.books.pay(
            invoice,
            invoice.due,
            at=event.at,
            on=on,
            account=account,
            ids=random,
            rate=self.office.desk.rate(on, invoice.currency),
            is_reconciled=True,
        )
        record = self._surplus(invoice, too_much, event=event, account=account, random=random)
        self._enter(event, record, random=random)

    def _surplus(
        self, invoice: Document, amount: Decimal, *, event: Event, account: Account, random: Random
    ) -> BankTransaction:
        is_sale = invoice.is_receivable
        return self.office.desk.exactly(
            "RECEIVE-OVERPAYMENT" if is_sale else "SPEND-OVERPAYMENT",
            amount,
            code="610" if is_sale else "800",
            description=f"Overpayment of {invoice.number}",
            contact=invoice.contact,
            on=event.day,
            at=event.at,
            random=random,
            account=account,
        )
