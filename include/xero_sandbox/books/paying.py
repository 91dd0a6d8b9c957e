"""Payments of documents and refunds of credit, one by one or in batches.

Knows what can be paid from which account. Must not know what is posted (`posting.py`), clocks or
HTTP.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import BankTransaction, BatchPayment, Document, Payment
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ONE, in_base
from xero_sandbox.books.recording import Recording
from xero_sandbox.books.refusals import (
    BooksError,
    require_bank,
    require_cents,
    require_rate,
    require_status,
)


class Paying(Recording):
    """What can be done with payments."""

    def pay(
        self,
        document: Document,
        amount: Decimal,
        *,
        at: datetime,
        on: date,
        account: Account,
        ids: Random,
        rate: Decimal | None = None,
        reference: str = "",
        is_reconciled: bool = False,
    ) -> Payment:
        """Pay `amount` (document's currency) of an invoice or bill, or refund a credit.

        `rate` is the day's rate of a foreign document; it is paid from an account in its own
        currency or in base currency.
        """
        self._require_payable(document, amount, account=account)
        paid_rate = ONE if document.currency == self.base_currency else rate or document.rate
        require_rate(paid_rate)
        is_own = account.currency == document.currency
        payment = Payment(
            payment_id=new_guid(ids),
            document=document,
            account=account,
            on=on,
            amount=amount,
            bank_amount=amount if is_own else in_base(amount, paid_rate),
            rate=paid_rate,
            created_at=at,
            updated_at=at,
            reference=reference,
            is_reconciled=is_reconciled,
        )
        document.payments.append(payment)
        self.payments[payment.payment_id] = payment
        self._post_payment(payment, at=at)
        self._settle(document)
        said = "Refund" if document.is_credit else "Payment"
        self._noted(document.document_id, "Paid", at, "{} on {} for {}.", said, on, amount)
        self._noted(payment.payment_id, "Created", at)
        self._shelving.payment(payment)
        self._changed(document, at)
        return payment

    def delete_payment(self, payment: Payment, *, at: datetime) -> None:
        """Delete a payment: it stays in the list as DELETED, and its document is due again."""
        if payment.status == "DELETED":
            raise BooksError("This payment is already deleted.")
        if payment.batch is not None:
            raise BooksError("This payment belongs to a batch: delete the batch.")
        self._unpay(payment, at)

    def reconcile(self, record: Payment | BankTransaction | BatchPayment, *, at: datetime) -> None:
        """Match money with the bank's statement."""
        if record.status == "DELETED":
            raise BooksError("What is deleted cannot be reconciled.")
        record.is_reconciled = True
        record.updated_at = at
        if isinstance(record, Payment):
            self._shelving.payment(record)
        elif isinstance(record, BatchPayment):
            self._shelving.batch_payment(record)
            for payment in record.payments:
                payment.is_reconciled, payment.updated_at = True, at
                self._shelving.payment(payment)
        else:
            self._shelving.bank_transaction(record)
            transfer = record.transfer
            if transfer is not None:
                transfer.to_is_reconciled |= record.is_receipt
                transfer.from_is_reconciled |= not record.is_receipt
                self._shelving.bank_transfer(transfer)

    def pay_batch(
        self,
        payments_wanted: Sequence[tuple[Document, Decimal]],
        *,
        at: datetime,
        on: date,
        account: Account,
        ids: Random,
        rate: Decimal | None = None,
        reference: str = "",
    ) -> BatchPayment:
        """Pay several invoices, or several bills, at once: the bank sees one amount.

        `rate` is the day's rate when they are foreign.
        """
        if len({document.document_id for document, _ in payments_wanted}) < len(payments_wanted):
            raise BooksError("A batch pays each document once.")
        types = {document.type for document, _ in payments_wanted}
        currencies = {document.currency for document, _ in payments_wanted}
        if len(types) != 1 or not types <= {"ACCREC", "ACCPAY"} or len(currencies) != 1:
            raise BooksError("A batch pays invoices, or bills, all of one currency.")
        require_bank(account)
        for document, amount in payments_wanted:
            self._require_payable(document, amount, account=account)
        batch_id = new_guid(ids)
        payments = tuple(
            self.pay(
                document,
                amount,
                at=at,
                on=on,
                account=account,
                ids=ids,
                rate=rate,
                reference=reference,
            )
            for document, amount in payments_wanted
        )
        batch = BatchPayment(
            batch_id=batch_id,
            type="RECBATCH" if types == {"ACCREC"} else "PAYBATCH",
            account=account,
            on=on,
            payments=payments,
            created_at=at,
            updated_at=at,
            reference=reference,
        )
        self.batch_payments[batch_id] = batch
        for payment in payments:
            payment.batch = batch
            self._shelving.payment(payment)
        self._noted(batch_id, "Approved", at)
        self._shelving.batch_payment(batch)
        return batch

    def delete_batch(self, batch: BatchPayment, *, at: datetime) -> None:
        """Delete a batch and its payments: they stay in the lists as DELETED."""
        if batch.status == "DELETED":
            raise BooksError("This batch payment is already deleted.")
        batch.status = "DELETED"
        batch.updated_at = at
        for payment in batch.payments:
            self._unpay(payment, at)
        self._noted(batch.batch_id, "Deleted", at)
        self._shelving.batch_payment(batch)

    def _require_payable(self, document: Document, amount: Decimal, *, account: Account) -> None:
        require_status(document, "AUTHORISED")
        require_cents(amount)
        if amount > document.due:
            raise BooksError("Payment amount exceeds the amount outstanding on this document.")
        if account.type != "BANK" and not account.takes_payments:
            raise BooksError(f"Account {account.code} does not take payments.")
        if account.currency not in ("", self.base_currency, document.currency):
            raise BooksError(f"Account {account.code} does not hold {document.currency}.")

    def _unpay(self, payment: Payment, at: datetime) -> None:
        payment.status = "DELETED"
        payment.updated_at = at
        self.ledger.reverse(payment.payment_id, at)
        document = payment.document
        self._settle(document)
        self._noted(payment.payment_id, "Deleted", at)
        self._noted(document.document_id, "Payment Deleted", at, "{}.", payment.amount)
        self._shelving.payment(payment)
        self._changed(document, at)
