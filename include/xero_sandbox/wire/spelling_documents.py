"""How invoices, bills and the three kinds of credit are spelled on the wire.

Knows the JSON of Xero's accounting API, as its published examples and recorded answers show it.
Must not know the ledger, HTTP or how documents come about. Amounts stay decimals.
"""

from __future__ import annotations

from xero_sandbox.books.documents import Allocation, Document
from xero_sandbox.wire.format import iso_date, ms_date
from xero_sandbox.wire.records import Body, Shape
from xero_sandbox.wire.spelling import (
    Surroundings,
    attachments,
    document_kind,
    invoice_stub,
    lines,
    moment_text,
)
from xero_sandbox.wire.spelling_contacts import contact_in

_ID_FIELDS = {
    "CreditNote": "CreditNoteID",
    "Prepayment": "PrepaymentID",
    "Overpayment": "OverpaymentID",
}


def invoice(record: Document, shape: Shape, around: Surroundings) -> Body:
    """Spell an invoice or a bill."""
    is_summary = shape is Shape.SUMMARY
    body: Body = {
        "Type": record.type,
        "InvoiceID": record.document_id,
        "InvoiceNumber": record.number,
        "Reference": record.reference,
    }
    if not is_summary:
        body["Payments"] = _payments(record)
        body |= _credits(record, shape)
    body["AmountDue"] = record.due
    body["AmountPaid"] = record.paid
    body["AmountCredited"] = record.allocated
    if record.is_receivable:
        body["SentToContact"] = record.is_sent
    body["CurrencyRate"] = record.rate
    body["IsDiscounted"] = any(each.discount_rate for each in record.lines)
    if not is_summary:
        body |= _attached("Invoices", record.document_id, shape=shape, around=around)
    body["HasErrors"] = False
    if record.repeating_id:
        body["RepeatingInvoiceID"] = record.repeating_id
    body["Contact"] = contact_in(record.contact, shape, around)
    body["DateString"] = iso_date(record.on)
    body["Date"] = ms_date(record.on)
    body["DueDateString"] = iso_date(record.due_date)
    body["DueDate"] = ms_date(record.due_date)
    if record.expected_payment_date:
        body["ExpectedPaymentDate"] = ms_date(record.expected_payment_date)
    if record.planned_payment_date:
        body["PlannedPaymentDate"] = ms_date(record.planned_payment_date)
    if record.is_receivable and around.theme_id:
        body["BrandingThemeID"] = around.theme_id
    body["Status"] = record.status
    body["LineAmountTypes"] = record.line_kind
    body["LineItems"] = lines(record.lines, shape)
    body |= _totals(record)
    if shape.is_one:
        # Of August 2026; no list has them. Past a draft, what was entered is the total.
        body["RoundingAmount"] = record.rounding
        body["EnteredTotal"] = record.total
    return body


def credit_note(record: Document, shape: Shape, around: Surroundings) -> Body:
    """Spell a credit note of either side."""
    body: Body = {
        "CreditNoteID": record.document_id,
        "CreditNoteNumber": record.number,
        "Payments": _payments(record),
        "ID": record.document_id,
        "CurrencyRate": record.rate,
        "Type": record.type,
        "Reference": record.reference,
        "RemainingCredit": record.due,
        "Allocations": [_allocation(allocation) for allocation in record.allocations],
    }
    body |= _attached("CreditNotes", record.document_id, shape=shape, around=around)
    body["HasErrors"] = False
    body["SentToContact"] = record.is_sent
    body["Contact"] = contact_in(record.contact, shape, around)
    body["DateString"] = iso_date(record.on)
    body["Date"] = ms_date(record.on)
    body["DueDateString"] = iso_date(record.due_date)
    body["DueDate"] = ms_date(record.due_date)
    body["Status"] = record.status
    body["LineAmountTypes"] = record.line_kind
    body["LineItems"] = lines(record.lines, shape)
    return body | _totals(record)


def prepayment(record: Document, shape: Shape, around: Surroundings) -> Body:
    """Spell a prepayment; one received has the number of the invoice it was asked for with."""
    return _prepaid("PrepaymentID", record, shape=shape, around=around)


def overpayment(record: Document, shape: Shape, around: Surroundings) -> Body:
    """Spell an overpayment."""
    return _prepaid("OverpaymentID", record, shape=shape, around=around)


def _prepaid(id_field: str, record: Document, *, shape: Shape, around: Surroundings) -> Body:
    body: Body = {id_field: record.document_id, "ID": record.document_id}
    if record.rate != 1 or shape.is_one:
        body["CurrencyRate"] = record.rate
    body["Type"] = record.type
    is_prepayment = id_field == "PrepaymentID"
    if is_prepayment and record.is_receivable and around.theme_id:
        body["BrandingThemeID"] = around.theme_id
    body["Reference"] = record.reference
    if is_prepayment and record.number:
        body["InvoiceNumber"] = record.number
    body["RemainingCredit"] = record.due
    body["Allocations"] = [_allocation(allocation) for allocation in record.allocations]
    body["Payments"] = _payments(record)
    # The published examples name a bank transaction here, and the credit's own id.
    body |= _attached("banktransaction", record.document_id, shape=shape, around=around)
    body["Contact"] = contact_in(record.contact, shape, around)
    body["DateString"] = iso_date(record.on)
    body["Date"] = ms_date(record.on)
    body["Status"] = record.status
    body["LineAmountTypes"] = record.line_kind
    body["LineItems"] = lines(record.lines, shape)
    return body | _totals(record)


def _totals(record: Document) -> Body:
    body: Body = {
        "SubTotal": record.sub_total,
        "TotalTax": record.total_tax,
        "Total": record.total,
        "UpdatedDateUTC": ms_date(record.updated_at),
        "UpdatedDateUTCString": moment_text(record.updated_at),
        "CurrencyCode": record.currency,
    }
    if record.fully_paid_on and document_kind(record) in ("Invoice", "CreditNote"):
        body["FullyPaidOnDate"] = ms_date(record.fully_paid_on)
    return body


def _attached(path: str, record_id: str, *, shape: Shape, around: Surroundings) -> Body:
    """The flag, and by id the attachments themselves."""
    has_attachments = record_id in around.attachments
    body: Body = {"HasAttachments": has_attachments}
    if has_attachments and shape.is_one:
        body["Attachments"] = attachments(path, record_id, around)
    return body


def _payments(document: Document) -> list[Body]:
    return [
        {
            "PaymentID": payment.payment_id,
            "Date": ms_date(payment.on),
            "Amount": payment.amount,
            "Reference": payment.reference,
            "CurrencyRate": payment.rate,
            "HasAccount": False,
            "HasValidationErrors": False,
        }
        for payment in document.payments
        if payment.status != "DELETED"
    ]


def _credits(record: Document, shape: Shape) -> Body:
    """The credits applied to an invoice, each kind in its own array."""
    body: Body = {"CreditNotes": [], "Prepayments": [], "Overpayments": []}
    for allocation in record.allocations:
        kind = document_kind(allocation.credit)
        body[f"{kind}s"].append(_credit(kind, allocation, shape))
    return body


def _credit(kind: str, allocation: Allocation, shape: Shape) -> Body:
    """A list dates it with the credit itself, an invoice by id with the allocation."""
    credit = allocation.credit
    on = allocation.on if shape.is_one else credit.on
    body: Body = {_ID_FIELDS[kind]: credit.document_id}
    if kind == "CreditNote":
        body["CreditNoteNumber"] = credit.number
    return body | {
        "ID": credit.document_id,
        "HasErrors": False,
        "AppliedAmount": allocation.amount,
        "DateString": iso_date(on),
        "Date": ms_date(on),
        "LineItems": [],
        "Total": credit.total,
    }


def _allocation(allocation: Allocation) -> Body:
    invoice_inside = invoice_stub(allocation.invoice, InvoiceNumber=allocation.invoice.number)
    invoice_inside["ValidationErrors"] = []
    return {
        "AllocationID": allocation.allocation_id,
        "Amount": allocation.amount,
        "Date": ms_date(allocation.on),
        "Invoice": invoice_inside,
        "IsDeleted": False,
    }
