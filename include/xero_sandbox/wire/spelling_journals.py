"""How journals of the ledger are spelled on the wire, and how they come by their ids.

Knows the JSON of Xero's Journals, as its published examples show it. Must not know how journals
come about, or HTTP. Amounts are in base currency, debit positive; what is missing is left out.

The ledger numbers its journals and gives them no ids. An id is made of the number here, so that
it can be read back: no table of ids is needed for a ledger of any size.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from xero_sandbox.books.ledger import Account, Journal, Posting
from xero_sandbox.wire.format import ms_date
from xero_sandbox.wire.records import Body
from xero_sandbox.wire.spelling import tracking_of_line

_NUMBER_BITS = 48
_MODULUS = 1 << _NUMBER_BITS
# Any odd number can be undone; this one spreads neighbours far apart.
_SPREAD = 0x9E3779B97F4B
_GATHER = pow(_SPREAD, -1, _MODULUS)


@dataclass(frozen=True)
class JournalBook:
    """What the journals of one organisation and basis need beside themselves.

    `tax_names` are by tax type. `is_cash` tells the ids of the two bases apart.
    """

    tenant_id: str
    is_cash: bool
    accounts: Mapping[str, Account]
    tax_names: Mapping[str, str]

    def id_of(self, number: int) -> str:
        """Return the JournalID of a journal number."""
        low = (number * _SPREAD + self._mark) % _MODULUS
        return str(uuid.UUID(int=self._frame | low))

    def number_of(self, journal_id: str) -> int | None:
        """Return the journal number of a JournalID; None for an id of somewhere else."""
        given = uuid.UUID(journal_id).int
        if given - given % _MODULUS != self._frame:
            return None
        return (given - self._mark) * _GATHER % _MODULUS

    @cached_property
    def _digest(self) -> int:
        basis = "cash" if self.is_cash else "accrual"
        digest = hashlib.blake2b(f"{basis}/{self.tenant_id}".encode(), digest_size=16).digest()
        return uuid.UUID(bytes=digest, version=4).int

    @property
    def _mark(self) -> int:
        return self._digest % _MODULUS

    @property
    def _frame(self) -> int:
        return self._digest - self._mark

    def spell(self, record: Journal, *, is_one: bool) -> Body:
        """Spell a journal; asked for alone (`is_one`) it does not tell its source."""
        journal_id = self.id_of(record.number)
        body: Body = {
            "JournalID": journal_id,
            "JournalDate": ms_date(record.on),
            "JournalNumber": record.number,
            "CreatedDateUTC": ms_date(record.created_at),
        }
        if record.reference:
            body["Reference"] = record.reference
        if not is_one and record.source_type and record.source_id:
            body["SourceID"] = record.source_id
            body["SourceType"] = record.source_type
        body["JournalLines"] = [
            self._line(posting, _line_id(journal_id, place), is_one=is_one)
            for place, posting in enumerate(record.postings)
        ]
        return body

    def _line(self, posting: Posting, line_id: str, *, is_one: bool) -> Body:
        account = self.accounts[posting.account_id]
        body: Body = {
            "JournalLineID": line_id,
            "AccountID": account.account_id,
            "AccountCode": account.code,
            "AccountType": account.type,
            "AccountName": account.name,
            "Description": posting.description,
            "NetAmount": posting.amount,
            "GrossAmount": posting.amount + posting.tax_amount,
            "TaxAmount": posting.tax_amount,
        }
        if posting.tax_type or is_one:
            body["TaxType"] = posting.tax_type
            body["TaxName"] = self.tax_names.get(posting.tax_type, "")
        body["TrackingCategories"] = tracking_of_line(posting.tracking)
        return body


def _line_id(journal_id: str, place: int) -> str:
    digest = hashlib.blake2b(f"{journal_id}/{place}".encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest, version=4))
