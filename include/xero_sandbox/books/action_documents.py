"""Actions of the control door on invoices, bills, credit notes and remaining credit.

Knows their names and fields. Must not know HTTP, clocks, or what a change posts.

    create_invoice      type? (ACCREC, ACCPAY), contact? (id or name), date?, due_date?, status?
                        (AUTHORISED, DRAFT, SUBMITTED), line_amount_types?, currency?, rate?,
                        number?, reference?, and amount, or lines: [{description?, quantity?,
                        unit_amount, account_code?, tax_type?, item_code?, discount_rate?,
                        tracking?: [option ids or names]}]
                        rounding? (what the total has more than its lines)
    create_credit_note  the same; type? (ACCRECCREDIT, ACCPAYCREDIT)
    submit, approve, void, delete_draft    id
    edit_invoice        id, and any of date, due_date, reference, number, sent,
                        expected_payment_date, planned_payment_date, lines, amount
    recode              id, account_code: moves its lines, and does not bump it
    allocate            id (of the credit note, prepayment or overpayment), invoice_id, amount?
    remove_allocation   id (of the allocation)
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
    new_lines_of,
    require_one_of,
)
from xero_sandbox.books.documents import (
    CREDIT_NOTE_TYPES,
    OVERPAYMENT_TYPES,
    PREPAYMENT_TYPES,
    Document,
)
from xero_sandbox.books.money import ZERO, cents
from xero_sandbox.books.refusals import found

_STATUSES = ("AUTHORISED", "DRAFT", "SUBMITTED")
_FIELDS = AMOUNTS | frozenset(
    (
        "type",
        "contact",
        "date",
        "due_date",
        "status",
        "currency",
        "rate",
        "number",
        "reference",
        "rounding",
    )
)
_EDITS = frozenset(
    (
        "date",
        "due_date",
        "reference",
        "number",
        "sent",
        "expected_payment_date",
        "planned_payment_date",
        "lines",
        "amount",
    )
)


def changed_document(document: Document) -> Changed:
    """Name the list that a document stands in, and its id."""
    resource = "Invoices"
    if document.type in CREDIT_NOTE_TYPES:
        resource = "CreditNotes"
    elif document.type in PREPAYMENT_TYPES:
        resource = "Prepayments"
    elif document.type in OVERPAYMENT_TYPES:
        resource = "Overpayments"
    return resource, document.document_id


def _create_invoice(act: Act) -> Changed:
    return _create(act, "ACCREC", ("ACCREC", "ACCPAY"))


def _create_credit_note(act: Act) -> Changed:
    return _create(act, "ACCRECCREDIT", CREDIT_NOTE_TYPES)


def _create(act: Act, default: str, types: tuple[str, ...]) -> Changed:
    kind = act.text("type", default)
    require_one_of("type", kind, types)
    status = act.text("status", "AUTHORISED")
    require_one_of("status", status, _STATUSES)
    contact = contact_of(act)
    currency, rate = currency_of(act, contact.currency or act.books.base_currency)
    on = act.day("date", act.books.today)
    line_kind = line_kind_of(act, "Exclusive")
    is_sale = kind in ("ACCREC", "ACCRECCREDIT")
    document = Document(
        document_id=act.new_id(),
        type=kind,
        number=act.text("number", ""),
        contact=contact,
        on=on,
        due_date=act.day("due_date", on + timedelta(days=20)),
        line_kind=line_kind,
        lines=lines_of(act, line_kind, "200" if is_sale else "429"),
        currency=currency,
        created_at=act.at,
        updated_at=act.at,
        rate=rate,
        reference=act.text("reference", ""),
        status=status,
        rounding=cents(act.amount("rounding", ZERO)),
    )
    return changed_document(act.books.enter(document, at=act.at))


def _edit_invoice(act: Act) -> Changed:
    document = act.books.document(act.text("id"))
    code = document.lines[0].account.code if document.lines else "200"
    act.books.edit(
        document,
        at=act.at,
        lines=new_lines_of(act, document.line_kind, code),
        on=act.told_day("date"),
        due_date=act.told_day("due_date"),
        reference=act.told("reference"),
        number=act.told("number"),
        is_sent=act.flag("sent", True) if "sent" in act.fields else None,
        expected_payment_date=act.told_day("expected_payment_date"),
        planned_payment_date=act.told_day("planned_payment_date"),
    )
    return changed_document(document)


def _recode(act: Act) -> Changed:
    document = act.books.document(act.text("id"))
    account = act.books.account(act.text("account_code"))
    act.books.recode(document, at=act.at, account=account)
    return changed_document(document)


def _submit(act: Act) -> Changed:
    document = act.books.document(act.text("id"))
    act.books.submit(document, at=act.at)
    return changed_document(document)


def _approve(act: Act) -> Changed:
    document = act.books.document(act.text("id"))
    act.books.approve(document, at=act.at)
    return changed_document(document)


def _void(act: Act) -> Changed:
    document = act.books.document(act.text("id"))
    act.books.void(document, at=act.at)
    return changed_document(document)


def _delete_draft(act: Act) -> Changed:
    document = act.books.document(act.text("id"))
    act.books.delete_draft(document, at=act.at)
    return changed_document(document)


def _allocate(act: Act) -> Changed:
    credit = act.books.document(act.text("id"))
    invoice = act.books.document(act.text("invoice_id"))
    amount = act.amount("amount", min(credit.due, invoice.due))
    act.books.allocate(credit, invoice, amount=amount, at=act.at, ids=act.ids)
    return changed_document(credit)


def _remove_allocation(act: Act) -> Changed:
    key = act.text("id")
    allocation = found(act.books.allocations.get(key), "allocation", key)
    act.books.remove_allocation(allocation, at=act.at)
    return changed_document(allocation.credit)


DEEDS: Mapping[str, Deed] = {
    "create_invoice": (_create_invoice, _FIELDS),
    "create_credit_note": (_create_credit_note, _FIELDS),
    "edit_invoice": (_edit_invoice, ID | _EDITS),
    "recode": (_recode, ID | {"account_code"}),
    "submit": (_submit, ID),
    "approve": (_approve, ID),
    "void": (_void, ID),
    "delete_draft": (_delete_draft, ID),
    "allocate": (_allocate, ID | {"invoice_id", "amount"}),
    "remove_allocation": (_remove_allocation, ID),
}
