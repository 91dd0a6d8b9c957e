"""Papers that post nothing: quotes, purchase orders, templates of invoices, billable expenses.

Knows which status may follow which. Must not know the ledger, clocks or HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from xero_sandbox.books.documents import Line
from xero_sandbox.books.holdings import Holdings
from xero_sandbox.books.paper_records import (
    LinkedTransaction,
    Proposal,
    PurchaseOrder,
    Quote,
    RepeatingInvoice,
)
from xero_sandbox.books.refusals import BooksError

_QUOTE_STEPS = {
    "DRAFT": ("SENT", "DELETED"),
    "SENT": ("DRAFT", "ACCEPTED", "DECLINED", "DELETED"),
    "ACCEPTED": ("SENT", "DRAFT", "INVOICED", "DELETED"),
    "DECLINED": ("SENT", "DRAFT", "DELETED"),
    "INVOICED": ("ACCEPTED", "SENT", "DELETED"),
    "DELETED": (),
}
_ORDER_STEPS = {
    "DRAFT": ("SUBMITTED", "AUTHORISED", "DELETED"),
    "SUBMITTED": ("AUTHORISED", "DELETED"),
    "AUTHORISED": ("BILLED", "DELETED"),
    "BILLED": ("AUTHORISED", "DELETED"),
    "DELETED": (),
}
# What became a document, or nothing at all, stays as it was.
_FINAL = ("INVOICED", "BILLED", "DELETED")


class Papers(Holdings):
    """What can be done to papers that post nothing."""

    def enter_quote(self, quote: Quote, *, at: datetime) -> Quote:
        """Enter a quote in the status it has; without a number it gets the next one."""
        quote.number = quote.number or self.next_number("QUOTE")
        self.quotes[quote.quote_id] = quote
        self._noted(quote.quote_id, "Created", at)
        self._show_quote(quote, at)
        return quote

    def change_quote(self, quote: Quote, *, at: datetime, status: str) -> None:
        """Send, accept, decline, invoice or delete a quote."""
        _require_step(quote.status, status, steps=_QUOTE_STEPS)
        quote.status = status
        self._noted(quote.quote_id, status.capitalize(), at)
        self._show_quote(quote, at)

    def edit_quote(
        self,
        quote: Quote,
        *,
        at: datetime,
        lines: Sequence[Line] | None = None,
        on: date | None = None,
        expiry_date: date | None = None,
        reference: str | None = None,
    ) -> None:
        """Change a quote that has not been invoiced; its date may move back."""
        _edit(quote, lines=lines, on=on, reference=reference)
        quote.expiry_date = expiry_date or quote.expiry_date
        self._noted(quote.quote_id, "Edited", at)
        self._show_quote(quote, at)

    def enter_purchase_order(self, order: PurchaseOrder, *, at: datetime) -> PurchaseOrder:
        """Enter a purchase order in the status it has; it is numbered when it has no number."""
        order.number = order.number or self.next_number("PURCHASEORDER")
        self.purchase_orders[order.order_id] = order
        self._noted(order.order_id, "Created", at)
        self._show_order(order, at)
        return order

    def change_purchase_order(
        self, order: PurchaseOrder, *, at: datetime, status: str, bill_id: str = ""
    ) -> None:
        """Approve, bill (`bill_id` is the bill it became) or delete a purchase order."""
        _require_step(order.status, status, steps=_ORDER_STEPS)
        order.status = status
        order.bill_id = bill_id or order.bill_id
        self._noted(order.order_id, status.capitalize(), at)
        self._show_order(order, at)

    def edit_purchase_order(
        self,
        order: PurchaseOrder,
        *,
        at: datetime,
        lines: Sequence[Line] | None = None,
        on: date | None = None,
        delivery_date: date | None = None,
        reference: str | None = None,
    ) -> None:
        """Change a purchase order that has not been billed; its date may move back."""
        _edit(order, lines=lines, on=on, reference=reference)
        order.delivery_date = delivery_date or order.delivery_date
        self._noted(order.order_id, "Edited", at)
        self._show_order(order, at)

    def add_repeating_invoice(self, template: RepeatingInvoice, *, at: datetime) -> None:
        """Add a template of invoices or bills."""
        self.repeating_invoices[template.repeating_id] = template
        self._noted(template.repeating_id, "Created", at)
        self._shelving.repeating_invoice(template)

    def advance_repeating_invoice(self, template: RepeatingInvoice, *, at: datetime) -> None:
        """Show a template whose next date or status changed; nothing of it is ever bumped."""
        self._noted(template.repeating_id, "Edited", at)
        self._shelving.repeating_invoice(template)

    def link(self, link: LinkedTransaction, *, at: datetime) -> None:
        """Add the link of a billable expense, or show what became of it."""
        link.updated_at = at
        self.linked_transactions[link.link_id] = link
        self._shelving.linked_transaction(link)

    def delete_link(self, link: LinkedTransaction) -> None:
        """Delete a link: it is gone."""
        if self.linked_transactions.pop(link.link_id, None) is None:
            raise BooksError(f"There is no linked transaction {link.link_id}.")
        self._shelving.remove("LinkedTransactions", link.link_id)

    def _show_quote(self, quote: Quote, at: datetime) -> None:
        quote.updated_at = at
        self._shelving.quote(quote)

    def _show_order(self, order: PurchaseOrder, at: datetime) -> None:
        order.updated_at = at
        self._shelving.purchase_order(order)


def _edit(
    paper: Proposal, *, lines: Sequence[Line] | None, on: date | None, reference: str | None
) -> None:
    if paper.status in _FINAL:
        raise BooksError(f"What is {paper.status} cannot be edited.")
    paper.lines = paper.lines if lines is None else tuple(lines)
    paper.on = on or paper.on
    paper.reference = paper.reference if reference is None else reference


def _require_step(status: str, wanted: str, *, steps: Mapping[str, tuple[str, ...]]) -> None:
    if wanted not in steps.get(status, ()):
        raise BooksError(f"What is {status} cannot become {wanted}.")
