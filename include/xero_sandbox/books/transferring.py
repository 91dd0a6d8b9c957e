"""Money moved between two own bank accounts.

Knows what a transfer needs, what it is worth in base currency, and its two legs. Must not know
what is posted (`posting.py`), clocks or HTTP.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import BankTransaction, BankTransfer, TrackingOption, compute_line
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ONE, ZERO, in_base, places
from xero_sandbox.books.posting import transfer_postings
from xero_sandbox.books.recording import Recording
from xero_sandbox.books.refusals import BooksError, require_bank, require_cents, require_rate


class Transferring(Recording):
    """What can be done with bank transfers."""

    def transfer(
        self,
        from_account: Account,
        to_account: Account,
        *,
        amount: Decimal,
        on: date,
        at: datetime,
        ids: Random,
        to_amount: Decimal | None = None,
        rate: Decimal | None = None,
        reference: str = "",
        tracking: tuple[TrackingOption, ...] = (),
    ) -> BankTransfer:
        """Move money between two own bank accounts; each leg is a bank transaction, too.

        `amount` in the currency of the first account, `to_amount` in that of the second, needed
        when they differ. `rate` is the day's rate of the first currency, needed when neither is
        the base currency.
        """
        require_bank(from_account)
        require_bank(to_account)
        is_one_currency = from_account.currency == to_account.currency
        arrived = amount if is_one_currency else to_amount
        if arrived is None:
            raise BooksError("Between two currencies a transfer needs the amount that arrived.")
        require_cents(amount)
        require_cents(arrived)
        if from_account.account_id == to_account.account_id:
            raise BooksError("A transfer moves money between two accounts.")
        worth = self._worth(from_account, to_account, sent=amount, arrived=arrived, rate=rate)
        transfer = BankTransfer(
            transfer_id=new_guid(ids),
            from_account=from_account,
            to_account=to_account,
            on=on,
            amount=amount,
            to_amount=arrived,
            created_at=at,
            rate=ONE if is_one_currency else places(arrived / amount, 6),
            reference=reference,
            tracking=tracking,
        )
        transfer.from_leg = self._leg(transfer, "SPEND-TRANSFER", worth=worth, ids=ids)
        transfer.to_leg = self._leg(transfer, "RECEIVE-TRANSFER", worth=worth, ids=ids)
        self.bank_transfers[transfer.transfer_id] = transfer
        self.ledger.post(
            transfer_postings(transfer, worth),
            on=on,
            created_at=at,
            source_type="TRANSFER",
            source_id=transfer.transfer_id,
            reference=reference,
        )
        self._noted(transfer.transfer_id, "Created", at)
        self._shelving.bank_transfer(transfer)
        for leg in (transfer.from_leg, transfer.to_leg):
            self.bank_transactions[leg.transaction_id] = leg
            self._shelving.bank_transaction(leg)
        return transfer

    def delete_transfer(self, transfer: BankTransfer, *, at: datetime) -> None:
        """Delete a transfer and its legs; nothing of the transfer itself is bumped."""
        if transfer.status == "DELETED":
            raise BooksError("This bank transfer is already deleted.")
        transfer.status = "DELETED"
        self.ledger.reverse(transfer.transfer_id, at)
        self._noted(transfer.transfer_id, "Deleted", at)
        self._shelving.bank_transfer(transfer)
        for leg in (transfer.from_leg, transfer.to_leg):
            if leg is not None:
                leg.status, leg.updated_at = "DELETED", at
                self._shelving.bank_transaction(leg)

    def _worth(
        self,
        from_account: Account,
        to_account: Account,
        *,
        sent: Decimal,
        arrived: Decimal,
        rate: Decimal | None,
    ) -> Decimal:
        """What a transfer moves in base currency."""
        if from_account.currency == self.base_currency:
            return sent
        if to_account.currency == self.base_currency:
            return arrived
        if rate is None:
            raise BooksError("Between two foreign accounts a transfer needs the day's rate.")
        require_rate(rate)
        return in_base(sent, rate)

    def _leg(
        self, transfer: BankTransfer, kind: str, *, worth: Decimal, ids: Random
    ) -> BankTransaction:
        is_receipt = kind.startswith("RECEIVE")
        own, other = transfer.from_account, transfer.to_account
        amount = transfer.to_amount if is_receipt else transfer.amount
        if is_receipt:
            own, other = other, own
        line = compute_line(
            new_guid(ids),
            kind="NoTax",
            quantity=Decimal(1),
            price=amount,
            account=other,
            tax_type=self.country.no_tax,
            tax_rate=ZERO,
            description=f"Bank transfer {'from' if is_receipt else 'to'} {other.name}",
            tracking=transfer.tracking,
        )
        is_base = own.currency == self.base_currency
        return BankTransaction(
            transaction_id=new_guid(ids),
            type=kind,
            contact=None,
            account=own,
            on=transfer.on,
            line_kind="NoTax",
            lines=(line,),
            currency=own.currency,
            created_at=transfer.created_at,
            updated_at=transfer.created_at,
            rate=ONE if is_base else places(amount / worth, 6),
            reference=transfer.reference,
            transfer=transfer,
        )
