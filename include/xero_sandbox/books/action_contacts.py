"""Actions of the control door on contacts and accounts, and notes and files on any record.

Knows their names and fields. Must not know HTTP, clocks, or what a change posts.

    create_contact      name, email?, currency?
    edit_contact        id, and any of name, email, phone, city, country, status, first_name,
                        last_name, bank_account_details
    archive_contact, forget_contact (a GDPR request)    id
    merge_contact       id, into (id or name of the contact that stays)
    create_contact_group    name, contacts?: [ids]
    create_account      code, name, type? (EXPENSE, …, BANK), tax_type?, currency?
    edit_account        id or code, and any of name, new_code, description, status
    delete_account      id or code: one that nothing was ever posted on
    add_note            id (of any record), details
    attach              id (of any record), file_name?, mime_type?
"""

from __future__ import annotations

from collections.abc import Mapping

from xero_sandbox.books.action_fields import (
    ID,
    Act,
    Changed,
    Deed,
    contact_of,
    require_one_of,
)
from xero_sandbox.books.contacts import Contact
from xero_sandbox.books.ledger import ACCOUNT_TYPES, Account
from xero_sandbox.books.paper_records import Attachment, ContactGroup
from xero_sandbox.books.refusals import BooksError, found

_CONTACT = frozenset(
    (
        "name",
        "email",
        "phone",
        "city",
        "country",
        "status",
        "first_name",
        "last_name",
        "bank_account_details",
    )
)


def _create_contact(act: Act) -> Changed:
    currency = act.text("currency", "")
    if currency:
        require_one_of("currency", currency, act.books.currencies)
    contact = Contact(
        contact_id=act.new_id(),
        name=act.text("name"),
        created_at=act.at,
        updated_at=act.at,
        email=act.text("email", ""),
        currency=currency,
    )
    act.books.add_contact(contact)
    return "Contacts", contact.contact_id


def _edit_contact(act: Act) -> Changed:
    contact = act.books.contact(act.text("id"))
    changes = {name: act.text(name, "") for name in act.fields if name != "id"}
    if not changes:
        raise BooksError("edit_contact needs something to change.")
    act.books.edit_contact(contact, at=act.at, **changes)
    return "Contacts", contact.contact_id


def _archive_contact(act: Act) -> Changed:
    contact = act.books.contact(act.text("id"))
    act.books.edit_contact(contact, at=act.at, status="ARCHIVED")
    return "Contacts", contact.contact_id


def _forget_contact(act: Act) -> Changed:
    contact = act.books.contact(act.text("id"))
    act.books.edit_contact(contact, at=act.at, status="GDPRREQUEST")
    return "Contacts", contact.contact_id


def _merge_contact(act: Act) -> Changed:
    contact = act.books.contact(act.text("id"))
    act.text("into")
    act.books.merge_contact(contact, contact_of(act, "into"), at=act.at)
    return "Contacts", contact.contact_id


def _create_contact_group(act: Act) -> Changed:
    names = act.fields.get("contacts", ())
    if not isinstance(names, list | tuple):
        raise BooksError("The field contacts must be a list of ids.")
    members = [act.books.contact(str(name)) for name in names]
    group = ContactGroup(act.new_id(), act.text("name"), members)
    act.books.add_contact_group(group)
    return "ContactGroups", group.group_id


def _create_account(act: Act) -> Changed:
    kind = act.text("type", "EXPENSE")
    require_one_of("type", kind, ACCOUNT_TYPES)
    is_bank = kind == "BANK"
    account = Account(
        account_id=act.new_id(),
        code=act.text("code"),
        name=act.text("name"),
        type=kind,
        tax_type=act.text("tax_type", act.books.country.no_tax),
        updated_at=act.at,
        currency=act.text("currency", act.books.base_currency) if is_bank else "",
        bank_account_number="0209087654321",
        takes_payments=is_bank,
    )
    act.books.add_account(account)
    return "Accounts", account.account_id


def _account(act: Act) -> Account:
    if "id" in act.fields:
        key = act.text("id")
        return found(act.books.ledger.accounts.get(key), "account", key)
    return act.books.account(act.text("code"))


def _edit_account(act: Act) -> Changed:
    account = _account(act)
    names = {"name": "name", "new_code": "code", "description": "description", "status": "status"}
    changes = {field: act.text(name, "") for name, field in names.items() if name in act.fields}
    act.books.edit_account(account, at=act.at, **changes)
    return "Accounts", account.account_id


def _delete_account(act: Act) -> Changed:
    account = _account(act)
    act.books.delete_account(account)
    return {"AccountID": account.account_id, "Status": "DELETED"}


def _add_note(act: Act) -> Changed:
    key, details = _record(act), act.text("details")
    act.books.note(key, "Note", at=act.at, details=details)
    return {"Changes": "Note", "Details": details}


def _attach(act: Act) -> Changed:
    attachment = Attachment(
        attachment_id=act.new_id(),
        file_name=act.text("file_name", "receipt.png"),
        mime_type=act.text("mime_type", "image/png"),
        seed=act.ids.getrandbits(32),
    )
    act.books.attach(_record(act), attachment)
    return {"AttachmentID": attachment.attachment_id, "FileName": attachment.file_name}


def _record(act: Act) -> str:
    """The id of a record that some list shows."""
    key = act.text("id")
    if all(shelf.get(key) is None for shelf in act.books.shelves.values()):
        raise BooksError(f"There is no record {key}.")
    return key


_ACCOUNT = ID | {"code"}

DEEDS: Mapping[str, Deed] = {
    "create_contact": (_create_contact, frozenset(("name", "email", "currency"))),
    "edit_contact": (_edit_contact, ID | _CONTACT),
    "archive_contact": (_archive_contact, ID),
    "forget_contact": (_forget_contact, ID),
    "merge_contact": (_merge_contact, ID | {"into"}),
    "create_contact_group": (_create_contact_group, frozenset(("name", "contacts"))),
    "create_account": (
        _create_account,
        frozenset(("code", "name", "type", "tax_type", "currency")),
    ),
    "edit_account": (_edit_account, _ACCOUNT | {"name", "new_code", "description", "status"}),
    "delete_account": (_delete_account, _ACCOUNT),
    "add_note": (_add_note, ID | {"details"}),
    "attach": (_attach, ID | {"file_name", "mime_type"}),
}
