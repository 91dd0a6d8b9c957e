"""Own accounts: transfers, the credit card, foreign bank accounts, many payments at once.

Knows why money moves between accounts. Must not know the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random

from xero_sandbox.books.ids import new_guid, share_of
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import cents
from xero_sandbox.business.habits import DAY, Event, how_many
from xero_sandbox.business.names import SMALL_SPENDING, Product
from xero_sandbox.business.office import Activity, Deed
from xero_sandbox.business.people import pick

_FOREIGN_SPENDING = (
    Product("Trade fair, stand", Decimal(420), "400"),
    Product("Hotel, two nights", Decimal(260), "494"),
    Product("Software, yearly plan", Decimal(180), "485"),
)
# Who is not paid together is paid alone.
_IN_BATCHES = 0.6
_REFERENCES = ("", "Savings", "Top up", "Přesun № 7")


class Transfers(Activity):
    """Money moves between cheque account, savings and the credit card."""

    feature = "transfers"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "move_money": self._move_money,
            "spend_by_card": self._spend_by_card,
            "settle_card": self._settle_card,
            "undo_transfer": self._undo_transfer,
            "reconcile_transfer": self._reconcile_transfer,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """Now and then a transfer, a little more often the card; the card is settled monthly."""
        kinds = ["move_money"] * (dice.random() < 0.1)
        kinds += ["spend_by_card"] * (dice.random() < 0.15)
        return kinds + ["settle_card"] * (day.day == 20)

    def _move_money(self, event: Event, random: Random) -> None:
        cheque, savings = self.office.bank, self.office.books.account("091")
        there = random.random() < 0.7
        transfer = self.office.books.transfer(
            cheque if there else savings,
            savings if there else cheque,
            amount=cents(Decimal(random.randrange(10_000, 400_000)) / 100),
            on=event.day - random.choice((0, 0, 0, 2)) * DAY,
            at=event.at,
            ids=random,
            reference=random.choice(_REFERENCES),
            tracking=self.office.desk.style.tracking(new_guid(random)),
        )
        if random.random() < 0.08:
            days = random.randrange(1, 12)
            self.office.later(event, days, kind="undo_transfer", subject=transfer.transfer_id)
        elif random.random() < 0.7:
            subject = transfer.transfer_id
            self.office.later(event, 2, kind="reconcile_transfer", subject=subject)

    def _undo_transfer(self, event: Event, _: Random) -> None:
        transfer = self.office.books.bank_transfers[event.intent.subject]
        self.office.books.delete_transfer(transfer, at=event.at)

    def _reconcile_transfer(self, event: Event, random: Random) -> None:
        """Match a transfer with one bank's statement, or with both."""
        transfer = self.office.books.bank_transfers[event.intent.subject]
        legs = (transfer.from_leg, transfer.to_leg)
        for leg in legs[: random.choice((1, 2, 2))]:
            if leg is not None:
                self.office.books.reconcile(leg, at=event.at)

    def _spend_by_card(self, event: Event, random: Random) -> None:
        supplier = pick(self.office.people.suppliers, random)
        if supplier is None:
            return
        record = self.office.desk.bank_transaction(
            "SPEND",
            random.choice(SMALL_SPENDING),
            contact=supplier,
            on=event.day,
            at=event.at,
            random=random,
            reference="Card",
            account=self.office.books.account("092"),
        )
        self.office.books.enter_bank_transaction(record, at=event.at, ids=random)

    def _settle_card(self, event: Event, random: Random) -> None:
        books, on = self.office.books, event.day
        card = books.account("092")
        owed = -books.ledger.balance(card.account_id, on)
        if owed > 0:
            books.transfer(
                self.office.bank,
                card,
                amount=owed,
                on=on,
                at=event.at,
                ids=random,
                reference="Visa",
            )


class ForeignBanks(Activity):
    """Accounts in foreign currencies: filled, spent from, exchanged."""

    feature = "foreign_banks"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "fill_foreign": self._fill,
            "spend_foreign": self._spend,
            "exchange": self._exchange,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """The accounts are filled at the start, then used about weekly."""
        kinds = ["fill_foreign"] * (day == self.office.first_day + 2 * DAY)
        kinds += ["spend_foreign"] * (dice.random() < 0.12)
        return kinds + ["exchange"] * (dice.random() < 0.06)

    def _accounts(self) -> list[Account]:
        books = self.office.books
        return [
            account
            for account in books.by_code.values()
            if account.type == "BANK" and account.currency != books.base_currency
        ]

    def _fill(self, event: Event, random: Random) -> None:
        for account in self._accounts():
            amount = cents(Decimal(random.randrange(1000, 6000)))
            self._move(event, random, between=(self.office.bank, account), amount=amount)

    def _move(
        self, event: Event, random: Random, *, between: tuple[Account, Account], amount: Decimal
    ) -> None:
        """Exchange money at the day's rate, less what the bank keeps."""
        source, target = between
        on = event.day
        rate = self.office.desk.rate(on, target.currency)
        rate /= self.office.desk.rate(on, source.currency)
        self.office.books.transfer(
            source,
            target,
            amount=amount,
            rate=self.office.desk.rate(on, source.currency),
            to_amount=cents(amount * rate * Decimal("0.995")),
            on=on,
            at=event.at,
            ids=random,
            reference="Exchange",
        )

    def _exchange(self, event: Event, random: Random) -> None:
        """Bring foreign money home, or move it on to another foreign account."""
        accounts = self._accounts()
        source = random.choice(accounts)
        target = random.choice([self.office.bank, self.office.bank, *accounts])
        if target is not source:
            amount = cents(Decimal(random.randrange(20_000, 90_000)) / 100)
            self._move(event, random, between=(source, target), amount=amount)

    def _spend(self, event: Event, random: Random) -> None:
        supplier = pick(self.office.people.suppliers, random)
        if supplier is None:
            return
        record = self.office.desk.bank_transaction(
            random.choice(("SPEND", "SPEND", "RECEIVE")),
            random.choice(_FOREIGN_SPENDING),
            contact=supplier,
            on=event.day,
            at=event.at,
            random=random,
            account=random.choice(self._accounts()),
        )
        self.office.books.enter_bank_transaction(record, at=event.at, ids=random)


class Batches(Activity):
    """Bills are paid together on Fridays; now and then several customers pay in one go."""

    feature = "batches"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "pay_together": self._pay_together,
            "bank_together": self._bank_together,
            "undo_batch": self._undo_batch,
            "reconcile_batch": self._reconcile_batch,
        }

    def usual(self, day: date, dice: Random) -> list[str]:
        """Bills on Fridays, receipts about monthly."""
        kinds = ["pay_together"] * (day.weekday() == 4)
        return kinds + ["bank_together"] * min(how_many(dice, 0.04), 1)

    def _pay_together(self, event: Event, random: Random) -> None:
        on = event.day
        self._pay(event, random, is_sale=False, due_by=on + 5 * DAY)

    def _bank_together(self, event: Event, random: Random) -> None:
        self._pay(event, random, is_sale=True, due_by=event.day + 9 * DAY)

    def _pay(self, event: Event, random: Random, *, is_sale: bool, due_by: date) -> None:
        books, on = self.office.books, event.day
        due = [
            document
            for document in self.office.open_invoices(is_sale=is_sale)
            if document.due_date <= due_by
            and share_of(document.document_id, 2) < _IN_BATCHES
            and document.on <= on
            and document.currency == books.base_currency
        ]
        chosen = due[: random.randrange(2, 9)]
        if len(chosen) < 2:
            return
        batch = books.pay_batch(
            [(document, document.due) for document in chosen],
            at=event.at,
            on=on,
            account=self.office.bank,
            ids=random,
            reference=f"Batch {on:%d %b}",
        )
        if random.random() < 0.1:
            days = random.randrange(1, 6)
            self.office.later(event, days, kind="undo_batch", subject=batch.batch_id)
        elif random.random() < 0.8:
            self.office.later(event, 3, kind="reconcile_batch", subject=batch.batch_id)

    def _undo_batch(self, event: Event, _: Random) -> None:
        batch = self.office.books.batch_payments[event.intent.subject]
        self.office.books.delete_batch(batch, at=event.at)

    def _reconcile_batch(self, event: Event, _: Random) -> None:
        batch = self.office.books.batch_payments[event.intent.subject]
        self.office.books.reconcile(batch, at=event.at)


class Rounding(Activity):
    """Cents that are left over when the bank's statement is matched; no document shows them."""

    feature = "rounding"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"match_statement": self._match}

    def usual(self, _: date, dice: Random) -> list[str]:
        """About monthly."""
        return ["match_statement"] * (dice.random() < 0.04)

    def _match(self, event: Event, random: Random) -> None:
        amount = Decimal(random.choice((-4, -1, 1, 2, 3))) / 100
        on = event.day
        self.office.books.adjust_bank(self.office.bank, amount, on=on, at=event.at)
