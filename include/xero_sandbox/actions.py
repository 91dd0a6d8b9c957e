"""What can be done to the documents of a company through the control door.

Knows the actions by name and the fields they take. Must not know HTTP, clocks, or what a change
posts (`books.py`). Every action is a function of its fields, the books, the moment and a random
stream, so that it can be repeated.

Documents, payments and contacts are named by `id`, amounts are numbers or decimal texts, dates
`YYYY-MM-DD` (today when left out):

    create_contact      name, email?, currency?
    edit_contact        id, and any of name, email, phone, city, country, status
    archive_contact     id
    create_invoice      type? (ACCREC, ACCPAY), contact? (id or name), date?, due_date?, status?
                        (AUTHORISED, DRAFT, SUBMITTED), line_amount_types?, currency?, rate?,
                        number?, reference?, and amount, or lines: [{description?, quantity?,
                        unit_amount, account_code?, tax_type?}]
    create_credit_note  the same; type? (ACCRECCREDIT, ACCPAYCREDIT)
    approve, void, delete_draft    id
    edit_invoice        id, and any of date, due_date, reference, lines, amount
    allocate            id (of the credit note), invoice_id, amount?
    pay                 id, amount?, date?, account_code?, rate?, reference?
    delete_payment      id
    create_bank_transaction   type? (RECEIVE, SPEND), contact?, date?, reference?, amount or lines
    delete_bank_transaction   id
    edit_account        id or code, and any of name, description, status
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from xero_sandbox.action_fields import Act, contact_of, line_kind_of, lines_of, require_one_of
from xero_sandbox.books import Books, BooksError
from xero_sandbox.documents import CREDIT_TYPES, BankTransaction, Contact, Document
from xero_sandbox.ids import new_guid
from xero_sandbox.money import ONE
from xero_sandbox.organisation import Record


def perform(
    action: str, fields: Mapping[str, object], *, books: Books, at: datetime, ids: Random
) -> Record:
    """Do `action` at the moment `at`, new ids from `ids`; returns the changed record.

    Raises BooksError (a ValueError), with a sentence for a person, for an unknown action or
    field, and for what Xero would refuse.
    """
    known = _ACTIONS.get(action)
    if known is None:
        raise BooksError(f"Unknown action {action}; known: {', '.join(sorted(_ACTIONS))}.")
    deed, allowed = known
    unknown = sorted(set(fields) - allowed)
    if unknown:
        raise BooksError(
            f"{action} takes no {', '.join(unknown)}; it takes {', '.join(sorted(allowed))}."
        )
    resource, record_id = deed(Act(books, fields, at, ids))
    entry = books.shelves[resource].get(record_id)
    if entry is None:
        raise BooksError(f"{action} left no record.")
    return entry.body()


_Changed = tuple[str, str]


def _create_contact(act: Act) -> _Changed:
    currency = act.text("currency", "")
    if currency:
        require_one_of("currency", currency, act.books.currencies)
    contact = Contact(
        contact_id=new_guid(act.ids),
        name=act.text("name"),
        created_at=act.at,
        updated_at=act.at,
        email=act.text("email", ""),
        currency=currency,
    )
    act.books.add_contact(contact)
    return "Contacts", contact.contact_id


def _edit_contact(act: Act) -> _Changed:
    contact = act.books.contact(act.text("id"))
    changes = {name: act.text(name, "") for name in act.fields if name != "id"}
    if not changes:
        raise BooksError("edit_contact needs something to change.")
    act.books.edit_contact(contact, at=act.at, **changes)
    return "Contacts", contact.contact_id


def _archive_contact(act: Act) -> _Changed:
    contact = act.books.contact(act.text("id"))
    act.books.edit_contact(contact, at=act.at, status="ARCHIVED")
    return "Contacts", contact.contact_id


def _create_invoice(act: Act) -> _Changed:
    return _create_document(act, "ACCREC", ("ACCREC", "ACCPAY"))


def _create_credit_note(act: Act) -> _Changed:
    return _create_document(act, "ACCRECCREDIT", CREDIT_TYPES)


def _create_document(act: Act, default: str, types: tuple[str, ...]) -> _Changed:
    kind = act.text("type", default)
    require_one_of("type", kind, types)
    status = act.text("status", "AUTHORISED")
    require_one_of("status", status, ("AUTHORISED", "DRAFT", "SUBMITTED"))
    is_sale = kind in ("ACCREC", "ACCRECCREDIT")
    contact = contact_of(act)
    currency = act.text("currency", contact.currency or act.books.base_currency)
    require_one_of("currency", currency, act.books.currencies)
    on = act.day("date", act.books.today)
    line_kind = line_kind_of(act, "Exclusive")
    is_base = currency == act.books.base_currency
    number = act.text("number", "")
    document = Document(
        document_id=new_guid(act.ids),
        type=kind,
        number=number or (act.books.next_number(kind) if kind != "ACCPAY" else ""),
        contact=contact,
        on=on,
        due_date=act.day("due_date", on + timedelta(days=20)),
        line_kind=line_kind,
        lines=lines_of(act, line_kind, "200" if is_sale else "429"),
        currency=currency,
        created_at=act.at,
        updated_at=act.at,
        rate=ONE if is_base else act.amount("rate"),
        reference=act.text("reference", ""),
        status=status,
    )
    act.books.enter(document, at=act.at)
    return _changed(document)


def _edit_invoice(act: Act) -> _Changed:
    document = act.books.document(act.text("id"))
    has_lines = "lines" in act.fields or "amount" in act.fields
    code = document.lines[0].account.code if document.lines else "200"
    act.books.edit(
        document,
        at=act.at,
        lines=lines_of(act, document.line_kind, code) if has_lines else None,
        on=act.day("date", document.on) if "date" in act.fields else None,
        due_date=act.day("due_date", document.due_date) if "due_date" in act.fields else None,
        reference=act.text("reference", "") if "reference" in act.fields else None,
    )
    return _changed(document)


def _approve(act: Act) -> _Changed:
    document = act.books.document(act.text("id"))
    act.books.approve(document, at=act.at)
    return _changed(document)


def _void(act: Act) -> _Changed:
    document = act.books.document(act.text("id"))
    act.books.void(document, at=act.at)
    return _changed(document)


def _delete_draft(act: Act) -> _Changed:
    document = act.books.document(act.text("id"))
    act.books.delete_draft(document, at=act.at)
    return _changed(document)


def _allocate(act: Act) -> _Changed:
    credit = act.books.document(act.text("id"))
    invoice = act.books.document(act.text("invoice_id"))
    amount = act.amount("amount", min(credit.due, invoice.due))
    act.books.allocate(credit, invoice, amount=amount, at=act.at, ids=act.ids)
    return _changed(credit)


def _pay(act: Act) -> _Changed:
    document = act.books.document(act.text("id"))
    payment = act.books.pay(
        document,
        act.amount("amount", document.due),
        at=act.at,
        on=act.day("date", act.books.today),
        account=act.books.account(act.text("account_code", "090")),
        ids=act.ids,
        rate=act.amount("rate", document.rate),
        reference=act.text("reference", ""),
    )
    return "Payments", payment.payment_id


def _delete_payment(act: Act) -> _Changed:
    payment = act.books.payment(act.text("id"))
    act.books.delete_payment(payment, at=act.at)
    return "Payments", payment.payment_id


def _create_bank_transaction(act: Act) -> _Changed:
    kind = act.text("type", "SPEND")
    require_one_of("type", kind, ("RECEIVE", "SPEND"))
    line_kind = line_kind_of(act, "Inclusive")
    record = BankTransaction(
        transaction_id=new_guid(act.ids),
        type=kind,
        contact=contact_of(act),
        account=act.books.account("090"),
        on=act.day("date", act.books.today),
        line_kind=line_kind,
        lines=lines_of(act, line_kind, "200" if kind == "RECEIVE" else "429"),
        currency=act.books.base_currency,
        created_at=act.at,
        updated_at=act.at,
        reference=act.text("reference", ""),
    )
    act.books.enter_bank_transaction(record, at=act.at)
    return "BankTransactions", record.transaction_id


def _delete_bank_transaction(act: Act) -> _Changed:
    record = act.books.bank_transactions.get(act.text("id"))
    if record is None:
        raise BooksError(f"There is no bank transaction {act.text('id')}.")
    act.books.delete_bank_transaction(record, at=act.at)
    return "BankTransactions", record.transaction_id


def _edit_account(act: Act) -> _Changed:
    if "id" in act.fields:
        account = act.books.ledger.accounts.get(act.text("id"))
        if account is None:
            raise BooksError(f"There is no account {act.text('id')}.")
    else:
        account = act.books.account(act.text("code"))
    names = ("name", "description", "status")
    changes = {name: act.text(name, "") for name in names if name in act.fields}
    act.books.edit_account(account, at=act.at, **changes)
    return "Accounts", account.account_id


def _changed(document: Document) -> _Changed:
    return "CreditNotes" if document.is_credit else "Invoices", document.document_id


_ID = frozenset(("id",))
_AMOUNTS = frozenset(("amount", "lines", "line_amount_types"))
_DOCUMENT = _AMOUNTS | frozenset(
    ("type", "contact", "date", "due_date", "status", "currency", "rate", "number", "reference")
)
_CONTACT = frozenset(
    ("name", "email", "phone", "city", "country", "status", "first_name", "last_name")
)

_ACTIONS: Mapping[str, tuple[Callable[[Act], _Changed], frozenset[str]]] = {
    "create_contact": (_create_contact, frozenset(("name", "email", "currency"))),
    "edit_contact": (_edit_contact, _ID | _CONTACT),
    "archive_contact": (_archive_contact, _ID),
    "create_invoice": (_create_invoice, _DOCUMENT),
    "create_credit_note": (_create_credit_note, _DOCUMENT),
    "approve": (_approve, _ID),
    "void": (_void, _ID),
    "delete_draft": (_delete_draft, _ID),
    "edit_invoice": (
        _edit_invoice,
        _ID | frozenset(("date", "due_date", "reference", "lines", "amount")),
    ),
    "allocate": (_allocate, _ID | frozenset(("invoice_id", "amount"))),
    "pay": (_pay, _ID | frozenset(("amount", "date", "account_code", "rate", "reference"))),
    "delete_payment": (_delete_payment, _ID),
    "create_bank_transaction": (
        _create_bank_transaction,
        _AMOUNTS | frozenset(("type", "contact", "date", "reference")),
    ),
    "delete_bank_transaction": (_delete_bank_transaction, _ID),
    "edit_account": (_edit_account, _ID | frozenset(("code", "name", "description", "status"))),
}
