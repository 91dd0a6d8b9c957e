"""Files and notes on records, bills that wait for approval, expenses that are charged on.

Knows on what and how often. Must not know how a file looks or the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import islice
from random import Random
from typing import Any

from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.paper_records import Attachment, LinkedTransaction
from xero_sandbox.business.habits import DAY, Event, how_many
from xero_sandbox.business.office import Activity, Deed, Office
from xero_sandbox.business.people import pick
from xero_sandbox.business.trading import Trading

_FILES = (
    ("invoice.pdf", "application/pdf"),
    ("Quittung № 7 – März.pdf", "application/pdf"),
    ("receipt photo.png", "image/png"),
    ("領収書.png", "image/png"),
    ("timesheet.csv", "text/csv"),
    ("notes & terms.txt", "text/plain"),
)
_LATEST = 20
_NOTES = (
    "Called, promises to pay by Friday",
    "Sent a reminder ✉️",
    "Kunde möchte eine Kopie",
    "客户已确认",
    "Disputed: <see e-mail>",
)


class Attachments(Activity):
    """Scans of bills and receipts."""

    feature = "attachments"

    def __init__(self, office: Office) -> None:
        super().__init__(office)
        self._turn = 0

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"attach": self._attach, "attach_elsewhere": self._attach_elsewhere}

    def usual(self, _: date, dice: Random) -> list[str]:
        """A file every other day."""
        kinds = ["attach"] * (dice.random() < 0.4)
        return kinds + ["attach_elsewhere"] * (dice.random() < 0.15)

    def _attach(self, _: Event, random: Random) -> None:
        document = self.office.recent(random, "ACCPAY", "ACCREC", "ACCRECCREDIT")
        if document is not None:
            self._hang(document.document_id, random)

    def _attach_elsewhere(self, _: Event, random: Random) -> None:
        """On one of the latest of whatever else takes files, one kind after the other."""
        books = self.office.books
        kinds: tuple[dict[str, Any], ...] = (
            books.bank_transactions,
            books.contacts,
            books.ledger.accounts,
            books.manual_journals,
            books.quotes,
            books.purchase_orders,
            books.bank_transfers,
            books.repeating_invoices,
        )
        self._turn += 1
        latest: list[str] = list(islice(reversed(kinds[self._turn % len(kinds)]), _LATEST))
        if latest:
            self._hang(random.choice(latest), random)

    def _hang(self, record_id: str, random: Random) -> None:
        name, mime_type = random.choice(_FILES)
        # A second file of one name would take the place of the first.
        count = len(self.office.books.attachments(record_id))
        name = f"{count + 1} {name}" if count else name
        attachment = Attachment(
            attachment_id=new_guid(random),
            file_name=name,
            mime_type=mime_type,
            seed=random.getrandbits(32),
            include_online=random.random() < 0.2,
        )
        self.office.books.attach(record_id, attachment)


class History(Activity):
    """Notes that people leave on documents."""

    feature = "history"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"leave_note": self._leave_note}

    def usual(self, _: date, dice: Random) -> list[str]:
        """A note every third day."""
        return ["leave_note"] * (dice.random() < 0.3)

    def _leave_note(self, event: Event, random: Random) -> None:
        document = self.office.recent(random, "ACCREC", "ACCPAY")
        if document is not None:
            self.office.books.note(
                document.document_id,
                "Note",
                at=event.at,
                details=random.choice(_NOTES),
                user="Ava Ngata",
            )


class Approvals(Activity):
    """Bills that somebody enters and somebody else approves, or turns down."""

    feature = "approvals"

    def __init__(self, office: Office, trading: Trading) -> None:
        super().__init__(office)
        self._trading = trading

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"enter_draft": self._enter, "submit_draft": self._submit}

    def usual(self, day: date, dice: Random) -> list[str]:
        """One bill of eight goes this way."""
        count = how_many(dice, self.office.traits.bills_per_day * 0.12)
        return ["enter_draft"] * (count if day.weekday() < 5 else 0)

    def _enter(self, event: Event, random: Random) -> None:
        supplier = pick(self.office.people.suppliers, random)
        if supplier is None:
            return
        on = event.day
        bill = self.office.desk.bill(supplier, on, at=event.at, random=random)
        bill.status = "DRAFT"
        self.office.books.enter(bill, at=event.at)
        if random.random() < 0.9:
            days, subject = random.randrange(1, 5), bill.document_id
            self.office.later(event, days, kind="submit_draft", subject=subject)

    def _submit(self, event: Event, random: Random) -> None:
        bill = self.office.books.document(event.intent.subject)
        self.office.books.submit(bill, at=event.at)
        kind = random.choice(("approve", "approve", "approve", "delete_draft"))
        days = random.randrange(1, 8)
        self.office.later(event, days, kind=kind, subject=bill.document_id)


class Linked(Activity):
    """Lines of bills that a customer will pay for: noted first, charged on weeks later."""

    feature = "linked"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"mark_billable": self._mark, "charge_on": self._charge_on, "unmark": self._unmark}

    def usual(self, _: date, dice: Random) -> list[str]:
        """About two a month."""
        return ["mark_billable"] * (dice.random() < 0.08)

    def _mark(self, event: Event, random: Random) -> None:
        bill = self.office.recent(random, "ACCPAY")
        customer = pick(self.office.people.customers, random)
        if bill is None or not bill.counts or customer is None:
            return
        link = LinkedTransaction(
            link_id=new_guid(random),
            source_id=bill.document_id,
            source_line_id=bill.lines[0].line_id,
            contact=customer if random.random() < 0.8 else None,
            updated_at=event.at,
        )
        self.office.books.link(link, at=event.at)
        if link.contact is not None:
            kind = "charge_on" if random.random() < 0.75 else "unmark"
            days = random.randrange(4, 30)
            self.office.later(event, days, kind=kind, subject=link.link_id)

    def _unmark(self, event: Event, _: Random) -> None:
        link = self.office.books.linked_transactions[event.intent.subject]
        self.office.books.delete_link(link)

    def _charge_on(self, event: Event, random: Random) -> None:
        """Put what was paid for the customer on an invoice, some of them drafts for now."""
        link = self.office.books.linked_transactions[event.intent.subject]
        source, customer = self.office.books.document(link.source_id), link.contact
        line = next((each for each in source.lines if each.line_id == link.source_line_id), None)
        if customer is None or line is None or not source.counts:
            return
        desk, on = self.office.desk, event.day
        charged = desk.charged(line, contact=customer, source=source, on=on, random=random)
        invoice = desk.document("ACCREC", customer, charged, on=on, at=event.at, random=random)
        invoice.number = self.office.books.next_number("ACCREC")
        invoice.due_date = on + self.office.people.habit_of(customer).terms_days * DAY
        invoice.status = random.choice(("AUTHORISED", "AUTHORISED", "DRAFT"))
        self.office.books.enter(invoice, at=event.at)
        link.target_id, link.target_line_id = invoice.document_id, invoice.lines[0].line_id
        link.status = "ONDRAFT" if invoice.status == "DRAFT" else "BILLED"
        self.office.books.link(link, at=event.at)
        if invoice.counts and random.random() < 0.8:
            self.office.money_later(
                event, invoice.due_date, subject=invoice.document_id, random=random
            )
