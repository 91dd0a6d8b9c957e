"""Actions of the control door that post by hand, or what no document shows.

Knows their names and fields. Must not know HTTP, clocks, or what a change posts.

    create_manual_journal   narration?, date?, status? (POSTED, DRAFT), show_on_cash_basis?,
                        lines: [{account_code, amount (debit positive), tax_type?, description?,
                        tracking?}]; tax is added to the lines and must sum to zero with them
    post_manual_journal, void_manual_journal    id
    edit_manual_journal     id, and any of narration, date, lines
    post_conversion     balances: {account code: amount, debit positive}, date?
    depreciate          amount, expense_code?, asset_code?, date?
    adjust_bank         amount (debit positive), account_code?, date?
    post_payroll        amounts: {account code: amount, debit positive}, date?
    claim_expenses      amount or lines as for an invoice, line_amount_types?, date?, reference?
    pay_expense_claim   id, amount?, account_code?, date?

What no list shows is answered with the number of its journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from xero_sandbox.books.action_fields import (
    AMOUNTS,
    ID,
    Act,
    Changed,
    Deed,
    decimal_of,
    line_kind_of,
    lines_of,
    require_one_of,
    tracking_of,
)
from xero_sandbox.books.documents import JournalLine, ManualJournal
from xero_sandbox.books.money import cents
from xero_sandbox.books.refusals import found


def _create_manual_journal(act: Act) -> Changed:
    status = act.text("status", "POSTED")
    require_one_of("status", status, ("POSTED", "DRAFT"))
    journal = ManualJournal(
        journal_id=act.new_id(),
        narration=act.text("narration", "Adjustment"),
        on=act.day("date", act.books.today),
        lines=_lines(act),
        created_at=act.at,
        updated_at=act.at,
        line_kind="Exclusive",
        status=status,
        show_on_cash_basis=act.flag("show_on_cash_basis", True),
    )
    act.books.enter_manual_journal(journal, at=act.at)
    return "ManualJournals", journal.journal_id


def _lines(act: Act) -> tuple[JournalLine, ...]:
    return tuple(_line(act, row) for row in act.rows("lines"))


def _line(act: Act, row: Mapping[str, Any]) -> JournalLine:
    account = act.books.account(str(row.get("account_code", "")))
    amount = cents(decimal_of("amount", row.get("amount")))
    tax_type = str(row.get("tax_type", act.books.country.no_tax))
    tax = cents(amount * act.books.country.rate_of(tax_type) / 100)
    return JournalLine(
        account,
        str(row.get("description", "")),
        amount,
        tax_type,
        tax,
        amount,
        tracking_of(act, row.get("tracking", ())),
    )


def _journal(act: Act) -> ManualJournal:
    key = act.text("id")
    return found(act.books.manual_journals.get(key), "manual journal", key)


def _post_manual_journal(act: Act) -> Changed:
    journal = _journal(act)
    act.books.post_manual_journal(journal, at=act.at)
    return "ManualJournals", journal.journal_id


def _edit_manual_journal(act: Act) -> Changed:
    journal = _journal(act)
    act.books.edit_manual_journal(
        journal,
        at=act.at,
        lines=_lines(act) if "lines" in act.fields else None,
        on=act.told_day("date"),
        narration=act.told("narration"),
    )
    return "ManualJournals", journal.journal_id


def _void_manual_journal(act: Act) -> Changed:
    journal = _journal(act)
    act.books.void_manual_journal(journal, at=act.at)
    return "ManualJournals", journal.journal_id


def _post_conversion(act: Act) -> Changed:
    on = act.day("date", act.books.today)
    act.books.post_conversion(act.amounts("balances"), on=on, at=act.at)
    return _last_journal(act)


def _depreciate(act: Act) -> Changed:
    act.books.depreciate(
        act.amount("amount"),
        expense=act.account("expense_code", "416"),
        asset=act.account("asset_code", "711"),
        on=act.day("date", act.books.today),
        at=act.at,
    )
    return _last_journal(act)


def _adjust_bank(act: Act) -> Changed:
    on = act.day("date", act.books.today)
    act.books.adjust_bank(act.account(), act.amount("amount"), on=on, at=act.at)
    return _last_journal(act)


def _post_payroll(act: Act) -> Changed:
    on = act.day("date", act.books.today)
    act.books.post_payroll(act.amounts("amounts"), on=on, at=act.at, ids=act.ids)
    return _last_journal(act)


def _claim_expenses(act: Act) -> Changed:
    claim = act.books.claim_expenses(
        lines_of(act, line_kind_of(act, "Inclusive"), "429"),
        on=act.day("date", act.books.today),
        at=act.at,
        ids=act.ids,
        reference=act.text("reference", ""),
    )
    return {"ExpenseClaimID": claim.claim_id, "Total": claim.total} | _last_journal(act)


def _pay_expense_claim(act: Act) -> Changed:
    key = act.text("id")
    claim = found(act.books.expense_claims.get(key), "expense claim", key)
    amount: Decimal | None = act.amount("amount") if "amount" in act.fields else None
    act.books.pay_expense_claim(
        claim,
        on=act.day("date", act.books.today),
        at=act.at,
        account=act.account(),
        ids=act.ids,
        amount=amount,
    )
    return {"ExpenseClaimID": key, "AmountDue": claim.total - claim.paid} | _last_journal(act)


def _last_journal(act: Act) -> dict[str, object]:
    journals = act.books.ledger.journals
    return {"JournalNumber": journals[-1].number if journals else 0}


_DATE = frozenset(("date",))
_EDITS = frozenset(("narration", "lines")) | _DATE

DEEDS: Mapping[str, Deed] = {
    "create_manual_journal": (_create_manual_journal, _EDITS | {"status", "show_on_cash_basis"}),
    "post_manual_journal": (_post_manual_journal, ID),
    "edit_manual_journal": (_edit_manual_journal, ID | _EDITS),
    "void_manual_journal": (_void_manual_journal, ID),
    "post_conversion": (_post_conversion, _DATE | {"balances"}),
    "depreciate": (_depreciate, _DATE | {"amount", "expense_code", "asset_code"}),
    "adjust_bank": (_adjust_bank, _DATE | {"amount", "account_code"}),
    "post_payroll": (_post_payroll, _DATE | {"amounts"}),
    "claim_expenses": (_claim_expenses, _DATE | AMOUNTS | {"reference"}),
    "pay_expense_claim": (_pay_expense_claim, _DATE | ID | {"amount", "account_code"}),
}
