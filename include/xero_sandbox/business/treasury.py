"""Money: payments, refunds, and what is received and spent without an invoice.

Knows who pays from which account and what goes wrong with it. Must not know why somebody pays
(`trading.py`) or the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import Contact, Document
from xero_sandbox.books.ids import share_of
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import cents
from xero_sandbox.business.habits import DAY, Event
from xero_sandbox.business.names import SMALL_SPENDING, Product
from xero_sandbox.business.office import Deed, Office
from xero_sandbox.business.people import pick

CAPITAL = Product("Owner's capital", Decimal(40_000), "970")
_BY_OWNER = 0.08
_BANK_FEE = Product("Monthly account fee", Decimal("12.50"), "404")


class Treasury:
    """The people at the bank accounts."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._books = office.books
        self._desk = office.desk
        self._people = office.people
        self._owner_pays = "owner_payments" in office.traits.features
        self._foreign_banks = {
            account.currency: account
            for account in office.books.by_code.values()
            if account.type == "BANK" and account.currency != office.books.base_currency
        }

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "spend": self._spend,
            "receive": self._receive,
            "pay_bank_fee": self._pay_bank_fee,
            "undo_spending": self._undo_spending,
            "pay": self._pay,
            "undo_payment": self._undo_payment,
            "reconcile": self._reconcile,
            "refund": self._refund,
        }

    def account_of(self, document: Document) -> Account:
        """Return the account its money goes through: most foreign money has one of its currency."""
        is_bill = document.type == "ACCPAY"
        if self._owner_pays and is_bill and share_of(document.document_id, 1) < _BY_OWNER:
            return self._books.account("881")
        foreign = self._foreign_banks.get(document.currency)
        if foreign is None or share_of(document.document_id, 0) < 0.3:
            return self._office.bank
        return foreign

    def _pay(self, event: Event, random: Random) -> None:
        document = self._books.document(event.intent.subject)
        share = event.intent.share
        amount = document.due if share is None else cents(document.due * share)
        is_reconciled = random.random() < 0.7
        on = max(event.intent.on or event.day, document.on)
        payment = self._books.pay(
            document,
            amount,
            at=event.at,
            on=on,
            account=self.account_of(document),
            ids=random,
            rate=self._desk.rate(on, document.currency),
            reference=document.number if random.random() < 0.6 else "",
            is_reconciled=is_reconciled,
        )
        subject = payment.payment_id
        if random.random() < 0.012:
            days = random.randrange(1, 6)
            self._office.later(event, days, kind="undo_payment", subject=subject)
        elif not is_reconciled:
            days = random.randrange(1, 5)
            self._office.later(event, days, kind="reconcile", subject=subject)

    def _undo_payment(self, event: Event, random: Random) -> None:
        payment = self._books.payment(event.intent.subject)
        self._books.delete_payment(payment, at=event.at)
        on = event.day + random.randrange(1, 9) * DAY
        subject = payment.document.document_id
        self._office.money_later(event, on, subject=subject, random=random)

    def _reconcile(self, event: Event, _: Random) -> None:
        payment = self._books.payment(event.intent.subject)
        if payment.status == "AUTHORISED":
            self._books.reconcile(payment, at=event.at)

    def _refund(self, event: Event, random: Random) -> None:
        credit = self._books.document(event.intent.subject)
        on = event.day
        self._books.pay(
            credit,
            credit.due,
            at=event.at,
            on=on,
            account=self.account_of(credit),
            ids=random,
            rate=self._desk.rate(on, credit.currency),
            reference="Refund",
            is_reconciled=True,
        )

    def _spend(self, event: Event, random: Random) -> None:
        supplier = pick(self._people.suppliers, random)
        if supplier is not None:
            product = random.choice(SMALL_SPENDING)
            self.bank(event, random, kind="SPEND", product=product, contact=supplier)

    def _receive(self, event: Event, random: Random) -> None:
        customer = pick(self._people.customers, random)
        if customer is not None:
            product = random.choice(self._desk.products)
            self.bank(event, random, kind="RECEIVE", product=product, contact=customer)

    def _pay_bank_fee(self, event: Event, random: Random) -> None:
        if self._people.suppliers:
            bank = self._people.suppliers[-1]
            self.bank(event, random, kind="SPEND", product=_BANK_FEE, contact=bank)

    def bank(
        self, event: Event, random: Random, *, kind: str, product: Product, contact: Contact
    ) -> None:
        """Enter money received or spent on the cheque account; a little of it is undone."""
        record = self._desk.bank_transaction(
            kind,
            product,
            contact=contact,
            on=event.day,
            at=event.at,
            random=random,
            reference=random.choice(("", "EFTPOS", "Card", "DD")),
        )
        self._books.enter_bank_transaction(record, at=event.at)
        if random.random() < 0.025:
            days = random.randrange(1, 5)
            subject = record.transaction_id
            self._office.later(event, days, kind="undo_spending", subject=subject)

    def _undo_spending(self, event: Event, _: Random) -> None:
        record = self._books.bank_transaction(event.intent.subject)
        self._books.delete_bank_transaction(record, at=event.at)
