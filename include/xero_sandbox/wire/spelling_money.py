"""How money is spelled on the wire: payments, batches, bank transactions and transfers.

Knows the JSON of Xero's accounting API, as its published examples and recorded answers show it.
Must not know the ledger, HTTP or how money comes about. Amounts stay decimals.
"""

from __future__ import annotations

from xero_sandbox.books.documents import (
    PAYMENT_TYPES,
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Document,
    Payment,
)
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import cents
from xero_sandbox.wire.format import iso_date, ms_date
from xero_sandbox.wire.records import Body, Shape
from xero_sandbox.wire.spelling import (
    Surroundings,
    attachments,
    document_kind,
    invoice_stub,
    lines,
    moment_text,
    tracking,
)
from xero_sandbox.wire.spelling_contacts import contact_in, contact_stub
from xero_sandbox.wire.spelling_documents import invoice


def payment(record: Payment, shape: Shape, around: Surroundings) -> Body:
    """Spell a payment or refund; the document inside is a stub whose empty lists mean nothing."""
    document = record.document
    bank = _bank(record.account)
    if not shape.is_one:
        del bank["Name"]
    body: Body = {"PaymentID": record.payment_id}
    if record.batch is not None:
        body["BatchPaymentID"] = record.batch.batch_id
        body["BatchPayment"] = _batch_inside(record.batch)
    body |= {
        "Date": ms_date(record.on),
        "BankAmount": record.bank_amount,
        "Amount": record.amount,
        "Reference": record.reference,
        "CurrencyRate": record.rate,
        "PaymentType": PAYMENT_TYPES[document.type],
        "Status": record.status,
        "UpdatedDateUTC": ms_date(record.updated_at),
        "UpdatedDateUTCString": moment_text(record.updated_at),
        "HasAccount": True,
        "IsReconciled": record.is_reconciled,
        "Account": bank,
    }
    body[document_kind(document)] = _paid(document, shape, around)
    body["HasValidationErrors"] = False
    return body


def _paid(document: Document, shape: Shape, around: Surroundings) -> Body:
    """The document inside its payment: whole where the payment was asked for by its id."""
    kind = document_kind(document)
    if kind != "Invoice":
        return _refunded(kind, document)
    if shape.is_one:
        return invoice(document, Shape.PAGE, around)
    body: Body = {"Type": document.type}
    body |= invoice_stub(document, InvoiceNumber=document.number)
    del body["LineItems"]
    body["Contact"] = contact_stub(document.contact)
    body["LineItems"] = []
    body["CurrencyCode"] = document.currency
    return body


def _refunded(kind: str, document: Document) -> Body:
    body: Body = {f"{kind}ID": document.document_id}
    if kind == "CreditNote":
        body["CreditNoteNumber"] = document.number
    return body | {
        "ID": document.document_id,
        "Type": document.type,
        "HasErrors": False,
        "Contact": contact_stub(document.contact),
        "LineItems": [],
        "CurrencyCode": document.currency,
    }


def _batch_inside(record: BatchPayment) -> Body:
    """A batch inside one of its payments.

    The published example has texts for the amount and the flag; Xero corrected the specification
    to what its API sends (XeroAPI/Xero-OpenAPI#526), and its SDKs refuse texts.
    """
    return {
        "Account": {"AccountID": record.account.account_id},
        "BatchPaymentID": record.batch_id,
        "Date": ms_date(record.on),
        "Type": record.type,
        "Status": record.status,
        "TotalAmount": record.total,
        "UpdatedDateUTC": ms_date(record.updated_at),
        "IsReconciled": record.is_reconciled,
    }


def batch_payment(record: BatchPayment, _: Shape, __: Surroundings) -> Body:
    """Spell a batch; its payments are stubs."""
    account: Body = {"AccountID": record.account.account_id}
    if record.account.currency:
        account["CurrencyCode"] = record.account.currency
    body: Body = {"Account": account}
    if record.reference:
        body["Reference"] = record.reference
    return body | {
        "BatchPaymentID": record.batch_id,
        "DateString": iso_date(record.on),
        "Date": ms_date(record.on),
        "Payments": [_batched(each) for each in record.payments],
        "Type": record.type,
        "Status": record.status,
        "TotalAmount": record.total,
        "UpdatedDateUTC": ms_date(record.updated_at),
        "IsReconciled": record.is_reconciled,
    }


def _batched(record: Payment) -> Body:
    stub = invoice_stub(record.document, CurrencyCode=record.document.currency)
    body: Body = {"Invoice": stub, "PaymentID": record.payment_id}
    if record.reference:
        body["Reference"] = record.reference
    return body | {"Amount": record.amount, "BankAmount": record.bank_amount}


def bank_transaction(record: BankTransaction, shape: Shape, around: Surroundings) -> Body:
    """Spell money received or spent, and each leg of a transfer, which has no contact."""
    body: Body = {
        "BankTransactionID": record.transaction_id,
        "BankAccount": _bank(record.account),
        "Type": record.type,
        "Reference": record.reference,
        "IsReconciled": record.is_reconciled,
    }
    if record.rate != 1 or shape.is_one:
        body["CurrencyRate"] = record.rate
    if record.credit is not None:
        body[f"{document_kind(record.credit)}ID"] = record.credit.document_id
    body["HasAttachments"] = record.transaction_id in around.attachments
    if body["HasAttachments"] and shape.is_one:
        body["Attachments"] = attachments("banktransaction", record.transaction_id, around)
    if record.contact is not None:
        body["Contact"] = contact_in(record.contact, shape, around)
    body["DateString"] = iso_date(record.on)
    body["Date"] = ms_date(record.on)
    body["Status"] = record.status
    body["LineAmountTypes"] = record.line_kind
    body["LineItems"] = lines(record.lines, shape, with_account_id=True)
    body["SubTotal"] = record.sub_total
    body["TotalTax"] = record.total_tax
    body["Total"] = record.total
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["CurrencyCode"] = record.currency
    return body


def bank_transfer(record: BankTransfer, shape: Shape, around: Surroundings) -> Body:
    """Spell a transfer: it has no UpdatedDateUTC."""
    body: Body = {
        "BankTransferID": record.transfer_id,
        "CreatedDateUTCString": moment_text(record.created_at).removesuffix("Z"),
        "CreatedDateUTC": ms_date(record.created_at),
        "DateString": iso_date(record.on),
        "Date": ms_date(record.on),
        "Status": record.status,
        "FromBankAccount": _bank(record.from_account),
        "ToBankAccount": _bank(record.to_account),
        "Amount": cents(record.amount),
    }
    if record.from_leg is not None and record.to_leg is not None:
        body["FromBankTransactionID"] = record.from_leg.transaction_id
        body["ToBankTransactionID"] = record.to_leg.transaction_id
    body["FromIsReconciled"] = record.from_is_reconciled
    body["ToIsReconciled"] = record.to_is_reconciled
    body["Reference"] = record.reference
    body["CurrencyRate"] = record.rate
    body["HasAttachments"] = record.transfer_id in around.attachments
    body["FromTracking"] = tracking(record.tracking)
    body["ToTracking"] = tracking(record.tracking)
    if body["HasAttachments"] and shape.is_one:
        body["Attachments"] = attachments("banktransfer", record.transfer_id, around)
    return body


def _bank(record: Account) -> Body:
    return {"AccountID": record.account_id, "Code": record.code, "Name": record.name}
