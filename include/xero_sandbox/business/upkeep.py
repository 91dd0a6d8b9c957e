"""The care for the books: renamed accounts, merged contacts, staff, late changes.

Knows how people tidy up and change their minds, weeks later. Must not know the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from itertools import islice
from random import Random

from xero_sandbox.books.documents import Document
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.paper_records import BrandingTheme, Item, StaffMember
from xero_sandbox.business.habits import DAY, Event
from xero_sandbox.business.names import PURCHASES
from xero_sandbox.business.office import Activity, Deed

_NEW_NAMES = (
    ("400", "Advertising & Marketing"),
    ("489", "Téléphone et Internet"),
    ("429", "General Expenses (see policy)"),
    ("200", "Sales"),
    ("453", "Office “Stuff”"),
    ("310", "Retained Earnings"),
)
_STAFF = (
    ("mereana.p@example.com", "Mereana", "Pōtae", "FINANCIALADVISER"),
    ("søren@example.com", "Søren", "Kierk", "INVOICEONLY"),
    ("grace.liu@example.com", "Grace", "Liu", "READONLY"),
)
_THEMES = ("Very orange invoice!", "Special Projects", "Weihnachten 🎄")
_SUFFIX = " (new)"
_LATEST = 30
_UNUSED = ("424", "505", "740", "461")


class Upkeep(Activity):
    """Accounts are renamed and archived, contacts merged, old documents changed or voided."""

    feature = "upkeep"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "let_people_in": self._let_people_in,
            "somebody_leaves": self._somebody_leaves,
            "rename_account": self._rename_account,
            "archive_account": self._archive_account,
            "merge_contacts": self._merge_contacts,
            "change_old": self._change_old,
            "redate_old": self._redate_old,
            "void_old": self._void_old,
            "recode_old": self._recode_old,
            "change_money": self._change_money,
            "rename_contact": self._rename_contact,
            "try_out": self._try_out,
            "delete_tried": self._delete_tried,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """Each of it between weekly and twice in a year."""
        kinds = ["let_people_in"] * (day == self.office.first_day + DAY)
        return kinds + [
            kind
            for kind, share in (
                ("rename_account", 0.02),
                ("archive_account", 0.01),
                ("merge_contacts", 0.02),
                ("change_old", 0.06),
                ("redate_old", 0.03),
                ("void_old", 0.02),
                ("recode_old", 0.03),
                ("change_money", 0.04),
                ("rename_contact", 0.02),
                ("try_out", 0.02),
                ("somebody_leaves", 0.004),
            )
            if dice.random() < share
        ]

    def _let_people_in(self, event: Event, random: Random) -> None:
        """Give staff access, and make papers look nicer."""
        books = self.office.books
        for email, first, last, role in _STAFF:
            books.add_staff(StaffMember(new_guid(random), email, first, last, role, event.at))
        for place, name in enumerate(_THEMES, start=1):
            books.add_branding_theme(BrandingTheme(new_guid(random), name, place, event.at))

    def _somebody_leaves(self, event: Event, _: Random) -> None:
        books = self.office.books
        working = [each for each in books.staff.values() if each.role != "REMOVED"]
        if len(working) > 2:
            working[-1].role, working[-1].updated_at = "REMOVED", event.at
            books.add_staff(working[-1])

    def _rename_account(self, event: Event, random: Random) -> None:
        code, name = random.choice(_NEW_NAMES)
        account = self.office.books.account(code)
        self.office.books.edit_account(account, at=event.at, name=name)

    def _archive_account(self, event: Event, random: Random) -> None:
        account = self.office.books.account(random.choice(_UNUSED))
        status = "ARCHIVED" if account.status == "ACTIVE" else "ACTIVE"
        self.office.books.edit_account(account, at=event.at, status=status)

    def _merge_contacts(self, event: Event, random: Random) -> None:
        """Two entries of one customer become one; the later entry goes."""
        active = [each for each in self.office.people.customers if each.status == "ACTIVE"]
        if len(active) < 6:
            return
        into, gone = active[random.randrange(3)], active[random.randrange(4, len(active))]
        if into.currency == gone.currency:
            self.office.books.merge_contact(gone, into, at=event.at)

    def _old(self, event: Event, random: Random) -> Document | None:
        """A document that has been in the books for weeks and is not paid at all."""
        day = event.day
        old = [
            document
            for is_sale in (True, False)
            for document in self.office.open_invoices(is_sale=is_sale)
            if document.on < day - 14 * DAY and not document.paid and not document.allocated
        ]
        return random.choice(old) if old else None

    def _change_old(self, event: Event, random: Random) -> None:
        """Change an account, a reference or a due date, weeks later."""
        document, books = self._old(event, random), self.office.books
        if document is None:
            return
        choice = random.randrange(3)
        line = document.lines[0]
        if choice == 0 and not document.is_receivable and not line.item_code:
            account = books.account(random.choice(PURCHASES).account_code)
            lines = (replace(line, account=account), *document.lines[1:])
            books.edit(document, at=event.at, lines=lines)
        elif choice == 1:
            books.edit(document, at=event.at, due_date=document.due_date + 14 * DAY)
        else:
            books.edit(document, at=event.at, reference=f"{document.reference} (corrected)".strip())

    def _redate_old(self, event: Event, random: Random) -> None:
        """Move a document into another week: the past changes, often across a month's end."""
        document = self._old(event, random)
        if document is not None and not any(line.item_code for line in document.lines):
            on = max(document.on + random.choice((-20, -9, 9)) * DAY, self.office.first_day)
            self.office.books.edit(document, at=event.at, on=on)

    def _void_old(self, event: Event, random: Random) -> None:
        document = self._old(event, random)
        if document is not None:
            self.office.books.void(document, at=event.at)

    def _recode_old(self, event: Event, random: Random) -> None:
        """Find and recode: lines move to another account, and the document is not bumped."""
        document = self.office.recent(random, "ACCPAY")
        if document is not None and document.counts and not document.lines[0].item_code:
            account = self.office.books.account(random.choice(PURCHASES).account_code)
            self.office.books.recode(document, at=event.at, account=account)

    def _change_money(self, event: Event, random: Random) -> None:
        """Change the day of money that is in the books, or what was written to it."""
        books = self.office.books
        latest = list(islice(reversed(books.bank_transactions.values()), _LATEST))
        chosen = [each for each in latest if each.type in {"SPEND", "RECEIVE"}]
        if not chosen:
            return
        record = random.choice(chosen)
        if random.random() < 0.5:
            books.edit_bank_transaction(record, at=event.at, on=record.on - DAY)
        else:
            books.edit_bank_transaction(record, at=event.at, reference="see statement")

    def _rename_contact(self, event: Event, random: Random) -> None:
        """Give a contact another name: its documents show it, and are not bumped."""
        people = self.office.people
        active = [each for each in people.customers if each.status == "ACTIVE"]
        if active:
            contact = random.choice(active)
            name = f"{contact.name.removesuffix(_SUFFIX)}{_SUFFIX}"
            self.office.books.edit_contact(contact, at=event.at, name=name)

    def _try_out(self, event: Event, random: Random) -> None:
        """Make an item and an account that nobody will ever use."""
        books, number = self.office.books, random.randrange(1000)
        if f"8{number:03d}" not in books.by_code:
            books.add_item(
                Item(new_guid(random), f"TRY-{number}", "Trying out", event.at), at=event.at
            )
            account = replace(
                books.account("429"),
                account_id=new_guid(random),
                code=f"8{number:03d}",
                name=f"Trying out {number}",
                updated_at=event.at,
            )
            books.add_account(account)
            days = random.randrange(3, 30)
            self.office.later(event, days, kind="delete_tried", subject=str(number))

    def _delete_tried(self, event: Event, _: Random) -> None:
        """Delete both again: they are gone from every list."""
        books, number = self.office.books, int(event.intent.subject)
        books.delete_item(books.items[f"TRY-{number}"])
        books.delete_account(books.account(f"8{number:03d}"))
