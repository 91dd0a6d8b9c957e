"""Actions of the control door on papers that post nothing.

Knows their names and fields. Must not know HTTP, clocks, or what a change does.

    create_quote        contact?, date?, expiry_date?, status? (DRAFT, SENT …), title?,
                        reference?, currency?, rate?, line_amount_types?, amount or lines
    change_quote        id, status
    create_purchase_order   contact?, date?, delivery_date?, status?, reference?, currency?,
                        rate?, line_amount_types?, amount or lines
    change_purchase_order   id, status, bill_id?
    create_repeating_invoice    type?, contact?, date?, period?, unit?, reference?,
                        line_amount_types?, amount or lines
    link_transaction    id (of a bill), contact?: its first line is charged on
    delete_link         id
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

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
    require_one_of,
)
from xero_sandbox.books.paper_records import (
    LinkedTransaction,
    PurchaseOrder,
    Quote,
    RepeatingInvoice,
)
from xero_sandbox.books.refusals import BooksError, found

_MONTH = timedelta(days=30)


def _create_quote(act: Act) -> Changed:
    contact, line_kind = contact_of(act), line_kind_of(act, "Exclusive")
    currency, rate = currency_of(act, contact.currency or act.books.base_currency)
    on, status = act.day("date", act.books.today), act.text("status", "DRAFT")
    require_one_of("status", status, ("DRAFT", "SENT", "ACCEPTED", "DECLINED", "INVOICED"))
    quote = Quote(
        quote_id=act.new_id(),
        number="",
        contact=contact,
        on=on,
        expiry_date=act.day("expiry_date", on + _MONTH),
        line_kind=line_kind,
        lines=lines_of(act, line_kind, "200"),
        currency=currency,
        created_at=act.at,
        updated_at=act.at,
        rate=rate,
        status=status,
        reference=act.text("reference", ""),
        title=act.text("title", ""),
    )
    act.books.enter_quote(quote, at=act.at)
    return "Quotes", quote.quote_id


def _change_quote(act: Act) -> Changed:
    key = act.text("id")
    quote = found(act.books.quotes.get(key), "quote", key)
    act.books.change_quote(quote, at=act.at, status=act.text("status"))
    return "Quotes", key


def _create_purchase_order(act: Act) -> Changed:
    contact, line_kind = contact_of(act), line_kind_of(act, "Exclusive")
    currency, rate = currency_of(act, contact.currency or act.books.base_currency)
    status = act.text("status", "DRAFT")
    require_one_of("status", status, ("DRAFT", "SUBMITTED", "AUTHORISED"))
    order = PurchaseOrder(
        order_id=act.new_id(),
        number="",
        contact=contact,
        on=act.day("date", act.books.today),
        delivery_date=act.told_day("delivery_date"),
        line_kind=line_kind,
        lines=lines_of(act, line_kind, "429"),
        currency=currency,
        created_at=act.at,
        updated_at=act.at,
        rate=rate,
        status=status,
        reference=act.text("reference", ""),
    )
    act.books.enter_purchase_order(order, at=act.at)
    return "PurchaseOrders", order.order_id


def _change_purchase_order(act: Act) -> Changed:
    key = act.text("id")
    order = found(act.books.purchase_orders.get(key), "purchase order", key)
    bill_id = act.text("bill_id", "")
    act.books.change_purchase_order(order, at=act.at, status=act.text("status"), bill_id=bill_id)
    return "PurchaseOrders", key


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


_PAPER = AMOUNTS | {"contact", "date", "status", "reference", "currency", "rate"}

DEEDS: Mapping[str, Deed] = {
    "create_quote": (_create_quote, _PAPER | {"expiry_date", "title"}),
    "change_quote": (_change_quote, ID | {"status"}),
    "create_purchase_order": (_create_purchase_order, _PAPER | {"delivery_date"}),
    "change_purchase_order": (_change_purchase_order, ID | {"status", "bill_id"}),
    "create_repeating_invoice": (
        _create_repeating_invoice,
        AMOUNTS | {"type", "contact", "date", "period", "unit", "reference"},
    ),
    "link_transaction": (_link_transaction, ID | {"contact"}),
    "delete_link": (_delete_link, ID),
}
