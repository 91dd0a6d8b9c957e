"""What comes before a document: offers, orders, templates.

Knows what becomes of them. Must not know how they are paid (`trading.py` decides that) or the
ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random

from xero_sandbox.books.documents import Contact, Document
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.paper_records import PurchaseOrder, Quote, RepeatingInvoice
from xero_sandbox.business.drafting import Paper, copied
from xero_sandbox.business.habits import DAY, Event, Intent, add_months, how_many
from xero_sandbox.business.office import Activity, Deed, Office
from xero_sandbox.business.people import pick
from xero_sandbox.business.trading import Trading

_TITLES = ("", "Offer", "Angebot für das Frühjahr", "ご提案", "عرض سعر")


class _Pipeline(Activity):
    """What offers, orders and templates have in common: an invoice or bill comes of them."""

    def __init__(self, office: Office, trading: Trading) -> None:
        super().__init__(office)
        self._trading = trading

    def _enter(
        self, event: Event, random: Random, *, contact: Contact, paper: Paper, reference: str = ""
    ) -> Document:
        """Make a quote's or template's lines an invoice, and wait for its money."""
        desk, on = self.office.desk, event.day
        lines = copied(paper, random)
        invoice = desk.document("ACCREC", contact, lines, on=on, at=event.at, random=random)
        invoice.number = self.office.books.next_number("ACCREC")
        invoice.due_date = on + self.office.people.habit_of(contact).terms_days * DAY
        invoice.reference, invoice.is_sent = reference, True
        self.office.books.enter(invoice, at=event.at)
        self._trading.expect(event, invoice, random=random)
        return invoice

    def _enter_bill(
        self, event: Event, random: Random, *, contact: Contact, paper: Paper, reference: str = ""
    ) -> Document:
        """Make an order's or template's lines a bill, and let it be paid."""
        desk, on = self.office.desk, event.day
        lines = copied(paper, random)
        bill = desk.document("ACCPAY", contact, lines, on=on, at=event.at, random=random)
        bill.number = f"F-{random.randrange(10_000, 99_999)}"
        bill.due_date = on + 20 * DAY
        bill.reference = reference
        self.office.books.enter(bill, at=event.at)
        self._trading.expect(event, bill, random=random)
        return bill


class Quotes(_Pipeline):
    """Offers: half of them are accepted and become invoices, many are not even answered."""

    feature = "quotes"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "offer": self._offer,
            "send_quote": self._send,
            "answer_quote": self._answer,
            "invoice_quote": self._invoice,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """One offer for about six invoices."""
        count = how_many(dice, self.office.traits.invoices_per_day * 0.15)
        return ["offer"] * (count if day.weekday() < 5 else 0)

    def _offer(self, event: Event, random: Random) -> None:
        customer = pick(self.office.people.customers, random)
        if customer is None:
            return
        on = event.day
        paper = self.office.desk.paper(customer, is_sale=True, random=random)
        quote = Quote(
            quote_id=new_guid(random),
            number=self.office.books.next_number("QUOTE"),
            contact=customer,
            on=on,
            expiry_date=on + random.choice((14, 30, 30, 60)) * DAY,
            line_kind=paper.line_kind,
            lines=paper.lines,
            currency=paper.currency,
            created_at=event.at,
            updated_at=event.at,
            rate=self.office.desk.rate(on, paper.currency),
            reference=random.choice(("", "Your e-mail", "见附件")),
            title=random.choice(_TITLES),
            summary=random.choice(("", "As discussed", "Valid while stocks last")),
            terms=random.choice(("", "Payment within 14 days.\nNo returns.")),
        )
        self.office.books.enter_quote(quote, at=event.at)
        if random.random() < 0.9:
            days = random.randrange(1, 4)
            self.office.later(event, days, kind="send_quote", subject=quote.quote_id)

    def _send(self, event: Event, random: Random) -> None:
        quote = self.office.books.quotes[event.intent.subject]
        if random.random() < 0.05:
            self.office.books.change_quote(quote, at=event.at, status="DELETED")
            return
        self.office.books.change_quote(quote, at=event.at, status="SENT")
        if random.random() < 0.75:
            days = random.randrange(2, 25)
            self.office.later(event, days, kind="answer_quote", subject=quote.quote_id)

    def _answer(self, event: Event, random: Random) -> None:
        quote = self.office.books.quotes[event.intent.subject]
        status = "ACCEPTED" if random.random() < 0.7 else "DECLINED"
        self.office.books.change_quote(quote, at=event.at, status=status)
        if status == "ACCEPTED" and random.random() < 0.9:
            days = random.randrange(1, 15)
            self.office.later(event, days, kind="invoice_quote", subject=quote.quote_id)

    def _invoice(self, event: Event, random: Random) -> None:
        quote = self.office.books.quotes[event.intent.subject]
        paper = Paper(quote.line_kind, quote.lines, quote.currency)
        reference = quote.number
        self._enter(event, random, contact=quote.contact, paper=paper, reference=reference)
        self.office.books.change_quote(quote, at=event.at, status="INVOICED")


class PurchaseOrders(_Pipeline):
    """Orders: most become bills some weeks later."""

    feature = "purchase_orders"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "order": self._order,
            "submit_order": self._submit,
            "approve_order": self._approve,
            "bill_order": self._bill,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """One order for about six bills."""
        count = how_many(dice, self.office.traits.bills_per_day * 0.15)
        return ["order"] * (count if day.weekday() < 5 else 0)

    def _order(self, event: Event, random: Random) -> None:
        supplier = pick(self.office.people.suppliers, random)
        if supplier is None:
            return
        on = event.day
        paper = self.office.desk.order(supplier, random)
        order = PurchaseOrder(
            order_id=new_guid(random),
            number=self.office.books.next_number("PURCHASEORDER"),
            contact=supplier,
            on=on,
            delivery_date=on + random.randrange(5, 40) * DAY if random.random() < 0.7 else None,
            line_kind=paper.line_kind,
            lines=paper.lines,
            currency=paper.currency,
            created_at=event.at,
            updated_at=event.at,
            rate=self.office.desk.rate(on, paper.currency),
            reference=random.choice(("", "Shop", "Lager 2")),
        )
        self.office.books.enter_purchase_order(order, at=event.at)
        if random.random() < 0.9:
            days = random.randrange(1, 4)
            self.office.later(event, days, kind="submit_order", subject=order.order_id)

    def _submit(self, event: Event, random: Random) -> None:
        order = self.office.books.purchase_orders[event.intent.subject]
        if random.random() < 0.1:
            self.office.books.change_purchase_order(order, at=event.at, status="DELETED")
            return
        self.office.books.change_purchase_order(order, at=event.at, status="SUBMITTED")
        if random.random() < 0.9:
            days = random.randrange(1, 4)
            self.office.later(event, days, kind="approve_order", subject=order.order_id)

    def _approve(self, event: Event, random: Random) -> None:
        order = self.office.books.purchase_orders[event.intent.subject]
        order.is_sent = True
        self.office.books.change_purchase_order(order, at=event.at, status="AUTHORISED")
        if random.random() < 0.85:
            days = random.randrange(5, 35)
            self.office.later(event, days, kind="bill_order", subject=order.order_id)

    def _bill(self, event: Event, random: Random) -> None:
        order = self.office.books.purchase_orders[event.intent.subject]
        paper = Paper(order.line_kind, order.lines, order.currency)
        reference = order.number
        bill = self._enter_bill(
            event, random, contact=order.contact, paper=paper, reference=reference
        )
        self.office.books.change_purchase_order(
            order, at=event.at, status="BILLED", bill_id=bill.document_id
        )


class Repeating(_Pipeline):
    """Templates that write invoices and bills on their day, also on a Sunday."""

    feature = "repeating"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "write_templates": self._write_templates,
            "write_repeating": self._write_repeating,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """The templates are written in the first week; one more twice in a year."""
        is_first = day == self.office.first_day + 3 * DAY
        return ["write_templates"] * (is_first or dice.random() < 0.006)

    def _write_templates(self, event: Event, random: Random) -> None:
        people = self.office.people
        for is_sale, unit, period in (
            (True, "MONTHLY", 1),
            (True, "WEEKLY", random.choice((1, 2))),
            (False, "MONTHLY", random.choice((1, 3))),
        ):
            contact = pick(people.customers if is_sale else people.suppliers, random)
            if contact is not None:
                template = self._template(event, contact, random=random, is_sale=is_sale)
                template.unit, template.period = unit, period
                self.office.books.add_repeating_invoice(template, at=event.at)
                subject = template.repeating_id
                self.office.put(event, template.next_date, Intent("write_repeating", subject))

    def _template(
        self, event: Event, contact: Contact, *, random: Random, is_sale: bool
    ) -> RepeatingInvoice:
        paper = self.office.desk.paper(contact, is_sale=is_sale, random=random)
        start = event.day + random.randrange(1, 12) * DAY
        return RepeatingInvoice(
            repeating_id=new_guid(random),
            type="ACCREC" if is_sale else "ACCPAY",
            contact=contact,
            line_kind=paper.line_kind,
            lines=paper.lines,
            currency=paper.currency,
            start_date=start,
            next_date=start,
            period=1,
            unit="MONTHLY",
            due_date_days=random.choice((7, 14, 20)),
            reference=random.choice(("", "Retainer", "Abonnement")),
            end_date=add_months(start, 9) if random.random() < 0.3 else None,
        )

    def _write_repeating(self, event: Event, random: Random) -> None:
        """Write the day's document; the template moves on to its next date."""
        template = self.office.books.repeating_invoices[event.intent.subject]
        if template.status != "AUTHORISED":
            return
        paper = Paper(template.line_kind, template.lines, template.currency)
        write = self._enter if template.type == "ACCREC" else self._enter_bill
        document = write(
            event, random, contact=template.contact, paper=paper, reference=template.reference
        )
        document.repeating_id = template.repeating_id
        on = template.next_date
        weeks = 7 * template.period * DAY
        is_weekly = template.unit == "WEEKLY"
        template.next_date = on + weeks if is_weekly else add_months(on, template.period)
        is_over = template.end_date is not None and template.next_date > template.end_date
        template.status = "DELETED" if is_over else "AUTHORISED"
        self.office.books.advance_repeating_invoice(template, at=event.at)
        if not is_over:
            intent = Intent("write_repeating", template.repeating_id)
            self.office.put(event, template.next_date, intent)
