"""Actions of the control door on papers that post nothing.

Knows their names and fields. Must not know HTTP, clocks, or what a change does.

    create_quote        contact?, date?, expiry_date?, status? (DRAFT, SENT …), title?,
                        reference?, currency?, rate?, line_amount_types?, amount or lines
    edit_quote          id, and any of date, expiry_date, reference, lines, amount
    change_quote        id, status
    create_purchase_order   contact?, date?, delivery_date?, status?, reference?, currency?,
                        rate?, line_amount_types?, amount or lines
    edit_purchase_order id, and any of date, delivery_date, reference, lines, amount
    change_purchase_order   id, status, bill_id?
    create_repeating_invoice    type?, contact?, date?, period?, unit?, reference?,
                        line_amount_types?, amount or lines
    link_transaction    id (of a bill), contact?: its first line is charged on
    delete_link         id
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from xero_sandbox.books.action_fields import (
    AMOUNTS,
    ID,
    Act,
    Changed,
    Deed,
    contact_of,
    currency_of,
    line_kind_of,
    lines_of,
    new_lines_of,
    require_one_of,
)
from xero_sandbox.books.paper_records import (
    LinkedTransaction,
    Proposal,
    PurchaseOrder,
    Quote,
    RepeatingInvoice,
)
from xero_sandbox.books.refusals import BooksError, found

_MONTH = timedelta(days=30)


def _create_quote(act: Act) -> Changed:
    proposed = _proposed(act, ("DRAFT", "SENT", "ACCEPTED", "DECLINED", "INVOICED"), code="200")
    quote = Quote(
        **proposed,
        quote_id=act.new_id(),
        expiry_date=act.day("expiry_date", proposed["on"] + _MONTH),
        title=act.text("title", ""),
    )
    act.books.enter_quote(quote, at=act.at)
    return "Quotes", quote.quote_id


def _edit_quote(act: Act) -> Changed:
    quote = _quote(act)
    act.books.edit_quote(
        quote, at=act.at, expiry_date=act.told_day("expiry_date"), **_edits(act, quote, code="200")
    )
    return "Quotes", quote.quote_id


def _change_quote(act: Act) -> Changed:
    quote = _quote(act)
    act.books.change_quote(quote, at=act.at, status=act.text("status"))
    return "Quotes", quote.quote_id


def _create_purchase_order(act: Act) -> Changed:
    order = PurchaseOrder(
        **_proposed(act, ("DRAFT", "SUBMITTED", "AUTHORISED"), code="429"),
        order_id=act.new_id(),
        delivery_date=act.told_day("delivery_date"),
    )
    act.books.enter_purchase_order(order, at=act.at)
    return "PurchaseOrders", order.order_id


def _edit_purchase_order(act: Act) -> Changed:
    order = _order(act)
    act.books.edit_purchase_order(
        order,
        at=act.at,
        delivery_date=act.told_day("delivery_date"),
        **_edits(act, order, code="429"),
    )
    return "PurchaseOrders", order.order_id


def _change_purchase_order(act: Act) -> Changed:
    order, bill_id = _order(act), act.text("bill_id", "")
    act.books.change_purchase_order(order, at=act.at, status=act.text("status"), bill_id=bill_id)
    return "PurchaseOrders", order.order_id


def _quote(act: Act) -> Quote:
    key = act.text("id")
    return found(act.books.quotes.get(key), "quote", key)


def _order(act: Act) -> PurchaseOrder:
    key = act.text("id")
    return found(act.books.purchase_orders.get(key), "purchase order", key)


def _proposed(act: Act, statuses: tuple[str, ...], *, code: str) -> dict[str, Any]:
    """Return what a new quote and a new purchase order have in common."""
    contact, line_kind = contact_of(act), line_kind_of(act, "Exclusive")
    currency, rate = currency_of(act, contact.currency or act.books.base_currency)
    status = act.text("status", "DRAFT")
    require_one_of("status", status, statuses)
    return {
        "number": "",
        "contact": contact,
        "on": act.day("date", act.books.today),
        "line_kind": line_kind,
        "lines": lines_of(act, line_kind, code),
        "currency": currency,
        "created_at": act.at,
        "updated_at": act.at,
        "rate": rate,
        "status": status,
        "reference": act.text("reference", ""),
    }


def _edits(act: Act, paper: Proposal, *, code: str) -> dict[str, Any]:
    """Return what may change of either; None for what was not given."""
    return {
        "lines": new_lines_of(act, paper.line_kind, code),
        "on": act.told_day("date"),
        "reference": act.told("reference"),
    }


def _create_repeating_invoice(act: Act) -> Changed:
    kind, unit = act.text("type", "ACCREC"), act.text("unit", "MONTHLY")
    require_one_of("type", kind, ("ACCREC", "ACCPAY"))
    require_one_of("unit", unit, ("WEEKLY", "MONTHLY"))
    line_kind = line_kind_of(act, "Exclusive")
    start = act.day("date", act.books.today)
    template = RepeatingInvoice(
        repeating_id=act.new_id(),
        type=kind,
        contact=contact_of(act),
        line_kind=line_kind,
        lines=lines_of(act, line_kind, "200" if kind == "ACCREC" else "429"),
        currency=act.books.base_currency,
        start_date=start,
        next_date=start,
        period=act.whole("period", 1),
        unit=unit,
        due_date_days=20,
        reference=act.text("reference", ""),
    )
    act.books.add_repeating_invoice(template, at=act.at)
    return "RepeatingInvoices", template.repeating_id


def _link_transaction(act: Act) -> Changed:
    bill = act.books.document(act.text("id"))
    if bill.type != "ACCPAY" or not bill.lines:
        raise BooksError("Only a line of a bill is charged on to a customer.")
    link = LinkedTransaction(
        link_id=act.new_id(),
        source_id=bill.document_id,
        source_line_id=bill.lines[0].line_id,
        contact=contact_of(act) if "contact" in act.fields else None,
        updated_at=act.at,
        status="ONDRAFT" if bill.status in {"DRAFT", "SUBMITTED"} else "APPROVED",
    )
    act.books.link(link, at=act.at)
    return "LinkedTransactions", link.link_id


def _delete_link(act: Act) -> Changed:
    key = act.text("id")
    act.books.delete_link(found(act.books.linked_transactions.get(key), "link", key))
    return {"LinkedTransactionID": key}


_EDITS = ID | {"date", "reference", "lines", "amount"}
_PAPER = AMOUNTS | {"contact", "date", "status", "reference", "currency", "rate"}

DEEDS: Mapping[str, Deed] = {
    "create_quote": (_create_quote, _PAPER | {"expiry_date", "title"}),
    "edit_quote": (_edit_quote, _EDITS | {"expiry_date"}),
    "change_quote": (_change_quote, ID | {"status"}),
    "create_purchase_order": (_create_purchase_order, _PAPER | {"delivery_date"}),
    "edit_purchase_order": (_edit_purchase_order, _EDITS | {"delivery_date"}),
    "change_purchase_order": (_change_purchase_order, ID | {"status", "bill_id"}),
    "create_repeating_invoice": (
        _create_repeating_invoice,
        AMOUNTS | {"type", "contact", "date", "period", "unit", "reference"},
    ),
    "link_transaction": (_link_transaction, ID | {"contact"}),
    "delete_link": (_delete_link, ID),
}
