"""Every Xero endpoint that is extracted, one frozen row each, in the order of reading.

The only home of paths, array keys, id fields, scopes and how each endpoint changes. Knows
nothing of HTTP or Postgres. Source: Xero's published accounting API (OpenAPI 16.1).

Adding one is a numbered list in CONTRIBUTING.md; `tests/test_house.py` names a missing step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from types import MappingProxyType


class Reading(Enum):
    """How the endpoint is read.

    FULL: one unpaged answer holds every record, so a record that is missing was deleted.
    CHANGES: pages of records changed since the watermark; deletions arrive as a status.
    REPORT: one answer as at a day; the record is the whole report.
    """

    FULL = "full"
    CHANGES = "changes"
    REPORT = "report"


@dataclass(frozen=True)
class Endpoint:
    """One endpoint of the accounting API.

    `name` is the raw table, the dbt source and the word in every log line; `path` follows
    `/api.xro/2.0/`; `array_key` holds the records in the answer; `id_field` is their key;
    `scopes` are alternatives, any one of which suffices (granular first, then broad, each
    read-only); `params` are sent with every request. `never_empties` marks a list that always
    has a record once it had one, so that an empty answer is a fault and no deletion.
    What is not `is_required` may stay unread where the user granted or has no right to it.
    """

    name: str
    path: str
    array_key: str
    id_field: str
    reading: Reading
    scopes: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    never_empties: bool = False
    is_required: bool = True


_SETTINGS = ("accounting.settings.read", "accounting.settings")
_CONTACTS = ("accounting.contacts.read", "accounting.contacts")
_BROAD = ("accounting.transactions.read", "accounting.transactions")
_INVOICES = ("accounting.invoices.read", "accounting.invoices", *_BROAD)
_PAYMENTS = ("accounting.payments.read", "accounting.payments", *_BROAD)
_BANK = ("accounting.banktransactions.read", "accounting.banktransactions", *_BROAD)
_TRIAL_BALANCE = ("accounting.reports.trialbalance.read", "accounting.reports.read")

# Prices with four decimals are rounded to two unless asked for.
_FOUR_DECIMALS = MappingProxyType({"unitdp": "4"})
_WITH_ARCHIVED = MappingProxyType({"includeArchived": "true"})

ENDPOINTS: tuple[Endpoint, ...] = (
    # Organisation comes first: its answer is Xero's own clock, and costs no egress.
    Endpoint(
        "organisations",
        "Organisation",
        "Organisations",
        "OrganisationID",
        Reading.FULL,
        _SETTINGS,
        never_empties=True,
    ),
    Endpoint("currencies", "Currencies", "Currencies", "Code", Reading.FULL, _SETTINGS),
    Endpoint("tax_rates", "TaxRates", "TaxRates", "TaxType", Reading.FULL, _SETTINGS),
    Endpoint(
        "accounts",
        "Accounts",
        "Accounts",
        "AccountID",
        Reading.FULL,
        _SETTINGS,
        never_empties=True,
    ),
    Endpoint(
        "contacts",
        "Contacts",
        "Contacts",
        "ContactID",
        Reading.CHANGES,
        _CONTACTS,
        _WITH_ARCHIVED,
    ),
    Endpoint(
        "invoices", "Invoices", "Invoices", "InvoiceID", Reading.CHANGES, _INVOICES, _FOUR_DECIMALS
    ),
    Endpoint(
        "credit_notes",
        "CreditNotes",
        "CreditNotes",
        "CreditNoteID",
        Reading.CHANGES,
        _INVOICES,
        _FOUR_DECIMALS,
    ),
    Endpoint("payments", "Payments", "Payments", "PaymentID", Reading.CHANGES, _PAYMENTS),
    Endpoint(
        "bank_transactions",
        "BankTransactions",
        "BankTransactions",
        "BankTransactionID",
        Reading.CHANGES,
        _BANK,
        _FOUR_DECIMALS,
    ),
    Endpoint(
        "trial_balances",
        "Reports/TrialBalance",
        "Reports",
        "ReportID",
        Reading.REPORT,
        _TRIAL_BALANCE,
        # The statistics come from documents; without the report they are not held against it.
        is_required=False,
    ),
)


def report_key(endpoint: Endpoint, day: date) -> str:
    """The speaking key of a report, such as `TrialBalance:2026-11-20:accrual`."""
    return f"{endpoint.path.removeprefix('Reports/')}:{day.isoformat()}:accrual"
