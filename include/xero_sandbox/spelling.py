"""How each record is spelled on the wire: Xero's key names, their order and nested stubs.

Knows the JSON of Xero's accounting API, as its published examples and recorded answers show it.
Must not know the ledger, HTTP or how documents come about. Amounts stay decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from xero_sandbox.documents import (
    Allocation,
    BankTransaction,
    Contact,
    Document,
    Line,
    Payment,
)
from xero_sandbox.ledger import Account
from xero_sandbox.money import ZERO, places
from xero_sandbox.records import Body, Shape
from xero_sandbox.wire import iso_date, ms_date

PAYMENT_TYPES = {
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
}
_PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")


def _moment_text(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def account(record: Account, _: Shape) -> Body:
    """Spell an account; empty fields are left out, as Xero does."""
    body: Body = {
        "AccountID": record.account_id,
        "Code": record.code,
        "Name": record.name,
        "Status": record.status,
        "Type": record.type,
        "TaxType": record.tax_type,
    }
    if record.description:
        body["Description"] = record.description
    body["Class"] = record.account_class
    if record.system:
        body["SystemAccount"] = record.system
    body["EnablePaymentsToAccount"] = record.takes_payments
    body["ShowInExpenseClaims"] = False
    if record.type == "BANK":
        body["BankAccountNumber"] = record.bank_account_number
        body["BankAccountType"] = "BANK"
        body["CurrencyCode"] = record.currency
    body["ReportingCode"] = _REPORTING_CODES.get(record.account_class, "")
    body["HasAttachments"] = False
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["AddToWatchlist"] = record.system == "DEBTORS"
    return body


_REPORTING_CODES = {
    "ASSET": "ASS",
    "LIABILITY": "LIA",
    "EQUITY": "EQU",
    "REVENUE": "REV",
    "EXPENSE": "EXP",
}


def contact_stub(record: Contact) -> Body:
    """Spell a contact as it stands inside a document of a list or a page."""
    return {
        "ContactID": record.contact_id,
        "Name": record.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def contact_inside(record: Contact) -> Body:
    """Spell a contact as it stands inside a document that was asked for by its id."""
    body: Body = {"ContactID": record.contact_id, "ContactStatus": record.status}
    body["Name"] = record.name
    if record.first_name:
        body["FirstName"] = record.first_name
        body["LastName"] = record.last_name
    body["EmailAddress"] = record.email
    body["BankAccountDetails"] = ""
    body["Addresses"] = _addresses(record)
    body["Phones"] = _phones(record)
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["ContactGroups"] = []
    body["IsSupplier"] = record.is_supplier
    body["IsCustomer"] = record.is_customer
    if record.currency:
        body["DefaultCurrency"] = record.currency
    body["SalesTrackingCategories"] = []
    body["PurchasesTrackingCategories"] = []
    body["ContactPersons"] = []
    body["HasValidationErrors"] = False
    return body


def contact(record: Contact, shape: Shape, *, balances: Body | None) -> Body:
    """Spell a contact; `balances` only where Xero computes them (a page, by id)."""
    body: Body = {"ContactID": record.contact_id}
    if record.account_number:
        body["AccountNumber"] = record.account_number
    body["ContactStatus"] = record.status
    body["Name"] = record.name
    if record.first_name:
        body["FirstName"] = record.first_name
        body["LastName"] = record.last_name
    body["EmailAddress"] = record.email
    body["BankAccountDetails"] = ""
    if record.tax_number:
        body["TaxNumber"] = record.tax_number
    if shape is not Shape.SUMMARY:
        body["Addresses"] = _addresses(record)
        body["Phones"] = _phones(record)
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["ContactGroups"] = []
    body["IsSupplier"] = record.is_supplier
    body["IsCustomer"] = record.is_customer
    if record.currency:
        body["DefaultCurrency"] = record.currency
    if balances is not None:
        body["Balances"] = balances
    if shape is not Shape.SUMMARY:
        body["ContactPersons"] = []
        body["HasAttachments"] = False
    body["HasValidationErrors"] = False
    return body


def balances(record: Contact, today: date) -> Body | None:
    """Spell what a contact owes and is owed, in the documents' currencies; None when nothing."""
    if not record.open_documents:
        return None
    sides = {True: [ZERO, ZERO], False: [ZERO, ZERO]}
    for document in record.open_documents.values():
        amount = -document.due if document.is_credit else document.due
        sides[document.is_receivable][0] += amount
        if document.due_date < today and not document.is_credit:
            sides[document.is_receivable][1] += amount
    return {
        key: {"Outstanding": sides[side][0], "Overdue": sides[side][1]}
        for key, side in (("AccountsReceivable", True), ("AccountsPayable", False))
    }


def _addresses(record: Contact) -> list[Body]:
    street: Body = {"AddressType": "STREET", "City": "", "Region": "", "PostalCode": ""}
    street["Country"] = ""
    pobox: Body = {"AddressType": "POBOX"}
    if record.city:
        pobox["AddressLine1"] = f"P O Box {int(record.contact_id[:4], 16)}"
    pobox["City"] = record.city
    pobox["Region"] = ""
    pobox["PostalCode"] = record.contact_id[:4].upper() if record.city else ""
    pobox["Country"] = record.country
    return [street, pobox]


def _phones(record: Contact) -> list[Body]:
    return [
        {
            "PhoneType": kind,
            "PhoneNumber": record.phone if kind == "DEFAULT" else "",
            "PhoneAreaCode": "",
            "PhoneCountryCode": "",
        }
        for kind in _PHONE_TYPES
    ]


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


def _lines(
    lines: tuple[Line, ...], shape: Shape, *, with_account_id: bool = False
) -> list[Body]:
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
            "Date": ms_date(payment.date),
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
        "DateString": iso_date(allocation.date),
        "Date": ms_date(allocation.date),
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
    body["DateString"] = iso_date(record.date)
    body["Date"] = ms_date(record.date)
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
        "DateString": iso_date(record.date),
        "Date": ms_date(record.date),
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
        "Date": ms_date(allocation.date),
        "Invoice": invoice_stub,
        "IsDeleted": False,
    }


def payment(record: Payment, _: Shape) -> Body:
    """Spell a payment or refund; the document inside is a stub whose empty lists mean nothing."""
    document = record.document
    bank: Body = {"AccountID": record.account.account_id, "Code": record.account.code}
    return {
        "PaymentID": record.payment_id,
        "Date": ms_date(record.date),
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
    body["DateString"] = iso_date(record.date)
    body["Date"] = ms_date(record.date)
    body["Status"] = record.status
    body["LineAmountTypes"] = record.line_kind
    body["LineItems"] = _lines(record.lines, shape, with_account_id=True)
    body["SubTotal"] = record.sub_total
    body["TotalTax"] = record.total_tax
    body["Total"] = record.total
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["CurrencyCode"] = record.currency
    return body


def tax_rate(record: Any, _: Shape) -> Body:
    """Spell a tax rate of `chart.TaxRate`; its key is the TaxType, it has no id."""
    return {
        "Name": record.name,
        "TaxType": record.tax_type,
        "ReportTaxType": record.report_type,
        "CanApplyToAssets": record.on_expenses or record.on_revenue,
        "CanApplyToEquity": record.on_expenses or record.on_revenue,
        "CanApplyToExpenses": record.on_expenses,
        "CanApplyToLiabilities": record.on_expenses or record.on_revenue,
        "CanApplyToRevenue": record.on_revenue,
        "DisplayTaxRate": places(record.rate, 4),
        "EffectiveRate": places(record.rate, 4),
        "Status": "ACTIVE",
        "TaxComponents": [
            {
                "Name": name,
                "Rate": places(rate, 4),
                "IsCompound": False,
                "IsNonRecoverable": False,
            }
            for name, rate in record.components
        ],
    }


def organisation(fields: Mapping[str, Any]) -> Body:
    """Spell an organisation: `fields` in Xero's names, dates and moments still as Python's."""
    return {
        key: ms_date(value) if isinstance(value, date) else value for key, value in fields.items()
    }
