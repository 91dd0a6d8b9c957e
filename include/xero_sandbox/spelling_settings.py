"""How contacts and settings are spelled on the wire: accounts, tax rates, the organisation.

Knows the JSON of Xero's accounting API, as its published examples and recorded answers show it.
Must not know the ledger, HTTP or how records come about. Amounts stay decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from xero_sandbox.chart import TaxRate
from xero_sandbox.documents import Contact
from xero_sandbox.ledger import Account
from xero_sandbox.money import ZERO, places
from xero_sandbox.records import Body, Shape
from xero_sandbox.wire import ms_date

_PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")


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


def tax_rate(record: TaxRate, _: Shape) -> Body:
    """Spell a tax rate; its key is the TaxType, it has no id."""
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
