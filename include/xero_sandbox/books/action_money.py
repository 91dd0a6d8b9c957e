"""Actions of the control door on payments, batches, bank transactions and transfers.

Knows their names and fields. Must not know HTTP, clocks, or what a change posts.

    pay                 id (of a document; of a credit: refunds it), amount?, date?,
                        account_code?, rate?, reference?
    delete_payment      id
    pay_batch           payments: [{id, amount?}], date?, account_code?, rate?, reference?
    delete_batch        id
    reconcile           id (of a payment, batch payment or bank transaction)
    create_bank_transaction   type? (RECEIVE, SPEND), contact?, date?, account_code?, rate?,
                        reference?, line_amount_types?, amount or lines as for an invoice
    create_prepayment   the same; type? (RECEIVE-PREPAYMENT, SPEND-PREPAYMENT)
    create_overpayment  the same; type? (RECEIVE-OVERPAYMENT, SPEND-OVERPAYMENT)
    edit_bank_transaction     id, and any of date, reference, amount, lines
    delete_bank_transaction   id; that of a pre- or overpayment voids it
    transfer            amount, from_code?, to_code?, to_amount?, rate?, date?, reference?
    delete_transfer     id
"""

from __future__ import annotations

from collections.abc import Mapping

from xero_sandbox.books.action_documents import changed_document
from xero_sandbox.books.action_fields import (
    AMOUNTS,
    ID,
    Act,
    Changed,
    Deed,
    contact_of,
    decimal_of,
    line_kind_of,
    lines_of,
    new_lines_of,
    require_one_of,
)
from xero_sandbox.books.documents import (
    OVERPAYMENT_TYPES,
    PREPAYMENT_TYPES,
    BankTransaction,
    BatchPayment,
    Document,
    Payment,
)
from xero_sandbox.books.money import ONE
from xero_sandbox.books.refusals import BooksError, found

_PAID = frozenset(("date", "account_code", "rate", "reference"))
_MONEY = AMOUNTS | _PAID | frozenset(("type", "contact"))


def _pay(act: Act) -> Changed:
    document = act.books.document(act.text("id"))
    payment = act.books.pay(
        document,
        act.amount("amount", document.due),
        at=act.at,
        on=act.day("date", act.books.today),
        account=act.account(),
        ids=act.ids,
        rate=act.amount("rate", document.rate),
        reference=act.text("reference", ""),
    )
    return "Payments", payment.payment_id


def _delete_payment(act: Act) -> Changed:
    payment = act.books.payment(act.text("id"))
    act.books.delete_payment(payment, at=act.at)
    return "Payments", payment.payment_id


def _pay_batch(act: Act) -> Changed:
    wanted = []
    for row in act.rows("payments"):
        document: Document = act.books.document(str(row.get("id", "")))
        wanted.append((document, decimal_of("amount", row.get("amount", document.due))))
    batch = act.books.pay_batch(
        wanted,
        at=act.at,
        on=act.day("date", act.books.today),
        account=act.account(),
        ids=act.ids,
        rate=act.amount("rate") if "rate" in act.fields else None,
        reference=act.text("reference", ""),
    )
    return "BatchPayments", batch.batch_id


def _delete_batch(act: Act) -> Changed:
    key = act.text("id")
    batch = found(act.books.batch_payments.get(key), "batch payment", key)
    act.books.delete_batch(batch, at=act.at)
    return "BatchPayments", key


def _reconcile(act: Act) -> Changed:
    key, books = act.text("id"), act.books
    holders: tuple[tuple[str, Mapping[str, Payment | BatchPayment | BankTransaction]], ...] = (
        ("Payments", books.payments),
        ("BatchPayments", books.batch_payments),
        ("BankTransactions", books.bank_transactions),
    )
    for resource, holder in holders:
        if record := holder.get(key):
            books.reconcile(record, at=act.at)
            return resource, key
    raise BooksError(f"There is no payment, batch payment or bank transaction {key}.")


def _create_bank_transaction(act: Act) -> Changed:
    record = _enter(act, "SPEND", ("RECEIVE", "SPEND"))
    return "BankTransactions", record.transaction_id


def _create_prepayment(act: Act) -> Changed:
    return _credit(_enter(act, "RECEIVE-PREPAYMENT", PREPAYMENT_TYPES))


def _create_overpayment(act: Act) -> Changed:
    return _credit(_enter(act, "RECEIVE-OVERPAYMENT", OVERPAYMENT_TYPES))


def _credit(record: BankTransaction) -> Changed:
    if record.credit is None:
        raise BooksError(f"No credit came with a {record.type}.")
    return changed_document(record.credit)


def _enter(act: Act, default: str, types: tuple[str, ...]) -> BankTransaction:
    kind = act.text("type", default)
    require_one_of("type", kind, types)
    account = act.account()
    line_kind = line_kind_of(act, "NoTax" if kind in OVERPAYMENT_TYPES else "Inclusive")
    currency = account.currency
    record = BankTransaction(
        transaction_id=act.new_id(),
        type=kind,
        contact=contact_of(act),
        account=account,
        on=act.day("date", act.books.today),
        line_kind=line_kind,
        lines=lines_of(act, line_kind, "200" if kind.startswith("RECEIVE") else "429"),
        currency=currency,
        created_at=act.at,
        updated_at=act.at,
        rate=ONE if currency in ("", act.books.base_currency) else act.amount("rate"),
        reference=act.text("reference", ""),
    )
    return act.books.enter_bank_transaction(record, at=act.at, ids=act.ids)


def _edit_bank_transaction(act: Act) -> Changed:
    record = act.books.bank_transaction(act.text("id"))
    act.books.edit_bank_transaction(
        record,
        at=act.at,
        lines=new_lines_of(act, record.line_kind, record.lines[0].account.code),
        on=act.told_day("date"),
        reference=act.told("reference"),
    )
    return "BankTransactions", record.transaction_id


def _delete_bank_transaction(act: Act) -> Changed:
    record = act.books.bank_transaction(act.text("id"))
    act.books.delete_bank_transaction(record, at=act.at)
    return "BankTransactions", record.transaction_id


def _transfer(act: Act) -> Changed:
    transfer = act.books.transfer(
        act.account("from_code"),
        act.account("to_code", "091"),
        amount=act.amount("amount"),
        to_amount=act.amount("to_amount") if "to_amount" in act.fields else None,
        rate=act.amount("rate") if "rate" in act.fields else None,
        on=act.day("date", act.books.today),
        at=act.at,
        ids=act.ids,
        reference=act.text("reference", ""),
    )
    return "BankTransfers", transfer.transfer_id


def _delete_transfer(act: Act) -> Changed:
    key = act.text("id")
    transfer = found(act.books.bank_transfers.get(key), "bank transfer", key)
    act.books.delete_transfer(transfer, at=act.at)
    return "BankTransfers", key


DEEDS: Mapping[str, Deed] = {
    "pay": (_pay, ID | _PAID | {"amount"}),
    "delete_payment": (_delete_payment, ID),
    "pay_batch": (_pay_batch, _PAID | {"payments"}),
    "delete_batch": (_delete_batch, ID),
    "reconcile": (_reconcile, ID),
    "create_bank_transaction": (_create_bank_transaction, _MONEY),
    "create_prepayment": (_create_prepayment, _MONEY),
    "create_overpayment": (_create_overpayment, _MONEY),
    "edit_bank_transaction": (
        _edit_bank_transaction,
        ID | {"date", "reference", "amount", "lines"},
    ),
    "delete_bank_transaction": (_delete_bank_transaction, ID),
    "transfer": (
        _transfer,
        frozenset(("amount", "from_code", "to_code", "to_amount", "rate", "date", "reference")),
    ),
    "delete_transfer": (_delete_transfer, ID),
}
