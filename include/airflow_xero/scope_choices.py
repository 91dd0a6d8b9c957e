"""What a person may grant at Xero, in plain words, beside the exact scopes that Xero is asked for.

Knows Xero's scopes by era: apps made since March 2026 have granular ones alone, older ones may
have the broad ones until September 2027. An app asks for what the Airflow connection names, or
for less. Must not know who asks, HTTP or Postgres.
Source: https://developer.xero.com/documentation/guides/oauth2/scopes
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from types import MappingProxyType

SIGN_IN = ("offline_access", "openid", "profile", "email")
"""Asked for always: who consents, and a grant that outlives half an hour."""

BROAD = frozenset(
    {"accounting.transactions", "accounting.transactions.read", "accounting.reports.read"}
)
"""What only apps made before March 2026 may ask for, until September 2027."""

_REPORTS = (
    "trialbalance",
    "profitandloss",
    "balancesheet",
    "banksummary",
    "executivesummary",
    "budgetsummary",
)

# Era → what is asked for where a person names nothing else. Never journals: most apps may not
# have that scope, and one refused scope refuses all.
USUAL = MappingProxyType(
    {
        "granular": (
            *SIGN_IN,
            "accounting.settings.read",
            "accounting.contacts.read",
            "accounting.invoices.read",
            "accounting.payments.read",
            "accounting.banktransactions.read",
            "accounting.manualjournals.read",
            "accounting.budgets.read",
            *(f"accounting.reports.{name}.read" for name in _REPORTS),
        ),
        "broad": (
            *SIGN_IN,
            "accounting.settings.read",
            "accounting.contacts.read",
            "accounting.transactions.read",
            "accounting.budgets.read",
            "accounting.reports.read",
        ),
    }
)


@dataclass(frozen=True)
class Choice:
    """One thing to grant, as a person reads it, and its scopes as the app asks for them.

    What is not offered is not named by the Airflow connection; its scopes are empty.
    """

    key: str
    label: str
    description: str
    scopes: tuple[str, ...]
    is_required: bool
    is_default: bool
    is_offered: bool


@dataclass(frozen=True)
class _Kind:
    key: str
    label: str
    description: str
    # Beginnings of scope names; the rest are `.read` and the names of single reports.
    begins: tuple[str, ...]
    is_required: bool = False


_KINDS = (
    _Kind(
        "accounting",
        "Accounting data",
        "Invoices, bills, credit notes, quotes, orders, payments, bank transactions, contacts, "
        "accounts, tax rates, tracking and the organisation's settings. Needed for every figure.",
        (
            "accounting.settings",
            "accounting.contacts",
            "accounting.transactions",
            "accounting.invoices",
            "accounting.payments",
            "accounting.banktransactions",
        ),
        is_required=True,
    ),
    _Kind(
        "manual_journals",
        "Manual journals",
        "What an accountant posted by hand: accruals, corrections, depreciation.",
        ("accounting.manualjournals",),
    ),
    _Kind(
        "reports",
        "Reports",
        "Trial balance, profit and loss, balance sheet and others, against which every figure "
        "is checked each day.",
        ("accounting.reports",),
    ),
    _Kind(
        "budgets",
        "Budgets",
        "Budgets by account and month, to compare with what happened.",
        ("accounting.budgets",),
    ),
    _Kind(
        "journals",
        "Journals",
        "The general ledger line by line. Xero gives it to few apps.",
        ("accounting.journals",),
    ),
    _Kind(
        "attachments",
        "Attachments",
        "The files that hang on invoices, bills and other documents.",
        ("accounting.attachments",),
    ),
)
_OTHER = _Kind("other", "Other", "What else this app asks Xero for.", ())


def choices_of(scopes: Sequence[str]) -> tuple[Choice, ...]:
    """What may be granted to an app that asks for `scopes`, the needed ones first.

    Choices that the app does not ask for are told, too, as not offered.
    """
    found = [_choice(kind, _of_kind(kind, scopes)) for kind in _KINDS]
    # The broad scope of transactions holds manual journals as well.
    is_broad = not BROAD.isdisjoint(scopes)
    told = [one for one in found if not (is_broad and one.key == "manual_journals")]
    others = tuple(scope for scope in scopes if scope not in SIGN_IN and _kind_of(scope) is None)
    return (*told, *([_choice(_OTHER, others)] if others else []))


def chosen(scopes: Sequence[str], keys: Collection[str] | None) -> tuple[str, ...]:
    """The scopes to ask for when a person chose `keys` of `choices_of(scopes)`.

    All of them where nobody was asked (None), the needed ones alone where nothing was chosen.
    Unknown keys are ignored.
    """
    if keys is None:
        return tuple(scopes)
    left_out = {
        scope
        for choice in choices_of(scopes)
        if not choice.is_required and choice.key not in keys
        for scope in choice.scopes
    }
    return tuple(scope for scope in scopes if scope not in left_out)


def are_read_only(scopes: Sequence[str]) -> bool:
    """Whether nothing at Xero can be changed with these scopes."""
    return all(scope in SIGN_IN or scope.endswith(".read") for scope in scopes)


def expanded(text: str) -> tuple[str, ...]:
    """The scopes of the form's field: names, and the words `granular` and `broad` for the usual.

    Each once, in the order in which they are first named.
    """
    named = [scope for word in text.split() for scope in USUAL.get(word, (word,))]
    return tuple(dict.fromkeys(named))


def why_refused(scopes: Sequence[str]) -> str:
    """What to change in the field Scopes of an app whose request for `scopes` Xero refused."""
    if "accounting.journals.read" in scopes:
        return (
            "leave out accounting.journals.read, which Xero gives to few apps, unless yours was "
            "granted it"
        )
    if not BROAD.isdisjoint(scopes):
        return (
            "apps made since March 2026 may not ask for accounting.transactions or "
            "accounting.reports.read: write the word granular instead"
        )
    return (
        "an app made before March 2026 that Xero has not given the granular scopes needs the "
        "word broad instead; any other app may lack one that was added by hand"
    )


def _choice(kind: _Kind, scopes: tuple[str, ...]) -> Choice:
    is_offered = bool(scopes)
    return Choice(
        kind.key,
        kind.label,
        kind.description,
        scopes,
        is_required=kind.is_required,
        is_default=is_offered,
        is_offered=is_offered,
    )


def _of_kind(kind: _Kind, scopes: Sequence[str]) -> tuple[str, ...]:
    return tuple(scope for scope in scopes if _kind_of(scope) is kind)


def _kind_of(scope: str) -> _Kind | None:
    def belongs(begin: str) -> bool:
        return scope == begin or scope.startswith(f"{begin}.")

    return next((kind for kind in _KINDS if any(map(belongs, kind.begins))), None)
