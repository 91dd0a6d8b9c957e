"""How contacts and their groups are spelled on the wire, alone and inside documents.

Knows the JSON of Xero's accounting API, as its published examples and recorded answers show it.
Must not know the ledger, HTTP or how contacts come about. Amounts stay decimals.
"""

from __future__ import annotations

from datetime import date

from xero_sandbox.books.documents import Contact
from xero_sandbox.books.money import ZERO
from xero_sandbox.books.paper_records import ContactGroup
from xero_sandbox.wire.format import ms_date
from xero_sandbox.wire.records import Body, Shape
from xero_sandbox.wire.spelling import Surroundings, attachments

_PHONE_TYPES = ("DDI", "DEFAULT", "FAX", "MOBILE")


def contact_stub(record: Contact) -> Body:
    """Spell a contact as it stands inside a document of a list or a page."""
    return _identity(record) | {
        "Name": record.name,
        "Addresses": [],
        "Phones": [],
        "ContactGroups": [],
        "ContactPersons": [],
        "HasValidationErrors": False,
    }


def _identity(record: Contact) -> Body:
    if record.contact_number:
        return {"ContactID": record.contact_id, "ContactNumber": record.contact_number}
    return {"ContactID": record.contact_id}


def contact_in(record: Contact, shape: Shape, around: Surroundings) -> Body:
    """Spell a contact inside a document: whole where the document was asked for by its id."""
    return contact_inside(record, around) if shape.is_one else contact_stub(record)


def contact_inside(record: Contact, around: Surroundings) -> Body:
    """Spell a contact as it stands inside a document that was asked for by its id."""
    body = _identity(record) | {"ContactStatus": record.status}
    body |= _names(record)
    body["Addresses"] = _addresses(record)
    body["Phones"] = _phones(record)
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["ContactGroups"] = _groups(record, around)
    body["IsSupplier"] = record.is_supplier
    body["IsCustomer"] = record.is_customer
    if record.currency:
        body["DefaultCurrency"] = record.currency
    body["SalesTrackingCategories"] = []
    body["PurchasesTrackingCategories"] = []
    body["ContactPersons"] = _persons(record)
    body["HasValidationErrors"] = False
    return body


def contact(record: Contact, shape: Shape, around: Surroundings) -> Body:
    """Spell a contact; balances only where Xero computes them (a page, by id)."""
    body: Body = {"ContactID": record.contact_id}
    if record.merged_to and not shape.is_light:
        body["MergedToContactID"] = record.merged_to
    if record.contact_number:
        body["ContactNumber"] = record.contact_number
    if record.account_number:
        body["AccountNumber"] = record.account_number
    body["ContactStatus"] = record.status
    body |= _names(record)
    if record.tax_number:
        body["TaxNumber"] = record.tax_number
    if shape is not Shape.SUMMARY:
        body["Addresses"] = _addresses(record)
        body["Phones"] = _phones(record)
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["ContactGroups"] = _groups(record, around)
    body["IsSupplier"] = record.is_supplier
    body["IsCustomer"] = record.is_customer
    if record.currency:
        body["DefaultCurrency"] = record.currency
    if not shape.is_light:
        body |= _computed(record, around.today)
    if shape is not Shape.SUMMARY:
        body["ContactPersons"] = [] if shape.is_light else _persons(record)
        body["HasAttachments"] = record.contact_id in around.attachments
    if shape.is_one:
        body |= _details(record, around)
    body["HasValidationErrors"] = False
    return body


def _computed(record: Contact, today: date) -> Body:
    """What a page and a contact by id tell beyond a list."""
    body: Body = {}
    owed = balances(record, today)
    if owed is not None:
        body["Balances"] = owed
    sides = (("Bills", record.bill_terms), ("Sales", record.sales_terms))
    terms = {side: {"Day": term.day, "Type": term.type} for side, term in sides if term}
    if terms:
        body["PaymentTerms"] = terms
    return body


def _persons(record: Contact) -> list[Body]:
    return [
        {
            "FirstName": person.first_name,
            "LastName": person.last_name,
            "EmailAddress": person.email,
            "IncludeInEmails": person.include_in_emails,
        }
        for person in record.persons
    ]


def _details(record: Contact, around: Surroundings) -> Body:
    """What is sent of a contact only by its id."""
    body: Body = {"SalesTrackingCategories": [], "PurchasesTrackingCategories": []}
    if record.contact_id in around.attachments:
        body["Attachments"] = attachments("Contacts", record.contact_id, around)
    return body


def _names(record: Contact) -> Body:
    body: Body = {"Name": record.name}
    if record.first_name:
        body["FirstName"] = record.first_name
        body["LastName"] = record.last_name
    body["EmailAddress"] = record.email
    body["BankAccountDetails"] = record.bank_account_details
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


def _groups(record: Contact, around: Surroundings) -> list[Body]:
    groups = around.groups.get(record.contact_id, {}).values()
    return [_group(each, []) for each in groups if each.status == "ACTIVE"]


def contact_group(record: ContactGroup, shape: Shape, _: Surroundings) -> Body:
    """Spell a group; its members only where it was asked for by its id."""
    members = record.contacts if shape.is_one else ()
    return _group(record, [contact_stub(each) for each in members])


def _group(record: ContactGroup, members: list[Body]) -> Body:
    return {
        "ContactGroupID": record.group_id,
        "Name": record.name,
        "Status": record.status,
        "Contacts": members,
        "HasValidationErrors": False,
    }
