"""What is posted without an invoice or money: manual journals, payroll, claims, conversion.

Knows what each of them needs; most of it no document ever shows. Must not know clocks or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import ExpenseClaim, JournalLine, Line, ManualJournal
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.ledger import Account, Posting
from xero_sandbox.books.money import ZERO
from xero_sandbox.books.posting import (
    balanced,
    claim_payment_postings,
    claim_postings,
    manual_postings,
)
from xero_sandbox.books.recording import Recording
from xero_sandbox.books.refusals import (
    BooksError,
    require_bank,
    require_cents,
    require_open_accounts,
)

_BY_DOCUMENTS = ("DEBTORS", "CREDITORS", "UNPAIDEXPCLM")


class Journalling(Recording):
    """What can be posted by hand, and by those parts of Xero that show no documents."""

    def enter_manual_journal(self, journal: ManualJournal, *, at: datetime) -> ManualJournal:
        """Enter a manual journal in the status it has (DRAFT, POSTED)."""
        _require_balanced(journal.lines)
        self.manual_journals[journal.journal_id] = journal
        self._noted(journal.journal_id, "Created", at)
        self._post_manual(journal, at)
        return journal

    def post_manual_journal(self, journal: ManualJournal, *, at: datetime) -> None:
        """Post a draft with its own date."""
        _require(journal, "DRAFT")
        journal.status = "POSTED"
        self._noted(journal.journal_id, "Posted", at)
        self._post_manual(journal, at)

    def edit_manual_journal(
        self,
        journal: ManualJournal,
        *,
        at: datetime,
        lines: Sequence[JournalLine] | None = None,
        on: date | None = None,
        narration: str | None = None,
    ) -> None:
        """Change a manual journal; a posted one is reversed and posted again."""
        _require(journal, "DRAFT", "POSTED")
        new_lines = journal.lines if lines is None else tuple(lines)
        _require_balanced(new_lines)
        journal.lines = new_lines
        journal.on = on or journal.on
        journal.narration = journal.narration if narration is None else narration
        self.ledger.reverse(journal.journal_id, at)
        self._noted(journal.journal_id, "Edited", at)
        self._post_manual(journal, at)

    def void_manual_journal(self, journal: ManualJournal, *, at: datetime) -> None:
        """Void a posted manual journal; a draft becomes DELETED."""
        _require(journal, "DRAFT", "POSTED")
        journal.status = "VOIDED" if journal.counts else "DELETED"
        self.ledger.reverse(journal.journal_id, at)
        self._noted(journal.journal_id, "Voided", at)
        self._post_manual(journal, at)

    def _post_manual(self, journal: ManualJournal, at: datetime) -> None:
        """Bump a manual journal and show it; post it if it counts."""
        journal.updated_at = at
        if journal.counts:
            self.ledger.post(
                manual_postings(self.ledger, journal),
                on=journal.on,
                created_at=at,
                source_type="MANJOURNAL",
                source_id=journal.journal_id,
                reference=journal.narration,
            )
        self._shelving.manual_journal(journal)

    # What no document shows

    def post_conversion(self, balances: Mapping[str, Decimal], *, on: date, at: datetime) -> None:
        """Post what was on the accounts (by code, debit positive) before these books began.

        Against HISTORICAL, in a journal without a source.
        """
        accounts = [self.account(code) for code in balances]
        for account in accounts:
            if account.system in _BY_DOCUMENTS:
                raise BooksError(f"What is on account {account.code} follows from documents.")
            if account.currency not in ("", self.base_currency):
                raise BooksError(f"Account {account.code} is foreign: receive money on it instead.")
        postings = [Posting(self.account(code).account_id, balances[code]) for code in balances]
        historical = self.ledger.system("HISTORICAL")
        self._post_sourceless(balanced(postings, historical), on=on, at=at)

    def depreciate(
        self, amount: Decimal, *, expense: Account, asset: Account, on: date, at: datetime
    ) -> None:
        """Post what assets lost in worth, in a journal without a source."""
        require_cents(amount)
        require_open_accounts((expense, asset))
        postings = [Posting(expense.account_id, amount), Posting(asset.account_id, -amount)]
        self._post_sourceless(postings, on=on, at=at)

    def adjust_bank(self, account: Account, amount: Decimal, *, on: date, at: datetime) -> None:
        """Post what a reconciliation left over (debit positive) against ROUNDING, sourceless."""
        require_bank(account)
        if account.currency != self.base_currency:
            raise BooksError(f"Account {account.code} is foreign: nothing is left over there.")
        postings = [Posting(account.account_id, amount)]
        self._post_sourceless(balanced(postings, self.ledger.system("ROUNDING")), on=on, at=at)

    def post_payroll(
        self, amounts: Mapping[str, Decimal], *, on: date, at: datetime, ids: Random
    ) -> None:
        """Post a pay run: `amounts` by account code (wages debit, what is withheld credit).

        What is left is owed to staff: WAGEPAYABLES.
        """
        accounts = {code: self.account(code) for code in amounts}
        require_open_accounts(accounts.values())
        postings = [Posting(accounts[code].account_id, amounts[code]) for code in amounts]
        self.ledger.post(
            balanced(postings, self.ledger.system("WAGEPAYABLES")),
            on=on,
            created_at=at,
            source_type="PAYSLIP",
            source_id=new_guid(ids),
        )

    def claim_expenses(
        self, lines: Sequence[Line], *, on: date, at: datetime, ids: Random, reference: str = ""
    ) -> ExpenseClaim:
        """Post what staff paid for the business; it is owed to them (UNPAIDEXPCLM)."""
        require_open_accounts(line.account for line in lines)
        claim = ExpenseClaim(new_guid(ids), on, tuple(lines), at, reference)
        require_cents(claim.total)
        self.expense_claims[claim.claim_id] = claim
        self.ledger.post(
            claim_postings(self.ledger, claim),
            on=on,
            created_at=at,
            source_type="EXPCLAIM",
            source_id=claim.claim_id,
            reference=reference,
        )
        return claim

    def pay_expense_claim(
        self,
        claim: ExpenseClaim,
        *,
        on: date,
        at: datetime,
        account: Account,
        ids: Random,
        amount: Decimal | None = None,
    ) -> None:
        """Pay an expense claim (or a part of it) from a bank account in base currency."""
        paid = claim.total - claim.paid if amount is None else amount
        require_cents(paid)
        require_bank(account)
        if account.currency != self.base_currency or paid > claim.total - claim.paid:
            raise BooksError("The amount exceeds what is owed for this expense claim.")
        claim.paid += paid
        payment_id = new_guid(ids)
        self.expense_payments[payment_id] = claim.claim_id
        self.ledger.post(
            claim_payment_postings(self.ledger, account.account_id, paid),
            on=on,
            created_at=at,
            source_type="EXPPAYMENT",
            source_id=payment_id,
            reference=claim.reference,
        )

    def _post_sourceless(self, postings: Sequence[Posting], *, on: date, at: datetime) -> None:
        self.ledger.post(postings, on=on, created_at=at, source_type=None, source_id=None)


def _require(journal: ManualJournal, *statuses: str) -> None:
    if journal.status not in statuses:
        raise BooksError(f"This cannot be done to a manual journal that is {journal.status}.")


def _require_balanced(lines: Sequence[JournalLine]) -> None:
    require_open_accounts(line.account for line in lines)
    total = sum((line.net + line.tax for line in lines), ZERO)
    if total or len(lines) < 2:
        raise BooksError(f"The lines of a manual journal sum to zero, not to {total}.")
