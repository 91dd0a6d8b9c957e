"""How a business behaves: whom it sells to and buys from, who pays when, and what goes wrong.

Knows customers' habits, terms, prices and probabilities. A day is planned at its beginning and
happens event by event, each with a random stream of its own, so that the same seed gives the
same business whatever the steps in which time moves. Must not know the ledger's rules (`books.py`
has them and may refuse), clocks, JSON or HTTP.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from xero_sandbox.books import Books, BooksError
from xero_sandbox.chart import Country
from xero_sandbox.documents import BankTransaction, Contact, Document, Line, compute_line
from xero_sandbox.ids import new_guid, random_of
from xero_sandbox.money import ONE, ZERO, cents, places
from xero_sandbox.names import (
    PURCHASES,
    SMALL_SPENDING,
    TRADES,
    Product,
    customer_name,
    person,
    supplier_name,
)
from xero_sandbox.rates import rate_on
from xero_sandbox.traits import Traits

_DAY = timedelta(days=1)
# Opening hours, in minutes of the organisation's own day.
_OPENS, _CLOSES = 8 * 60, 18 * 60
_WEEKEND_SHARE = 0.12
# How many days after the money moved somebody enters it: so the past keeps changing a little.
_ENTRY_DELAYS = (0, 0, 0, 0, 1, 1, 3)


@dataclass(frozen=True, slots=True)
class PayingHabit:
    """How a contact pays: days around the due date, and how often not at all or in parts."""

    days_late: float
    spread: float
    never: float
    in_parts: float
    terms_days: int


_HABITS = (
    PayingHabit(-4, 3, 0.0, 0.0, 30),
    PayingHabit(0, 1, 0.01, 0.02, 20),
    PayingHabit(2, 3, 0.02, 0.1, 14),
    PayingHabit(14, 8, 0.04, 0.2, 30),
    PayingHabit(38, 20, 0.12, 0.3, 14),
    PayingHabit(5, 6, 0.5, 0.1, 7),
)
_SUPPLIER_HABIT = PayingHabit(-1, 1.5, 0.03, 0.05, 20)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at a moment (aware UTC); `subject` is the id it is about."""

    at: datetime
    kind: str
    seed: int
    subject: str = ""
    on: date | None = None
    share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Intent:
    """An event that an earlier one brings about on a later day."""

    kind: str
    subject: str
    on: date | None = None
    share: Decimal | None = None


class Business:
    """The people behind one set of books: they plan each day and let it happen."""

    def __init__(
        self, books: Books, traits: Traits, *, seed: str, zone: ZoneInfo, first_day: date
    ) -> None:
        self.books = books
        self._traits = traits
        self._land: Country = traits.land
        self._seed = seed
        self._zone = zone
        self._first_day = first_day
        self._habits: dict[str, PayingHabit] = {}
        self._customers: list[Contact] = []
        self._suppliers: list[Contact] = []
        self._agenda: dict[date, list[_Intent]] = defaultdict(list)
        trades = sorted(TRADES)
        self._products = TRADES[traits.trade or random_of(seed, "trade").choice(trades)]
        self._price_levels = {
            currency: rate_on(first_day, base="USD", currency=currency, seed=seed)
            for currency in books.currencies
        }
        self._deeds: dict[str, Callable[[Event, Random], None]] = {
            "open": self._open,
            "sale": self._sell,
            "bill": self._buy,
            "spend": self._spend,
            "receive": self._receive,
            "bank_fee": self._pay_bank_fee,
            "new_customer": self._meet_customer,
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

    # Planning a day

    def plan(self, day: date) -> list[Event]:
        """Return what will happen on `day`, in order; depends on nothing later than its start."""
        random = random_of(self._seed, day.isoformat())
        if day == self._first_day:
            return [self._event(random, day, "open", minute=0)]
        traits = self._traits
        busy = _WEEKEND_SHARE if day.weekday() >= 5 else 1.0
        kinds = ["sale"] * _count(random, traits.invoices_per_day * busy)
        kinds += ["bill"] * _count(random, traits.bills_per_day * busy)
        for _ in range(_count(random, traits.bank_transactions_per_day * busy)):
            kinds.append("receive" if random.random() < 0.25 else "spend")
        for kind, share in (("new_customer", 0.03), ("edit_contact", 0.06)):
            kinds += [kind] * (random.random() < share * busy)
        kinds += ["archive_contact"] * (random.random() < 0.008 * busy)
        kinds += ["bank_fee"] * (day.day == 1 and traits.bank_transactions_per_day > 0)
        events = [self._event(random, day, kind) for kind in kinds]
        for intent in self._agenda.pop(day, []):
            events.append(self._event(random, day, intent.kind, intent=intent))
        return sorted(events, key=lambda event: event.at)

    def happen(self, event: Event) -> None:
        """Let one event happen; what Xero would refuse by now does not."""
        try:
            self._deeds[event.kind](event, Random(event.seed))
        except BooksError:
            # Somebody changed the document through the control door since this was planned.
            return

    def _event(
        self,
        random: Random,
        day: date,
        kind: str,
        *,
        intent: _Intent | None = None,
        minute: int | None = None,
    ) -> Event:
        if minute is None:
            minute = random.randrange(_OPENS, _CLOSES)
        local = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=self._zone)
        local += timedelta(seconds=random.randrange(60), milliseconds=random.randrange(1000))
        at, seed = local.astimezone(UTC), random.getrandbits(64)
        if intent is None:
            return Event(at, kind, seed)
        return Event(at, kind, seed, intent.subject, intent.on, intent.share)

    def _later(
        self, event: Event, days: int, kind: str, subject: str, *, share: Decimal | None = None
    ) -> None:
        """Put something on the agenda, at the earliest tomorrow, on a working day."""
        day = _working_day(self._day_of(event) + max(days, 1) * _DAY)
        self._agenda[day].append(_Intent(kind, subject, None, share))

    def _money_later(
        self, event: Event, on: date, subject: str, random: Random, share: Decimal | None = None
    ) -> None:
        """Let money move on a working day from `on`, entered then or some days after."""
        today = self._day_of(event)
        on = _working_day(max(on, today + _DAY))
        entered = on + random.choice(_ENTRY_DELAYS) * _DAY
        self._agenda[entered].append(_Intent("pay", subject, on, share))

    def _day_of(self, event: Event) -> date:
        return event.at.astimezone(self._zone).date()

    # Contacts

    def _open(self, event: Event, random: Random) -> None:
        for _ in range(self._traits.customers):
            self._meet_customer(event, random)
        for index in range(self._traits.suppliers):
            contact = self._new_contact(event, random, supplier_name(index), index)
            self._suppliers.append(contact)
            self._habits[contact.contact_id] = _SUPPLIER_HABIT
        if self._traits.bank_transactions_per_day > 0 and self._suppliers:
            capital = Product("Owner's capital", Decimal(40_000), "970")
            self._bank(event, random, "RECEIVE", capital, self._suppliers[0], "Capital")

    def _meet_customer(self, event: Event, random: Random) -> None:
        index = len(self._customers)
        contact = self._new_contact(event, random, customer_name(random, index), index)
        self._customers.append(contact)
        weights = (3, 5, 4, 3, 1.5, 0.7)
        self._habits[contact.contact_id] = random.choices(_HABITS, weights)[0]

    def _new_contact(self, event: Event, random: Random, name: str, index: int) -> Contact:
        first, last = person(random)
        currency = ""
        if self._traits.currencies and random.random() < 0.4:
            currency = random.choice(self._traits.currencies)
        details = Contact(
            contact_id=new_guid(random),
            name=name,
            created_at=event.at,
            updated_at=event.at,
            email=f"accounts{index}@example.com",
            first_name=first,
            last_name=last,
            phone=f"{random.randrange(200, 999)} {random.randrange(1000, 9999)}",
            city=random.choice(self._land.cities),
            country=self._land.code,
            account_number=f"C{index:05d}" if random.random() < 0.2 else "",
            currency=currency,
        )
        try:
            return self.books.add_contact(details)
        except BooksError:
            details.name = f"{name} {index + 1} {'I' * random.randrange(1, 3)}"
            return self.books.add_contact(details)

    def _edit_contact(self, event: Event, random: Random) -> None:
        contact = random.choice(self._customers + self._suppliers)
        if random.random() < 0.2:
            self.books.edit_contact(contact, at=event.at, city=random.choice(self._land.cities))
        else:
            number = random.randrange(1000)
            self.books.edit_contact(contact, at=event.at, email=f"office{number}@example.com")

    def _archive_contact(self, event: Event, random: Random) -> None:
        idle = [c for c in self._customers[4:] if c.status == "ACTIVE" and not c.open_documents]
        if idle:
            self.books.edit_contact(random.choice(idle), at=event.at, status="ARCHIVED")

    def _pick(self, contacts: list[Contact], random: Random) -> Contact | None:
        """Pick a contact; the older the relation, the more business."""
        active = [contact for contact in contacts if contact.status == "ACTIVE"]
        return active[int(len(active) * random.random() ** 1.7)] if active else None

    # Sales and purchases

    def _sell(self, event: Event, random: Random) -> None:
        contact = self._pick(self._customers, random)
        if contact is None:
            return
        on = self._day_of(event)
        if random.random() < 0.02:
            on += random.randrange(3, 13) * _DAY
        is_draft = random.random() < 0.06
        habit = self._habits[contact.contact_id]
        document = self._document(event, random, "ACCREC", contact, on, habit.terms_days)
        document.status = "DRAFT" if is_draft else "AUTHORISED"
        document.is_sent = not is_draft
        self.books.enter(document, at=event.at)
        if not is_draft:
            self._expect_payment(event, document, random)
        elif random.random() < 0.75:
            self._later(event, random.randrange(1, 9), "approve", document.document_id)
        else:
            self._later(event, random.randrange(5, 40), "delete_draft", document.document_id)

    def _buy(self, event: Event, random: Random) -> None:
        contact = self._pick(self._suppliers, random)
        if contact is None:
            return
        on = self._day_of(event) - random.choice((0, 0, 1, 2, 3, 6)) * _DAY
        document = self._document(event, random, "ACCPAY", contact, max(on, self._first_day), 20)
        if random.random() < 0.4:
            document.planned_payment_date = document.due_date
        self.books.enter(document, at=event.at)
        self._expect_payment(event, document, random)
        if random.random() < 0.04:
            self._later(event, random.randrange(1, 25), "correct", document.document_id)

    def _document(
        self, event: Event, random: Random, kind: str, contact: Contact, on: date, terms: int
    ) -> Document:
        is_sale = kind == "ACCREC"
        currency = contact.currency or self.books.base_currency
        products = self._products if is_sale else PURCHASES
        line_kind = random.choices(("Exclusive", "Inclusive", "NoTax"), (78, 18, 4))[0]
        lines = tuple(
            self._line(random, random.choice(products), line_kind, currency, is_sale=is_sale)
            for _ in range(random.choice((1, 1, 2, 2, 3, 4) if is_sale else (1, 1, 1, 2)))
        )
        number = (
            self.books.next_number(kind) if is_sale else f"{random.choice('ABKRX')}{on:%y%m}-"
            f"{random.randrange(100, 9999)}"
        )
        return Document(
            document_id=new_guid(random),
            type=kind,
            number=number,
            contact=contact,
            date=on,
            due_date=on + terms * _DAY,
            line_kind=line_kind,
            lines=lines,
            currency=currency,
            created_at=event.at,
            updated_at=event.at,
            rate=self._rate(on, currency),
            reference=random.choice(("", "", "Monthly", f"PO {random.randrange(10_000)}"))
            if is_sale
            else "",
        )

    def _line(
        self, random: Random, product: Product, line_kind: str, currency: str, *, is_sale: bool
    ) -> Line:
        account = self.books.account(product.account_code)
        price = product.price * self._price_levels[currency]
        price *= Decimal(random.randrange(90, 116)) / 100
        has_small_parts = product.price != cents(product.price)
        quantity = Decimal(random.choice((1, 1, 1, 2, 3, 5, 10, 12)))
        if has_small_parts:
            quantity *= Decimal("7.25")
        if line_kind == "NoTax":
            tax_type = self._land.no_tax
        elif currency != self.books.base_currency:
            tax_type = self._land.export_tax if is_sale else self._land.no_tax
        else:
            tax_type = account.tax_type
        return compute_line(
            new_guid(random),
            kind=line_kind,
            quantity=quantity,
            price=places(price, 4 if has_small_parts else 2),
            account=account,
            tax_type=tax_type,
            tax_rate=self._land.rate_of(tax_type),
            description=product.description,
            item_code=product.item_code if is_sale else "",
            discount_rate=Decimal("10.00") if is_sale and random.random() < 0.05 else ZERO,
        )

    def _rate(self, on: date, currency: str) -> Decimal:
        if currency == self.books.base_currency:
            return ONE
        return rate_on(on, base=self.books.base_currency, currency=currency, seed=self._seed)

    # What becomes of a document

    def _expect_payment(self, event: Event, document: Document, random: Random) -> None:
        habit = self._habits.get(document.contact.contact_id, _SUPPLIER_HABIT)
        subject = document.document_id
        if random.random() < 0.035:
            self._later(event, random.randrange(2, 15), "credit", subject)
        if random.random() < habit.never:
            if random.random() < 0.5:
                self._later(event, random.randrange(21, 70), "void", subject)
            return
        on = document.due_date + round(random.gauss(habit.days_late, habit.spread)) * _DAY
        if random.random() < habit.in_parts:
            share = Decimal(random.randrange(25, 75)) / 100
            self._money_later(event, on, subject, random, share)
            on += random.randrange(9, 30) * _DAY
        self._money_later(event, on, subject, random)

    def _approve(self, event: Event, random: Random) -> None:
        document = self.books.document(event.subject)
        document.is_sent = True
        self.books.approve(document, at=event.at)
        self._expect_payment(event, document, random)

    def _delete_draft(self, event: Event, random: Random) -> None:
        self.books.delete_draft(self.books.document(event.subject), at=event.at)

    def _pay(self, event: Event, random: Random) -> None:
        document = self.books.document(event.subject)
        on = event.on or self._day_of(event)
        amount = document.due if event.share is None else cents(document.due * event.share)
        is_reconciled = random.random() < 0.7
        payment = self.books.pay(
            document,
            amount,
            at=event.at,
            on=max(on, document.date),
            account=self.books.account("090"),
            ids=random,
            rate=self._rate(on, document.currency),
            reference=document.number if random.random() < 0.6 else "",
            is_reconciled=is_reconciled,
        )
        if random.random() < 0.012:
            self._later(event, random.randrange(1, 6), "undo_payment", payment.payment_id)
        elif not is_reconciled:
            self._later(event, random.randrange(1, 5), "reconcile", payment.payment_id)

    def _undo_payment(self, event: Event, random: Random) -> None:
        payment = self.books.payment(event.subject)
        self.books.delete_payment(payment, at=event.at)
        on = self._day_of(event) + random.randrange(1, 9) * _DAY
        self._money_later(event, on, payment.document.document_id, random)

    def _reconcile(self, event: Event, random: Random) -> None:
        payment = self.books.payment(event.subject)
        if payment.status == "AUTHORISED":
            self.books.reconcile(payment, at=event.at)

    def _credit(self, event: Event, random: Random) -> None:
        """Credit a part of an invoice or bill; what it no longer owes is refunded or kept."""
        invoice = self.books.document(event.subject)
        if not invoice.counts:
            return
        kind = "ACCRECCREDIT" if invoice.is_receivable else "ACCPAYCREDIT"
        line = invoice.lines[0]
        on = self._day_of(event)
        credit = Document(
            document_id=new_guid(random),
            type=kind,
            number=self.books.next_number(kind),
            contact=invoice.contact,
            date=on,
            due_date=on,
            line_kind=invoice.line_kind,
            lines=(self._credited(line, invoice, random),),
            currency=invoice.currency,
            created_at=event.at,
            updated_at=event.at,
            rate=self._rate(on, invoice.currency),
            reference=invoice.number,
            is_sent=invoice.is_receivable,
        )
        self.books.enter(credit, at=event.at)
        amount = min(credit.due, invoice.due)
        if amount and invoice.status == "AUTHORISED":
            self.books.allocate(credit, invoice, amount, at=event.at, ids=random)
        if credit.due and random.random() < 0.6:
            self._later(event, random.randrange(4, 20), "refund", credit.document_id)

    def _credited(self, line: Line, invoice: Document, random: Random) -> Line:
        share = Decimal(random.choice(("1", "1", "0.5", "0.25")))
        return compute_line(
            new_guid(random),
            kind=invoice.line_kind,
            quantity=places(line.quantity * share, 4),
            price=line.price,
            account=line.account,
            tax_type=line.tax_type,
            tax_rate=self._land.rate_of(line.tax_type),
            description=f"Credit: {line.description}",
            discount_rate=line.discount_rate,
        )

    def _refund(self, event: Event, random: Random) -> None:
        credit = self.books.document(event.subject)
        on = self._day_of(event)
        self.books.pay(
            credit,
            credit.due,
            at=event.at,
            on=on,
            account=self.books.account("090"),
            ids=random,
            rate=self._rate(on, credit.currency),
            reference="Refund",
            is_reconciled=True,
        )

    def _void(self, event: Event, random: Random) -> None:
        self.books.void(self.books.document(event.subject), at=event.at)

    def _correct(self, event: Event, random: Random) -> None:
        """Move the first line of a bill to another expense account: amounts stay."""
        bill = self.books.document(event.subject)
        codes = [product.account_code for product in PURCHASES]
        account = self.books.account(random.choice(codes))
        first = bill.lines[0]
        moved = Line(
            first.line_id, first.description, first.quantity, first.price, account,
            first.tax_type, first.amount, first.tax, first.net, first.item_code,
            first.discount_rate,
        )  # fmt: skip
        self.books.edit(bill, at=event.at, lines=(moved, *bill.lines[1:]))

    # Money without invoices

    def _spend(self, event: Event, random: Random) -> None:
        supplier = self._pick(self._suppliers, random)
        if supplier is not None:
            record = self._bank(event, random, "SPEND", random.choice(SMALL_SPENDING), supplier)
            if random.random() < 0.03:
                self._later(event, random.randrange(1, 5), "undo_spending", record.transaction_id)

    def _receive(self, event: Event, random: Random) -> None:
        customer = self._pick(self._customers, random)
        if customer is not None:
            self._bank(event, random, "RECEIVE", random.choice(self._products), customer, "Cash")

    def _pay_bank_fee(self, event: Event, random: Random) -> None:
        if self._suppliers:
            fee = Product("Monthly account fee", Decimal("12.50"), "404")
            self._bank(event, random, "SPEND", fee, self._suppliers[-1], "Fees")

    def _bank(
        self,
        event: Event,
        random: Random,
        kind: str,
        product: Product,
        contact: Contact,
        reference: str = "",
    ) -> BankTransaction:
        on = self._day_of(event)
        base = self.books.base_currency
        line = self._line(random, product, "Inclusive", base, is_sale=kind == "RECEIVE")
        record = BankTransaction(
            transaction_id=new_guid(random),
            type=kind,
            contact=contact,
            account=self.books.account("090"),
            date=on,
            line_kind="Inclusive",
            lines=(line,),
            currency=base,
            created_at=event.at,
            updated_at=event.at,
            reference=reference,
            is_reconciled=random.random() < 0.8,
        )
        return self.books.enter_bank_transaction(record, at=event.at)

    def _undo_spending(self, event: Event, random: Random) -> None:
        record = self.books.bank_transactions[event.subject]
        self.books.delete_bank_transaction(record, at=event.at)


def _count(random: Random, mean: float) -> int:
    """Draw how often something happens on a day that has it `mean` times on average."""
    drawn = mean * random.uniform(0.5, 1.5)
    whole = int(drawn)
    return whole + (random.random() < drawn - whole)


def _working_day(day: date) -> date:
    """Return the day itself, or the Monday after a weekend."""
    return day + (7 - day.weekday()) * _DAY if day.weekday() >= 5 else day
