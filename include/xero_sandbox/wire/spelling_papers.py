"""How papers that post nothing are spelled on the wire, and manual journals.

Quotes, purchase orders, templates, links of billable expenses, budgets. Knows the JSON of Xero's
accounting API, as its published examples show it. Must not know the ledger, HTTP or how papers
come about. Amounts stay decimals.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from xero_sandbox.books.documents import JournalLine, Line, ManualJournal, totals
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ZERO, places
from xero_sandbox.books.paper_records import (
    Budget,
    LinkedTransaction,
    PurchaseOrder,
    Quote,
    RepeatingInvoice,
)
from xero_sandbox.wire.format import iso_date, ms_date, ms_date_bare
from xero_sandbox.wire.records import Body, Shape
from xero_sandbox.wire.spelling import (
    Surroundings,
    attachments,
    discount_of,
    line,
    lines,
    tracking,
    tracking_of_line,
)
from xero_sandbox.wire.spelling_contacts import contact_inside, contact_stub

_SENDING = ("ApprovedForSending", "SendCopy", "MarkAsSent", "IncludePDF")


def quote(record: Quote, shape: Shape, around: Surroundings) -> Body:
    """Spell a quote: its lines are always there, its dates have no offset, and it shouts."""
    body: Body = {"QuoteID": record.quote_id, "QuoteNumber": record.number}
    if record.reference:
        body["Reference"] = record.reference
    if record.terms:
        body["Terms"] = record.terms
    body["Contact"] = _quoted_contact(record, shape)
    body["LineItems"] = [_quoted_line(each, shape) for each in record.lines]
    body["Date"] = ms_date_bare(record.on)
    body["DateString"] = iso_date(record.on)
    body["ExpiryDate"] = ms_date_bare(record.expiry_date)
    body["ExpiryDateString"] = iso_date(record.expiry_date)
    body["Status"] = record.status
    body["CurrencyRate"] = record.rate
    body["CurrencyCode"] = record.currency
    body |= _sums(record.lines)
    body["TotalDiscount"] = discount_of(record.lines)
    body["Title"] = record.title
    body["Summary"] = record.summary
    if around.theme_id:
        body["BrandingThemeID"] = around.theme_id
    body["UpdatedDateUTC"] = ms_date_bare(record.updated_at)
    body["LineAmountTypes"] = record.line_kind.upper()
    return body


def _quoted_contact(record: Quote, shape: Shape) -> Body:
    body: Body = {"ContactID": record.contact.contact_id, "Name": record.contact.name}
    if shape.is_one:
        body["EmailAddress"] = record.contact.email
        if record.contact.first_name:
            body["FirstName"] = record.contact.first_name
            body["LastName"] = record.contact.last_name
    return body


def _quoted_line(record: Line, shape: Shape) -> Body:
    body: Body = {
        "LineItemID": record.line_id,
        "AccountCode": record.account.code,
        "Description": record.description,
        "UnitAmount": places(record.price, 4 if shape.has_four_decimals else 2),
    }
    if record.discount_rate:
        body["DiscountRate"] = record.discount_rate
    body["LineAmount"] = record.amount
    if record.item_code:
        body["ItemCode"] = record.item_code
    body["Quantity"] = places(record.quantity, 4)
    body["TaxAmount"] = record.tax
    body["TaxType"] = record.tax_type
    body["Tracking"] = tracking(record.tracking)
    return body


def purchase_order(record: PurchaseOrder, shape: Shape, around: Surroundings) -> Body:
    """Spell a purchase order: lines and the whole contact are always there."""
    body: Body = {
        "PurchaseOrderID": record.order_id,
        "PurchaseOrderNumber": record.number,
        "DateString": iso_date(record.on),
        "Date": ms_date(record.on),
    }
    if record.delivery_date:
        body["DeliveryDateString"] = iso_date(record.delivery_date)
        body["DeliveryDate"] = ms_date(record.delivery_date)
    discount = discount_of(record.lines)
    body["HasErrors"] = False
    body["IsDiscounted"] = bool(discount)
    if discount:
        body["TotalDiscount"] = discount
    body["SentToContact"] = record.is_sent
    body["Reference"] = record.reference
    body["Type"] = "PURCHASEORDER"
    body["CurrencyRate"] = record.rate
    body["CurrencyCode"] = record.currency
    body["Contact"] = contact_inside(record.contact, around)
    if around.theme_id:
        body["BrandingThemeID"] = around.theme_id
    body["Status"] = record.status
    body["LineAmountTypes"] = record.line_kind
    body["LineItems"] = [
        line(each, shape) | {"Tracking": tracking_of_line(each.tracking)} for each in record.lines
    ]
    body |= _sums(record.lines)
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["HasAttachments"] = record.order_id in around.attachments
    if body["HasAttachments"] and shape.is_one:
        body["Attachments"] = attachments("PurchaseOrders", record.order_id, around)
    return body


def repeating_invoice(record: RepeatingInvoice, shape: Shape, around: Surroundings) -> Body:
    """Spell a template; its lines are always there."""
    schedule: Body = {
        "Period": record.period,
        "Unit": record.unit,
        "DueDate": record.due_date_days,
        "DueDateType": "DAYSAFTERBILLDATE",
        "StartDate": ms_date(record.start_date),
    }
    if record.end_date:
        schedule["EndDate"] = ms_date(record.end_date)
    schedule["NextScheduledDate"] = ms_date(record.next_date)
    body: Body = {
        "Schedule": schedule,
        "RepeatingInvoiceID": record.repeating_id,
        "Type": record.type,
        "Reference": record.reference,
        "HasAttachments": record.repeating_id in around.attachments,
    }
    if body["HasAttachments"] and shape.is_one:
        body["Attachments"] = attachments("Invoices", record.repeating_id, around)
    if record.type == "ACCREC":
        # What is written for customers is not sent by itself: nothing here sends mail.
        body |= dict.fromkeys(_SENDING, False)
    body["ID"] = record.repeating_id
    body["Contact"] = contact_stub(record.contact)
    body["Status"] = record.status
    body["LineAmountTypes"] = record.line_kind
    # Templates are never paged, and have their lines all the same.
    body["LineItems"] = lines(record.lines, shape if shape.is_one else Shape.PAGE)
    return body | _sums(record.lines) | {"CurrencyCode": record.currency}


def linked_transaction(record: LinkedTransaction, _: Shape, __: Surroundings) -> Body:
    """Spell the link of a billable expense; what it is not linked to yet is left out."""
    body: Body = {
        "LinkedTransactionID": record.link_id,
        "SourceTransactionID": record.source_id,
        "SourceLineItemID": record.source_line_id,
    }
    if record.contact is not None:
        body["ContactID"] = record.contact.contact_id
    if record.target_id:
        body["TargetTransactionID"] = record.target_id
    if record.target_line_id:
        body["TargetLineItemID"] = record.target_line_id
    return body | {
        "Status": record.status,
        "Type": "BILLABLEEXPENSE",
        "UpdatedDateUTC": ms_date(record.updated_at),
        "SourceTransactionTypeCode": record.source_type,
    }


def manual_journal(record: ManualJournal, shape: Shape, around: Surroundings) -> Body:
    """Spell a manual journal; an unpaged list has no lines."""
    body: Body = {
        "Date": ms_date(record.on),
        "Status": record.status,
        "LineAmountTypes": record.line_kind,
        "UpdatedDateUTC": ms_date(record.updated_at),
        "ManualJournalID": record.journal_id,
        "Narration": record.narration,
        "JournalLines": [] if shape.is_light else [_journal_line(each) for each in record.lines],
    }
    if record.url:
        body["Url"] = record.url
    body["ShowOnCashBasisReports"] = record.show_on_cash_basis
    body["HasAttachments"] = record.journal_id in around.attachments
    if body["HasAttachments"] and shape.is_one:
        body["Attachments"] = attachments("manualjournal", record.journal_id, around)
    return body


def _journal_line(record: JournalLine) -> Body:
    return {
        "Description": record.description,
        "TaxType": record.tax_type,
        "TaxAmount": record.tax,
        "LineAmount": record.amount,
        "AccountCode": record.account.code,
        "Tracking": tracking_of_line(record.tracking),
        "AccountID": record.account.account_id,
        "IsBlank": False,
    }


def budget(record: Budget, _: Shape, __: Surroundings) -> Body:
    """Spell a budget as lists have it: without its lines."""
    return {
        "BudgetID": record.budget_id,
        "Status": "APPROVED",
        "Description": record.description,
        "Type": record.type,
        "UpdatedDateUTC": ms_date(record.updated_at),
        "BudgetLines": [],
        "Tracking": tracking(record.tracking),
    }


def budget_lines(
    record: Budget, accounts: dict[str, Account], *, first: date, last: date
) -> list[Body]:
    """Spell the lines of a budget for the months of `first` to `last`."""
    found = []
    for account_id, months in record.amounts.items():
        balances = [
            _budgeted(month, amount)
            for month, amount in sorted(months.items())
            if first.replace(day=1) <= month <= last
        ]
        code = accounts[account_id].code
        found.append({"AccountID": account_id, "AccountCode": code, "BudgetBalances": balances})
    return found


def _budgeted(month: date, amount: Decimal) -> Body:
    return {"Period": f"{month:%Y-%m}", "Amount": amount, "Notes": ""}


def _sums(records: tuple[Line, ...]) -> Body:
    sub_total, total_tax, total = totals(records) if records else (ZERO, ZERO, ZERO)
    return {"SubTotal": sub_total, "TotalTax": total_tax, "Total": total}
