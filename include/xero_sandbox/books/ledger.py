"""The double-entry ledger: accounts, journals that sum to zero, and balances at any date.

Knows dates, signs (debit positive, credit negative, base currency) and when a journal became
known. Must not know documents, organisations, JSON or HTTP; `posting.py` turns documents into
postings, `reports/` turns balances into reports.

A journal is never changed. Correcting one posts its reversal, dated like the original, and a
new journal, both created at the moment of the correction: so `created_at` tells which journals
were known at any past moment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from xero_sandbox.books.money import ZERO

if TYPE_CHECKING:
    from xero_sandbox.books.documents import TrackingOption

_CLASSES = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "PAYG": "LIABILITY",
    "EQUITY": "EQUITY",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
    "OTHERINCOME": "REVENUE",
    "EXPENSE": "EXPENSE",
    "DIRECTCOSTS": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "DEPRECIATN": "EXPENSE",
}
ACCOUNT_TYPES = tuple(_CLASSES)
# After so many journals, so many numbers are left out.
_RUN, _GAP = 37, 2


class LedgerError(ValueError):
    """A journal that does not balance, or one on an account the ledger does not have."""


@dataclass(slots=True, eq=False)
class Account:
    """One account of the chart; `system` is Xero's SystemAccount, empty for ordinary ones.

    There is one object for each: what is edited shows wherever the account stands.
    """

    account_id: str
    code: str
    name: str
    type: str
    tax_type: str
    updated_at: datetime
    system: str = ""
    description: str = ""
    currency: str = ""
    bank_account_number: str = ""
    bank_account_type: str = "BANK"
    takes_payments: bool = False
    status: str = "ACTIVE"

    @property
    def account_class(self) -> str:
        """ASSET, LIABILITY, EQUITY, REVENUE or EXPENSE."""
        return _CLASSES[self.type]

    @property
    def is_temporary(self) -> bool:
        """Whether a year end moves the balance to retained earnings."""
        return self.account_class in ("REVENUE", "EXPENSE")


@dataclass(frozen=True, slots=True)
class Posting:
    """One amount on one account: debit positive, base currency, without tax.

    `tax_type`, `tax_amount` (same sign as `amount`) and `description` repeat what the document's
    line said; the tax itself is another posting, on the GST account. `tracking` holds the options
    of the lines that it stands for.
    """

    account_id: str
    amount: Decimal
    description: str = ""
    tax_type: str = ""
    tax_amount: Decimal = ZERO
    tracking: tuple[TrackingOption, ...] = ()

    def reversed(self) -> Posting:
        """Return the posting that cancels this one."""
        return Posting(
            self.account_id, -self.amount, self.description, self.tax_type, -self.tax_amount,
            self.tracking,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Journal:
    """Postings that sum to zero.

    Numbers ascend, with gaps. `on` is the accounting date, `created_at` (aware UTC) when it was
    posted. `source_type` and `source_id` name the document, or are None; `reference` is the
    document's. `reverses` is the number of the journal that this one cancels.
    """

    number: int
    on: date
    created_at: datetime
    source_type: str | None
    source_id: str | None
    postings: tuple[Posting, ...]
    reverses: int | None = None
    reference: str = ""


class Ledger:
    """The journals of one organisation, with daily totals per account kept beside them."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.accounts: dict[str, Account] = {account.account_id: account for account in accounts}
        self.journals: list[Journal] = []
        self._system = {a.system: a.account_id for a in self.accounts.values() if a.system}
        self._standing: dict[str, tuple[Journal, ...]] = {}
        self._daily: dict[str, dict[date, Decimal]] = defaultdict(dict)

    def twin(self) -> Ledger:
        """Return an empty ledger over the same accounts, whatever is added to them later."""
        twin = Ledger(())
        twin.accounts, twin._system = self.accounts, self._system
        return twin

    def add_account(self, account: Account) -> None:
        """Add an account, or put it in the place of the one with the same id."""
        self.accounts[account.account_id] = account
        if account.system:
            self._system[account.system] = account.account_id

    def post(
        self,
        postings: Sequence[Posting],
        *,
        on: date,
        created_at: datetime,
        source_type: str | None,
        source_id: str | None,
        reference: str = "",
    ) -> Journal | None:
        """Post one journal dated `on`; zero amounts are left out, nothing at all gives None.

        Raises LedgerError when the postings do not sum to zero or name an unknown account.
        """
        kept = tuple(posting for posting in postings if posting.amount)
        if not kept:
            return None
        number = self._next_number()
        journal = Journal(number, on, created_at, source_type, source_id, kept, reference=reference)
        self._append(journal)
        if source_id is not None:
            self._standing[source_id] = (*self._standing.get(source_id, ()), journal)
        return journal

    def reverse(self, source_id: str, created_at: datetime) -> None:
        """Cancel every journal of `source_id` that stands, each dated like its original."""
        for journal in self._standing.pop(source_id, ()):
            self._append(
                replace(
                    journal,
                    number=self._next_number(),
                    created_at=created_at,
                    postings=tuple(posting.reversed() for posting in journal.postings),
                    reverses=journal.number,
                )
            )

    def all_standing(self) -> Iterator[Journal]:
        """Return every journal that neither cancels another nor is cancelled, by number."""
        cancelled = {journal.reverses for journal in self.journals if journal.reverses}
        for journal in self.journals:
            if journal.reverses is None and journal.number not in cancelled:
                yield journal

    def balances(self, last: date, *, first: date | None = None) -> dict[str, Decimal]:
        """Return account id to the sum of its postings dated `first` (or ever) to `last`.

        Every account that had a posting by `last` is there, also when it sums to zero.
        """
        found: dict[str, Decimal] = {}
        for account_id, days in self._daily.items():
            amounts = [amount for day, amount in days.items() if day <= last]
            if not amounts:
                continue
            if first is not None:
                amounts = [amount for day, amount in days.items() if first <= day <= last]
            found[account_id] = sum(amounts, ZERO)
        return found

    def balance(self, account_id: str, last: date) -> Decimal:
        """Return the sum of the account's postings dated up to `last`."""
        days = self._daily.get(account_id, {})
        return sum((amount for day, amount in days.items() if day <= last), ZERO)

    def tracked_balances(
        self, last: date, *, options: Sequence[TrackingOption], first: date | None = None
    ) -> dict[str, Decimal]:
        """Return what `balances` does, from the postings alone that carry all of `options`.

        Walks every journal; `balances` does not.
        """
        found: dict[str, Decimal] = {}
        for journal in self.journals:
            if journal.on > last or (first is not None and journal.on < first):
                continue
            for posting in journal.postings:
                if all(option in posting.tracking for option in options):
                    total = found.get(posting.account_id, ZERO)
                    found[posting.account_id] = total + posting.amount
        return found

    def has_postings(self, account_id: str) -> bool:
        """Whether anything was ever posted on the account."""
        return bool(self._daily.get(account_id))

    def system(self, name: str) -> str:
        """Return the id of the account whose SystemAccount is `name`; LedgerError without one."""
        try:
            return self._system[name]
        except KeyError:
            raise LedgerError(f"the chart has no system account {name}") from None

    def _next_number(self) -> int:
        """Numbers ascend; as in Xero, some are never given."""
        count = len(self.journals) + 1
        return count + _GAP * (count // _RUN)

    def _append(self, journal: Journal) -> None:
        left_over = ZERO
        for posting in journal.postings:
            left_over += posting.amount
            if posting.account_id not in self.accounts:
                raise LedgerError(f"journal {journal.number} posts on an unknown account")
        if left_over:
            raise LedgerError(f"journal {journal.number} of {journal.source_id} does not balance")
        for posting in journal.postings:
            days = self._daily[posting.account_id]
            days[journal.on] = days.get(journal.on, ZERO) + posting.amount
        self.journals.append(journal)
