"""Staff: wages and what is withheld of them, expenses that they claim.

Knows when they are paid. No document shows it, but for the money that is paid out in the end. Must
not know the ledger's rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random

from xero_sandbox.books.money import cents
from xero_sandbox.business.habits import DAY, Event, is_month_end
from xero_sandbox.business.names import SMALL_SPENDING
from xero_sandbox.business.office import Activity, Deed
from xero_sandbox.business.people import pick


class Payroll(Activity):
    """Wages at every month end, paid some days later; what is withheld is paid in the middle."""

    feature = "payroll"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {
            "run_payroll": self._run,
            "pay_wages": self._pay_wages,
            "pay_withheld": self._pay_withheld,
        }

    def usual(self, day: date, _: Random) -> list[str]:
        """Once a month each."""
        kinds = ["run_payroll"] * is_month_end(day)
        kinds += ["pay_wages"] * (day.day == 3)
        return kinds + ["pay_withheld"] * (day.day == 20)

    def _run(self, event: Event, random: Random) -> None:
        gross = cents(Decimal(random.randrange(380_000, 420_000)) / 100)
        tax, pension = cents(gross * Decimal("0.2175")), cents(gross * Decimal("0.03"))
        amounts = {"477": gross, "478": pension, "825": -tax, "826": -pension}
        on = event.day
        self.office.books.post_payroll(amounts, on=on, at=event.at, ids=random)

    def _pay_wages(self, event: Event, random: Random) -> None:
        self._pay(event, random, code="814", description="Wages")

    def _pay_withheld(self, event: Event, random: Random) -> None:
        self._pay(event, random, code="825", description="Withholdings of last month")

    def _pay(self, event: Event, random: Random, *, code: str, description: str) -> None:
        """Pay what is owed on a payroll account: an ordinary bank transaction."""
        books, on = self.office.books, event.day
        owed = -books.ledger.balance(books.account(code).account_id, on)
        payee = pick(self.office.people.suppliers, random)
        if owed > 0 and payee is not None:
            record = self.office.desk.exactly(
                "SPEND",
                owed,
                code=code,
                description=description,
                contact=payee,
                on=on,
                at=event.at,
                random=random,
            )
            books.enter_bank_transaction(record, at=event.at, ids=random)


class ExpenseClaims(Activity):
    """Staff pay something for the business, claim it and get it back."""

    feature = "expense_claims"

    @property
    def deeds(self) -> Mapping[str, Deed]:
        """What each kind of intent brings about."""
        return {"claim": self._claim, "pay_claim": self._pay_claim}

    def usual(self, _: date, dice: Random) -> list[str]:
        """About two a month."""
        return ["claim"] * (dice.random() < 0.07)

    def _claim(self, event: Event, random: Random) -> None:
        desk, books = self.office.desk, self.office.books
        lines = [
            desk.line(
                random.choice(SMALL_SPENDING),
                "Inclusive",
                currency=books.base_currency,
                is_sale=False,
                random=random,
            )
            for _ in range(random.choice((1, 2, 2, 3)))
        ]
        claim = books.claim_expenses(
            lines,
            on=event.day - random.randrange(4) * DAY,
            at=event.at,
            ids=random,
            reference=random.choice(("Travel", "Petty cash", "")),
        )
        if random.random() < 0.85:
            days = random.randrange(3, 25)
            self.office.later(event, days, kind="pay_claim", subject=claim.claim_id)

    def _pay_claim(self, event: Event, random: Random) -> None:
        books = self.office.books
        claim = books.expense_claims[event.intent.subject]
        books.pay_expense_claim(
            claim,
            on=event.day,
            at=event.at,
            account=self.office.bank,
            ids=random,
        )
