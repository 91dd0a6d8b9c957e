"""How documents and money are spelled on the wire: key names, their order, nested stubs.

Knows the JSON of Xero's accounting API, as its published examples and recorded answers show it.
Must not know the ledger, HTTP or how documents come about. Amounts stay decimals.
"""

from __future__ import annotations

from datetime import UTC, datetime

from xero_sandbox.documents import (
    Allocation,
    BankTransaction,
    Contact,
    Document,
    Line,
    Payment,
)
from xero_sandbox.money import places
from xero_sandbox.records import Body, Shape
from xero_sandbox.spelling_settings import contact_inside, contact_stub
from xero_sandbox.wire import iso_date, ms_date

PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}


def _moment_text(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def line(record: Line, shape: Shape, *, with_account_id: bool = False) -> Body:
    """Spell a line; unit prices have four decimals only where `unitdp=4` asked for them."""
    body: Body = {}
    if record.item_code:
        body["ItemCode"] = record.item_code
    body["Description"] = record.description
    decimals = 4 if shape in (Shape.PAGE4, Shape.ONE4) else 2
    body["UnitAmount"] = places(record.price, decimals)
    body["TaxType"] = record.tax_type
    body["TaxAmount"] = record.tax
    body["LineAmount"] = record.amount
    body["AccountCode"] = record.account.code
    body["Tracking"] = []
    body["Quantity"] = places(record.quantity, 4)
    if record.discount_rate:
        body["DiscountRate"] = record.discount_rate
    body["LineItemID"] = record.line_id
    if with_account_id:
        body["AccountID"] = record.account.account_id
    return body


def _lines(lines: tuple[Line, ...], shape: Shape, *, with_account_id: bool = False) -> list[Body]:
    if shape in (Shape.LIST, Shape.SUMMARY):
        return []
    return [line(each, shape, with_account_id=with_account_id) for each in lines]


def _contact_in(record: Contact, shape: Shape) -> Body:
    by_id = shape in (Shape.ONE, Shape.ONE4)
    return contact_inside(record) if by_id else contact_stub(record)


def _payments_in(document: Document) -> list[Body]:
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


def _credit_in(allocation: Allocation) -> Body:
    credit = allocation.credit
    return {
        "CreditNoteID": credit.document_id,
        "CreditNoteNumber": credit.number,
        "ID": credit.document_id,
        "HasErrors": False,
        "AppliedAmount": allocation.amount,
        "DateString": iso_date(allocation.on),
        "Date": ms_date(allocation.on),
        "LineItems": [],
        "Total": credit.total,
    }


def invoice(record: Document, shape: Shape) -> Body:
    """Spell an invoice or a bill."""
    is_summary = shape is Shape.SUMMARY
    body: Body = {
        "Type": record.type,
        "InvoiceID": record.document_id,
        "InvoiceNumber": record.number,
        "Reference": record.reference,
    }
    if not is_summary:
        body["Payments"] = _payments_in(record)
        body["CreditNotes"] = [_credit_in(allocation) for allocation in record.allocations]
        body["Prepayments"] = []
        body["Overpayments"] = []
    body["AmountDue"] = record.due
    body["AmountPaid"] = record.paid
    body["AmountCredited"] = record.allocated
    if record.is_receivable:
        body["SentToContact"] = record.is_sent
    body["CurrencyRate"] = record.rate
    body["IsDiscounted"] = any(each.discount_rate for each in record.lines)
    if not is_summary:
        body["HasAttachments"] = False
    body["HasErrors"] = False
    body["Contact"] = _contact_in(record.contact, shape)
    body["DateString"] = iso_date(record.on)
    body["Date"] = ms_date(record.on)
    body["DueDateString"] = iso_date(record.due_date)
    body["DueDate"] = ms_date(record.due_date)
    if record.expected_payment_date:
        body["ExpectedPaymentDate"] = ms_date(record.expected_payment_date)
    if record.planned_payment_date:
        body["PlannedPaymentDate"] = ms_date(record.planned_payment_date)
    body["Status"] = record.status
    body["LineAmountTypes"] = record.line_kind
    body["LineItems"] = _lines(record.lines, shape)
    return body | _totals(record)


def _totals(record: Document) -> Body:
    body: Body = {
        "SubTotal": record.sub_total,
        "TotalTax": record.total_tax,
        "Total": record.total,
        "UpdatedDateUTC": ms_date(record.updated_at),
        "UpdatedDateUTCString": _moment_text(record.updated_at),
        "CurrencyCode": record.currency,
    }
    if record.fully_paid_on:
        body["FullyPaidOnDate"] = ms_date(record.fully_paid_on)
    return body


def credit_note(record: Document, shape: Shape) -> Body:
    """Spell a credit note of either side."""
    body: Body = {
        "CreditNoteID": record.document_id,
        "CreditNoteNumber": record.number,
        "Payments": _payments_in(record),
        "ID": record.document_id,
        "CurrencyRate": record.rate,
        "Type": record.type,
        "Reference": record.reference,
        "RemainingCredit": record.due,
        "Allocations": [_allocation_in(allocation) for allocation in record.allocations],
        "HasAttachments": False,
        "HasErrors": False,
        "SentToContact": record.is_sent,
        "Contact": _contact_in(record.contact, shape),
        "DateString": iso_date(record.on),
        "Date": ms_date(record.on),
        "Status": record.status,
        "LineAmountTypes": record.line_kind,
        "LineItems": _lines(record.lines, shape),
    }
    return body | _totals(record)


def _allocation_in(allocation: Allocation) -> Body:
    invoice_stub: Body = {
        "InvoiceID": allocation.invoice.document_id,
        "InvoiceNumber": allocation.invoice.number,
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "HasErrors": False,
        "IsDiscounted": False,
        "LineItems": [],
        "ValidationErrors": [],
    }
    return {
        "AllocationID": allocation.allocation_id,
        "Amount": allocation.amount,
        "Date": ms_date(allocation.on),
        "Invoice": invoice_stub,
        "IsDeleted": False,
    }


def payment(record: Payment, _: Shape) -> Body:
    """Spell a payment or refund; the document inside is a stub whose empty lists mean nothing."""
    document = record.document
    bank: Body = {"AccountID": record.account.account_id, "Code": record.account.code}
    return {
        "PaymentID": record.payment_id,
        "Date": ms_date(record.on),
        "BankAmount": record.bank_amount,
        "Amount": record.amount,
        "Reference": record.reference,
        "CurrencyRate": record.rate,
        "PaymentType": PAYMENT_TYPES[document.type],
        "Status": record.status,
        "UpdatedDateUTC": ms_date(record.updated_at),
        "UpdatedDateUTCString": _moment_text(record.updated_at),
        "HasAccount": True,
        "IsReconciled": record.is_reconciled,
        "Account": bank,
        "Invoice": {
            "Type": document.type,
            "InvoiceID": document.document_id,
            "InvoiceNumber": document.number,
            "Payments": [],
            "CreditNotes": [],
            "Prepayments": [],
            "Overpayments": [],
            "HasErrors": False,
            "IsDiscounted": False,
            "Contact": contact_stub(document.contact),
            "LineItems": [],
            "CurrencyCode": document.currency,
        },
        "HasValidationErrors": False,
    }


def bank_transaction(record: BankTransaction, shape: Shape) -> Body:
    """Spell money received or spent."""
    body: Body = {
        "BankTransactionID": record.transaction_id,
        "BankAccount": {
            "AccountID": record.account.account_id,
            "Code": record.account.code,
            "Name": record.account.name,
        },
        "Type": record.type,
        "Reference": record.reference,
        "IsReconciled": record.is_reconciled,
    }
    if record.rate != 1 or shape in (Shape.ONE, Shape.ONE4):
        body["CurrencyRate"] = record.rate
    body["HasAttachments"] = False
    body["Contact"] = _contact_in(record.contact, shape)
    body["DateString"] = iso_date(record.on)
    body["Date"] = ms_date(record.on)
    body["Status"] = record.status
    body["LineAmountTypes"] = record.line_kind
    body["LineItems"] = _lines(record.lines, shape, with_account_id=True)
    body["SubTotal"] = record.sub_total
    body["TotalTax"] = record.total_tax
    body["Total"] = record.total
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["CurrencyCode"] = record.currency
    return body
