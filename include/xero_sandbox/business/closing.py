"""What an accountant does: opening balances, depreciation, journals by hand, budgets.

Knows when, and what was there before Xero. Must not know the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import JournalLine, ManualJournal
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.money import ZERO, cents
from xero_sandbox.books.paper_records import Budget
from xero_sandbox.business.habits import DAY, Event, Intent, add_months, is_month_end
from xero_sandbox.business.names import Product
from xero_sandbox.business.office import Activity, Deed
from xero_sandbox.business.people import pick

_BEFORE_XERO = (
    ("090", "18250.75"),
    ("091", "6000.00"),
    ("710", "9400.00"),
    ("711", "-3150.25"),
    ("720", "5280.50"),
    ("721", "-2640.25"),
    ("820", "-1312.44"),
    ("825", "-870.10"),
    ("900", "-15000.00"),
    ("970", "-10000.00"),
)
_LAPTOP = Product("Laptops for the office", Decimal(3600), "720")


class Conversion(Activity):
    """The balances of the day before the first one, entered in the first week."""

    feature = "conversion"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"bring_over": self._bring_over}

    def usual(self, day: date, _: Random) -> list[str]:
        """On the third day."""
        return ["bring_over"] * (day == self.office.first_day + 2 * DAY)

    def _bring_over(self, event: Event, _: Random) -> None:
        balances = {code: Decimal(amount) for code, amount in _BEFORE_XERO}
        on = self.office.first_day - DAY
        self.office.books.post_conversion(balances, on=on, at=event.at)


class Depreciation(Activity):
    """Equipment is bought now and then, and loses value at every month end."""

    feature = "depreciation"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"buy_equipment": self._buy, "depreciate": self._depreciate}

    def usual(self, day: date, dice: Random) -> list[str]:
        """Equipment in the first week and twice in a year."""
        is_first = day == self.office.first_day + 4 * DAY
        kinds = ["buy_equipment"] * (is_first or dice.random() < 0.006)
        return kinds + ["depreciate"] * is_month_end(day)

    def _buy(self, event: Event, random: Random) -> None:
        supplier = pick(self.office.people.suppliers, random)
        if supplier is None:
            return
        record = self.office.desk.bank_transaction(
            "SPEND",
            _LAPTOP,
            contact=supplier,
            on=event.day,
            at=event.at,
            random=random,
            reference="Equipment",
        )
        self.office.books.enter_bank_transaction(record, at=event.at, ids=random)

    def _depreciate(self, event: Event, _: Random) -> None:
        """A thirty-sixth of what the equipment cost, as long as there is something left."""
        books, on = self.office.books, event.day
        cost = books.ledger.balance(books.account("720").account_id, on)
        left = cost + books.ledger.balance(books.account("721").account_id, on)
        amount = min(cents(cost / 36), left)
        if amount > 0:
            books.depreciate(
                amount,
                expense=books.account("416"),
                asset=books.account("721"),
                on=on,
                at=event.at,
            )


class ManualJournals(Activity):
    """Accruals at month ends, taken back on the first; drafts, corrections, voids."""

    feature = "manual_journals"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "accrue": self._accrue,
            "take_back": self._take_back,
            "correct_by_hand": self._correct,
            "post_journal": self._post,
            "edit_journal": self._edit,
            "void_journal": self._void,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """One accrual a month, one correction in three weeks."""
        kinds = ["accrue"] * is_month_end(day)
        return kinds + ["correct_by_hand"] * (dice.random() < 0.05)

    def _accrue(self, event: Event, random: Random) -> None:
        amount = cents(Decimal(random.randrange(20_000, 90_000)) / 100)
        lines = self._lines(amount, debit="445", credit="805", random=random)
        on = event.day
        journal = self._journal(event, lines, narration=f"Accrual {on:%B}", random=random)
        self.office.books.enter_manual_journal(journal, at=event.at)
        self.office.put(event, on + DAY, Intent("take_back", journal.journal_id))

    def _take_back(self, event: Event, random: Random) -> None:
        accrual = self.office.books.manual_journals[event.intent.subject]
        lines = tuple(
            JournalLine(
                line.account,
                line.description,
                -line.amount,
                line.tax_type,
                -line.tax,
                -line.net,
                line.tracking,
            )
            for line in accrual.lines
        )
        narration = f"Reversal: {accrual.narration}"
        journal = self._journal(event, lines, narration=narration, random=random)
        self.office.books.enter_manual_journal(journal, at=event.at)

    def _correct(self, event: Event, random: Random) -> None:
        """Move something between expenses, some of it with tax, some of it as a draft first."""
        amount = cents(Decimal(random.randrange(500, 60_000)) / 100)
        debit, credit = random.sample(("400", "412", "429", "453", "461", "485"), k=2)
        is_taxed = random.random() < 0.4
        lines = self._lines(amount, debit=debit, credit=credit, random=random, is_taxed=is_taxed)
        narration = random.choice(("Reclassified", "Umbuchung", "更正"))
        journal = self._journal(event, lines, narration=narration, random=random)
        journal.on = event.day - random.choice((0, 0, 3, 17, 40)) * DAY
        journal.show_on_cash_basis = random.random() < 0.6
        journal.line_kind = "Exclusive" if is_taxed else "NoTax"
        next_step, days = random.choice(
            (("post_journal", 3), ("edit_journal", 12), ("void_journal", 20), ("", 0), ("", 0))
        )
        if next_step == "post_journal":
            journal.status = "DRAFT"
        self.office.books.enter_manual_journal(journal, at=event.at)
        if next_step:
            self.office.later(event, days, kind=next_step, subject=journal.journal_id)

    def _post(self, event: Event, _: Random) -> None:
        journal = self.office.books.manual_journals[event.intent.subject]
        self.office.books.post_manual_journal(journal, at=event.at)

    def _edit(self, event: Event, random: Random) -> None:
        """Another day, weeks later."""
        journal = self.office.books.manual_journals[event.intent.subject]
        on = journal.on - random.randrange(1, 9) * DAY
        self.office.books.edit_manual_journal(journal, at=event.at, on=on)

    def _void(self, event: Event, _: Random) -> None:
        journal = self.office.books.manual_journals[event.intent.subject]
        self.office.books.void_manual_journal(journal, at=event.at)

    def _lines(
        self, amount: Decimal, *, debit: str, credit: str, random: Random, is_taxed: bool = False
    ) -> tuple[JournalLine, ...]:
        land = self.office.books.country
        tax_type = land.purchase_tax if is_taxed else land.no_tax
        tax = cents(amount * land.rate_of(tax_type) / 100) if is_taxed else ZERO
        return tuple(
            JournalLine(
                account=self.office.books.account(code),
                description="" if sign > 0 else "as agreed",
                amount=sign * amount,
                tax_type=tax_type,
                tax=sign * tax,
                net=sign * amount,
                tracking=self.office.desk.style.tracking(new_guid(random)),
            )
            for code, sign in ((debit, 1), (credit, -1))
        )

    def _journal(
        self, event: Event, lines: tuple[JournalLine, ...], *, narration: str, random: Random
    ) -> ManualJournal:
        return ManualJournal(
            journal_id=new_guid(random),
            narration=narration,
            on=event.day,
            lines=lines,
            created_at=event.at,
            updated_at=event.at,
        )


class Budgets(Activity):
    """What was planned: for the whole, and for one tracking option if there is one."""

    feature = "budgets"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"plan_year": self._plan}

    def usual(self, day: date, _: Random) -> list[str]:
        """In the first week, and again every half year."""
        age = (day - self.office.first_day).days
        return ["plan_year"] * (age % 180 == 5)

    def _plan(self, event: Event, random: Random) -> None:
        self._add(event, random, type_="OVERALL", description="Overall Budget")
        for category in self.office.desk.style.categories[:1]:
            options = category.options[:1]
            name = f"Budget {options[0].name}"
            self._add(event, random, type_="TRACKING", description=name)

    def _add(self, event: Event, random: Random, *, type_: str, description: str) -> None:
        """Add a budget, or change the one of this type."""
        books = self.office.books
        known = [each for each in books.budgets.values() if each.type == type_]
        budget = known[0] if known else self._new(type_, description, at=event.at, random=random)
        budget.updated_at = event.at
        start = event.day.replace(day=1)
        for code, usual in (("200", 9000), ("310", 2500), ("445", 150), ("469", 1100)):
            months = budget.amounts.setdefault(books.account(code).account_id, {})
            for count in range(12):
                months[add_months(start, count)] = Decimal(usual + random.randrange(-90, 90))
        books.add_budget(budget)

    def _new(self, type_: str, description: str, *, at: datetime, random: Random) -> Budget:
        options = [each.options[0] for each in self.office.desk.style.categories[:1]]
        tracking = tuple(options) if type_ == "TRACKING" else ()
        return Budget(new_guid(random), type_, description, at, tracking=tracking)
