"""How a business behaves: whom it sells to and buys from, who pays when, and what goes wrong.

Knows what happens and why. A day is planned at its beginning and happens event by event, each
with a random stream of its own, so that the same seed gives the same business whatever the steps
in which time moves. Must not know the ledger's rules (`books.py` has them and may refuse),
clocks, JSON or HTTP.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from xero_sandbox.books import Books, BooksError
from xero_sandbox.documents import Contact, Document
from xero_sandbox.drafting import Desk
from xero_sandbox.habits import (
    DAY,
    WEEKEND_SHARE,
    Event,
    Intent,
    entry_day,
    event_on,
    how_many,
    working_day,
)
from xero_sandbox.ids import random_of
from xero_sandbox.money import cents
from xero_sandbox.names import PURCHASES, SMALL_SPENDING, TRADES, Product
from xero_sandbox.people import People, pick
from xero_sandbox.traits import Traits

_CAPITAL = Product("Owner's capital", Decimal(40_000), "970")
_BANK_FEE = Product("Monthly account fee", Decimal("12.50"), "404")


class Business:
    """The people behind one set of books: they plan each day and let it happen."""

    def __init__(
        self, books: Books, traits: Traits, *, seed: str, zone: ZoneInfo, first_day: date
    ) -> None:
        self._books = books
        self._traits = traits
        self._seed = seed
        self._zone = zone
        self._first_day = first_day
        self._people = People(books, traits)
        self._agenda: dict[date, list[Intent]] = defaultdict(list)
        trade = traits.trade or random_of(seed, "trade").choice(sorted(TRADES))
        self._desk = Desk(books, TRADES[trade], seed=seed, first_day=first_day)
        self._deeds: dict[str, Callable[[Event, Random], None]] = {
            "open": self._open,
            "sell": self._sell,
            "buy": self._buy,
            "spend": self._spend,
            "receive": self._receive,
            "pay_bank_fee": self._pay_bank_fee,
            "meet_customer": self._meet_customer,
            "edit_contact": self._edit_contact,
            "archive_contact": self._archive_contact,
            "approve": self._approve,
            "delete_draft": self._delete_draft,
            "pay": self._pay,
            "undo_payment": self._undo_payment,
            "reconcile": self._reconcile,
            "credit": self._credit,
            "refund": self._refund,
            "void": self._void,
            "correct": self._correct,
            "undo_spending": self._undo_spending,
        }

    def plan(self, day: date) -> list[Event]:
        """Return what will happen on `day`, in order; depends on nothing later than its start."""
        random = random_of(self._seed, day.isoformat())
        if day == self._first_day:
            intents = [Intent("open")]
        else:
            intents = [Intent(kind) for kind in self._usual(day, random)]
        intents += self._agenda.pop(day, [])
        events = [event_on(day, intent, random=random, zone=self._zone) for intent in intents]
        return sorted(events, key=lambda event: event.at)

    def happen(self, event: Event) -> None:
        """Let one event happen; what Xero would refuse by now does not."""
        try:
            self._deeds[event.intent.kind](event, Random(event.seed))
        except BooksError:
            # Somebody changed the document through the control door since this was planned.
            return

    def _usual(self, day: date, random: Random) -> list[str]:
        """What a day brings by itself."""
        traits = self._traits
        busy = WEEKEND_SHARE if day.weekday() >= 5 else 1.0
        kinds = ["sell"] * how_many(random, traits.invoices_per_day * busy)
        kinds += ["buy"] * how_many(random, traits.bills_per_day * busy)
        money = how_many(random, traits.bank_transactions_per_day * busy)
        kinds += random.choices(("receive", "spend"), (1, 3), k=money)
        for kind, share in (("meet_customer", 0.03), ("edit_contact", 0.06)):
            kinds += [kind] * (random.random() < share * busy)
        kinds += ["archive_contact"] * (random.random() < 0.008 * busy)
        kinds += ["pay_bank_fee"] * (day.day == 1 and traits.bank_transactions_per_day > 0)
        return kinds

    def _later(self, event: Event, days: int, *, kind: str, subject: str) -> None:
        """Put something on the agenda of a working day, tomorrow at the earliest."""
        day = working_day(self._day_of(event) + max(days, 1) * DAY)
        self._agenda[day].append(Intent(kind, subject))

    def _money_later(
        self,
        event: Event,
        on: date,
        *,
        subject: str,
        random: Random,
        share: Decimal | None = None,
    ) -> None:
        """Let money move on a working day from `on`; it is entered then, or some days after."""
        on = working_day(max(on, self._day_of(event) + DAY))
        self._agenda[entry_day(on, random)].append(Intent("pay", subject, on, share))

    def _day_of(self, event: Event) -> date:
        return event.at.astimezone(self._zone).date()

    def _open(self, event: Event, random: Random) -> None:
        self._people.gather(at=event.at, random=random)
        if self._traits.bank_transactions_per_day > 0 and self._people.suppliers:
            owner = self._people.suppliers[0]
            self._bank(event, random, kind="RECEIVE", product=_CAPITAL, contact=owner)

    def _meet_customer(self, event: Event, random: Random) -> None:
        self._people.meet_customer(at=event.at, random=random)

    def _edit_contact(self, event: Event, random: Random) -> None:
        self._people.edit_someone(at=event.at, random=random)

    def _archive_contact(self, event: Event, random: Random) -> None:
        self._people.archive_someone(at=event.at, random=random)

    # Sales and purchases

    def _sell(self, event: Event, random: Random) -> None:
        customer = pick(self._people.customers, random)
        if customer is None:
            return
        on = self._day_of(event)
        if random.random() < 0.02:
            on += random.randrange(3, 13) * DAY
        terms = self._people.habit_of(customer).terms_days
        invoice = self._desk.invoice(customer, on, terms_days=terms, at=event.at, random=random)
        subject = invoice.document_id
        if random.random() >= 0.06:
            self._books.enter(invoice, at=event.at)
            self._expect(event, invoice, random=random)
            return
        invoice.status, invoice.is_sent = "DRAFT", False
        self._books.enter(invoice, at=event.at)
        if random.random() < 0.75:
            self._later(event, random.randrange(1, 9), kind="approve", subject=subject)
        else:
            self._later(event, random.randrange(5, 40), kind="delete_draft", subject=subject)

    def _buy(self, event: Event, random: Random) -> None:
        supplier = pick(self._people.suppliers, random)
        if supplier is None:
            return
        on = self._day_of(event) - random.choice((0, 0, 1, 2, 3, 6)) * DAY
        bill = self._desk.bill(supplier, max(on, self._first_day), at=event.at, random=random)
        self._books.enter(bill, at=event.at)
        self._expect(event, bill, random=random)
        if random.random() < 0.04:
            days = random.randrange(1, 25)
            self._later(event, days, kind="correct", subject=bill.document_id)

    def _expect(self, event: Event, document: Document, *, random: Random) -> None:
        """Decide what will become of an approved document."""
        habit = self._people.habit_of(document.contact)
        subject = document.document_id
        if random.random() < 0.035:
            self._later(event, random.randrange(2, 15), kind="credit", subject=subject)
        if random.random() < habit.never:
            if random.random() < 0.5:
                self._later(event, random.randrange(21, 70), kind="void", subject=subject)
            return
        on = document.due_date + round(random.gauss(habit.days_late, habit.spread)) * DAY
        if random.random() < habit.in_parts:
            share = Decimal(random.randrange(25, 75)) / 100
            self._money_later(event, on, subject=subject, random=random, share=share)
            on += random.randrange(9, 30) * DAY
        self._money_later(event, on, subject=subject, random=random)

    def _approve(self, event: Event, random: Random) -> None:
        draft = self._books.document(event.intent.subject)
        draft.is_sent = True
        self._books.approve(draft, at=event.at)
        self._expect(event, draft, random=random)

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
        credit = self._desk.credit_note(invoice, self._day_of(event), at=event.at, random=random)
        self._books.enter(credit, at=event.at)
        amount = min(credit.due, invoice.due)
        if amount and random.random() < 0.8:
            self._books.allocate(credit, invoice, amount=amount, at=event.at, ids=random)
        if credit.due and random.random() < 0.6:
            days = random.randrange(4, 20)
            self._later(event, days, kind="refund", subject=credit.document_id)

    # Money

    def _pay(self, event: Event, random: Random) -> None:
        document = self._books.document(event.intent.subject)
        share = event.intent.share
        amount = document.due if share is None else cents(document.due * share)
        is_reconciled = random.random() < 0.7
        on = max(event.intent.on or self._day_of(event), document.on)
        payment = self._books.pay(
            document,
            amount,
            at=event.at,
            on=on,
            account=self._books.account("090"),
            ids=random,
            rate=self._desk.rate(on, document.currency),
            reference=document.number if random.random() < 0.6 else "",
            is_reconciled=is_reconciled,
        )
        subject = payment.payment_id
        if random.random() < 0.012:
            self._later(event, random.randrange(1, 6), kind="undo_payment", subject=subject)
        elif not is_reconciled:
            self._later(event, random.randrange(1, 5), kind="reconcile", subject=subject)

    def _undo_payment(self, event: Event, random: Random) -> None:
        payment = self._books.payment(event.intent.subject)
        self._books.delete_payment(payment, at=event.at)
        on = self._day_of(event) + random.randrange(1, 9) * DAY
        self._money_later(event, on, subject=payment.document.document_id, random=random)

    def _reconcile(self, event: Event, _: Random) -> None:
        payment = self._books.payment(event.intent.subject)
        if payment.status == "AUTHORISED":
            self._books.reconcile(payment, at=event.at)

    def _refund(self, event: Event, random: Random) -> None:
        credit = self._books.document(event.intent.subject)
        on = self._day_of(event)
        self._books.pay(
            credit,
            credit.due,
            at=event.at,
            on=on,
            account=self._books.account("090"),
            ids=random,
            rate=self._desk.rate(on, credit.currency),
            reference="Refund",
            is_reconciled=True,
        )

    def _spend(self, event: Event, random: Random) -> None:
        supplier = pick(self._people.suppliers, random)
        if supplier is not None:
            product = random.choice(SMALL_SPENDING)
            self._bank(event, random, kind="SPEND", product=product, contact=supplier)

    def _receive(self, event: Event, random: Random) -> None:
        customer = pick(self._people.customers, random)
        if customer is not None:
            product = random.choice(self._desk.products)
            self._bank(event, random, kind="RECEIVE", product=product, contact=customer)

    def _pay_bank_fee(self, event: Event, random: Random) -> None:
        if self._people.suppliers:
            bank = self._people.suppliers[-1]
            self._bank(event, random, kind="SPEND", product=_BANK_FEE, contact=bank)

    def _bank(
        self, event: Event, random: Random, *, kind: str, product: Product, contact: Contact
    ) -> None:
        record = self._desk.bank_transaction(
            kind,
            product,
            contact=contact,
            on=self._day_of(event),
            at=event.at,
            random=random,
            reference=random.choice(("", "EFTPOS", "Card", "DD")),
        )
        self._books.enter_bank_transaction(record, at=event.at)
        if random.random() < 0.025:
            days = random.randrange(1, 5)
            self._later(event, days, kind="undo_spending", subject=record.transaction_id)

    def _undo_spending(self, event: Event, _: Random) -> None:
        record = self._books.bank_transactions[event.intent.subject]
        self._books.delete_bank_transaction(record, at=event.at)
