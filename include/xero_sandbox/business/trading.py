"""Selling and buying: invoices, bills, credit notes, and what becomes of them.

Knows when a document is written, approved, corrected, credited or voided. Must not know how
money moves (`treasury.py`) or the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import Document
from xero_sandbox.business.habits import DAY, Event
from xero_sandbox.business.names import PURCHASES
from xero_sandbox.business.office import Deed, Office
from xero_sandbox.business.people import pick


class Trading:
    """The people who write and correct documents."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._books = office.books
        self._desk = office.desk
        self._people = office.people

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "sell": self._sell,
            "buy": self._buy,
            "approve": self._approve,
            "delete_draft": self._delete_draft,
            "void": self._void,
            "correct": self._correct,
            "credit": self._credit,
        }

    def _sell(self, event: Event, random: Random) -> None:
        customer = pick(self._people.customers, random)
        if customer is None:
            return
        on = event.day
        if random.random() < 0.02:
            on += random.randrange(3, 13) * DAY
        terms = self._people.habit_of(customer).terms_days
        invoice = self._desk.invoice(customer, on, terms_days=terms, at=event.at, random=random)
        subject = invoice.document_id
        if random.random() >= 0.06:
            self._books.enter(invoice, at=event.at)
            self.expect(event, invoice, random=random)
            return
        invoice.status, invoice.is_sent = "DRAFT", False
        self._books.enter(invoice, at=event.at)
        if random.random() < 0.75:
            days = random.randrange(1, 9)
            self._office.later(event, days, kind="approve", subject=subject)
        else:
            days = random.randrange(5, 40)
            self._office.later(event, days, kind="delete_draft", subject=subject)

    def _buy(self, event: Event, random: Random) -> None:
        supplier = pick(self._people.suppliers, random)
        if supplier is None:
            return
        on = event.day - random.choice((0, 0, 1, 2, 3, 6)) * DAY
        on = max(on, self._office.first_day)
        bill = self._desk.bill(supplier, on, at=event.at, random=random)
        self._books.enter(bill, at=event.at)
        self.expect(event, bill, random=random)
        if random.random() < 0.04:
            days = random.randrange(1, 25)
            self._office.later(event, days, kind="correct", subject=bill.document_id)

    def expect(self, event: Event, document: Document, *, random: Random) -> None:
        """Decide what will become of an approved document."""
        office, subject = self._office, document.document_id
        habit = self._people.habit_of(document.contact)
        if random.random() < 0.035:
            office.later(event, random.randrange(2, 15), kind="credit", subject=subject)
        if random.random() < habit.never:
            if random.random() < 0.5:
                office.later(event, random.randrange(21, 70), kind="void", subject=subject)
            return
        on = document.due_date + round(random.gauss(habit.days_late, habit.spread)) * DAY
        if random.random() < habit.in_parts:
            share = Decimal(random.randrange(25, 75)) / 100
            office.money_later(event, on, subject=subject, random=random, share=share)
            on += random.randrange(9, 30) * DAY
        office.money_later(event, on, subject=subject, random=random)

    def _approve(self, event: Event, random: Random) -> None:
        draft = self._books.document(event.intent.subject)
        draft.is_sent = True
        self._books.approve(draft, at=event.at)
        self.expect(event, draft, random=random)

    def _delete_draft(self, event: Event, _: Random) -> None:
        self._books.delete_draft(self._books.document(event.intent.subject), at=event.at)

    def _void(self, event: Event, _: Random) -> None:
        self._books.void(self._books.document(event.intent.subject), at=event.at)

    def _correct(self, event: Event, random: Random) -> None:
        """Move the first line of a bill to another expense account: amounts stay."""
        bill = self._books.document(event.intent.subject)
        account = self._books.account(random.choice(PURCHASES).account_code)
        lines = (replace(bill.lines[0], account=account), *bill.lines[1:])
        self._books.edit(bill, at=event.at, lines=lines)

    def _credit(self, event: Event, random: Random) -> None:
        """Credit a part of an invoice or bill; what it no longer owes is refunded or kept."""
        invoice = self._books.document(event.intent.subject)
        if not invoice.counts:
            return
        on = event.day
        credit = self._desk.credit_note(invoice, on, at=event.at, random=random)
        self._books.enter(credit, at=event.at)
        amount = min(credit.due, invoice.due)
        if amount and random.random() < 0.8:
            self._books.allocate(credit, invoice, amount=amount, at=event.at, ids=random)
        if credit.due and random.random() < 0.6:
            days = random.randrange(4, 20)
            self._office.later(event, days, kind="refund", subject=credit.document_id)
