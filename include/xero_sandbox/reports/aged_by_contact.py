"""Aged receivables and payables by contact: the documents of one contact and what is due.

Knows the layout, and what a document came to at a date in base currency. Must not know the
ledger; the totals over all contacts are DEBTORS (or CREDITORS) before revaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from xero_sandbox.books.documents import PREPAYMENT_TYPES, Document
from xero_sandbox.books.money import ZERO, in_base
from xero_sandbox.errors import ValidationError
from xero_sandbox.reports.asking import Asked
from xero_sandbox.reports.calendar import month_end
from xero_sandbox.reports.layout import (
    Report,
    Row,
    attribute,
    cell,
    header,
    money,
    plain_row,
    report_of,
    row,
    section,
    spoken,
    summary_row,
)


@dataclass(frozen=True)
class _Aged:
    """A document in base currency at its own rate, credits negative; `due` is the rest."""

    document: Document
    total: Decimal
    paid: Decimal
    credited: Decimal

    @property
    def due(self) -> Decimal:
        return self.total - self.paid - self.credited


@dataclass(frozen=True)
class _Side:
    """What differs between sales and purchases."""

    report_id: str
    name: str
    reference: str
    is_receivable: bool


_RECEIVABLES = _Side("AgedReceivablesByContact", "Aged Receivables By Contact", "Number", True)
_PAYABLES = _Side("AgedPayablesByContact", "Aged Payables By Contact", "Reference", False)


def build_receivables(asked: Asked) -> Report:
    """Return the sales documents of `contactID`; see `_build`."""
    return _build(asked, _RECEIVABLES)


def build_payables(asked: Asked) -> Report:
    """Return the purchases of `contactID`; see `_build`."""
    return _build(asked, _PAYABLES)


def _build(asked: Asked, side: _Side) -> Report:
    """Documents from `fromDate` (ever) to `toDate`, with what was paid and credited by `date`.

    Both dates are the end of the current month unless given; `toDate` follows `date`. Invoices,
    bills, credit notes and overpayments, paid ones too; prepayments are not owed by anybody. A
    `fromDate` adds the balance before it.
    """
    contact = asked.contact("contactID")
    paid_by = asked.day("date", month_end(asked.books.today))
    last = asked.day("toDate", paid_by)
    first = asked.day("fromDate", date.min)
    if first > last:
        raise ValidationError("The fromDate must not be later than the toDate.")
    known = sorted(
        (
            _aged(document, paid_by)
            for document in asked.books.documents.values()
            if document.contact is contact and _is_listed(document, side) and document.on <= last
        ),
        key=lambda aged: (aged.document.on, aged.document.number, aged.document.document_id),
    )
    listed = [aged for aged in known if aged.document.on >= first]
    opening = sum((aged.due for aged in known if aged.document.on < first), ZERO)
    columns = ("Date", side.reference, "Due Date", "", "Total", "Paid", "Credited", "Due")
    rows = [header(columns)]
    since = f"From {spoken(first)} to" if first != date.min else "To"
    if first != date.min:
        start = (_stamp(first), "Opening Balance", *[""] * 5, money(opening))
        rows.append(section("", [plain_row(start)]))
    rows.append(section("", [*(_row(aged, asked.books.today) for aged in listed), _total(listed)]))
    if first != date.min:
        rows.append(section("", [_sums("Closing Balance", listed, opening)]))
    titles = ["Invoices", contact.name, f"{since} {spoken(last)}"]
    titles.append(f"Showing payments to {spoken(paid_by)}")
    return report_of(side.report_id, side.name, titles=titles, now=asked.now, rows=rows)


def _is_listed(document: Document, side: _Side) -> bool:
    return (
        document.counts
        and document.is_receivable == side.is_receivable
        and document.type not in PREPAYMENT_TYPES
    )


def _aged(document: Document, paid_by: date) -> _Aged:
    """Each payment and allocation is converted alone, as it is posted."""
    sign = -1 if document.is_credit else 1
    paid = (
        in_base(payment.amount, document.rate)
        for payment in document.payments
        if payment.status != "DELETED" and payment.on <= paid_by
    )
    credited = (
        in_base(allocation.amount, document.rate)
        for allocation in document.allocations
        if allocation.on <= paid_by
    )
    total = in_base(document.total, document.rate)
    return _Aged(document, sign * total, sign * sum(paid, ZERO), sign * sum(credited, ZERO))


def _row(aged: _Aged, today: date) -> Row:
    document = aged.document
    days = (today - document.due_date).days if aged.due > 0 else 0
    values = (
        _stamp(document.on),
        document.number,
        _stamp(document.due_date),
        f"{days} day{'s' if days > 1 else ''} overdue" if days > 0 else "",
        *map(money, (aged.total, aged.paid, aged.credited, aged.due)),
    )
    reference = attribute("invoiceID", document.document_id)
    return row(cell(value, reference) for value in values)


def _total(listed: Sequence[_Aged]) -> Row:
    return _sums("Total", listed, ZERO)


def _sums(label: str, listed: Sequence[_Aged], opening: Decimal) -> Row:
    """The sums of the listed; what was due before them is due still."""
    amounts = (
        sum((aged.total for aged in listed), ZERO),
        sum((aged.paid for aged in listed), ZERO),
        sum((aged.credited for aged in listed), ZERO),
        opening + sum((aged.due for aged in listed), ZERO),
    )
    return summary_row((label, "", "", "", *map(money, amounts)))


def _stamp(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"
