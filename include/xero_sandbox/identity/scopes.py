"""The scopes that Xero knows, in the words of its consent page, and who may ask for which.

Knows names only. Which resource needs which scope is said where the resource is served. Follows
Xero's "Scopes" and its questions and answers on granular scopes: an app made before March 2026
asks for the broad ones, one made since for the granular ones alone, and one in between may mix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

ERAS: Mapping[str, str] = MappingProxyType(
    {
        "broad": "made before March 2026 and not moved yet: no granular scope",
        "mixed": "made before March 2026 and given the granular scopes: both kinds",
        "granular": "made since: granular scopes alone, and nothing that is closed to new apps",
    }
)
"""The eras of an app, in words."""

_REPORTS = {
    "aged": "aged receivables and payables",
    "balancesheet": "balance sheet",
    "banksummary": "bank summary",
    "budgetsummary": "budget summary",
    "executivesummary": "executive summary",
    "profitandloss": "profit and loss",
    "trialbalance": "trial balance",
    "taxreports": "tax reports",
    "tenninetynine": "1099 report",
}
_AREAS = {
    "accounting.transactions": "invoices, payments and bank transactions",
    "accounting.invoices": "invoices, bills, credit notes, quotes, purchase orders and items",
    "accounting.payments": "payments, batch payments, prepayments and overpayments",
    "accounting.banktransactions": "money spent, received and moved between bank accounts",
    "accounting.manualjournals": "manual journals",
    "accounting.contacts": "contacts and contact groups",
    "accounting.settings": "organisation settings, accounts, tax rates and currencies",
    "accounting.attachments": "files attached to documents",
    "accounting.classicexpenses": "receipts and expense claims",
}
_SIGN_IN = {
    "openid": "Know who you are",
    "profile": "View your name",
    "email": "View your email address",
    "offline_access": "Stay connected while you are away",
}
_JOURNALS = "accounting.journals.read"
_READ_ONLY = {
    "accounting.budgets.read": "View your budgets",
    _JOURNALS: "View your general ledger journals",
    "accounting.reports.read": "View all of your reports",
    "paymentservices": "Manage your payment services",
}
_BROAD = ("accounting.transactions", "accounting.transactions.read", "accounting.reports.read")
_GRANULAR_AREAS = ("invoices", "payments", "banktransactions", "manualjournals", "classicexpenses")
_GRANULAR = (
    *(f"accounting.{area}{end}" for area in _GRANULAR_AREAS for end in ("", ".read")),
    *(f"accounting.reports.{name}.read" for name in _REPORTS if name != "tenninetynine"),
)
_CLOSED_TO_NEW_APPS = ("accounting.classicexpenses", "accounting.classicexpenses.read")

SCOPES_IN_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **_SIGN_IN,
        **{area: f"View and change your {words}" for area, words in _AREAS.items()},
        **{f"{area}.read": f"View your {words}" for area, words in _AREAS.items()},
        **_READ_ONLY,
        **{f"accounting.reports.{name}.read": f"View your {w}" for name, w in _REPORTS.items()},
    }
)
"""Every scope an app may ask a person for, as a sentence for the person who consents."""

SIGN_IN_SCOPES = tuple(_SIGN_IN)
APP_SCOPES = ("app.connections",)
"""What an app may ask for itself, without a user and without an organisation."""


@lru_cache
def allowed_scopes(era: str, *, is_premium: bool) -> frozenset[str]:
    """What an app of this era may ask a person for; the journals need a premium tier."""
    closed = {
        "broad": _GRANULAR,
        "mixed": (),
        "granular": (*_BROAD, *_CLOSED_TO_NEW_APPS),
    }[era]
    premium = () if is_premium else (_JOURNALS,)
    return frozenset(SCOPES_IN_WORDS).difference(closed, premium)


@lru_cache
def custom_scopes(era: str, *, is_premium: bool) -> tuple[str, ...]:
    """What a Custom Connection may have; a new one never gets the journals."""
    without = {*SIGN_IN_SCOPES, *((_JOURNALS,) if era == "granular" else ())}
    return tuple(sorted(allowed_scopes(era, is_premium=is_premium) - without))


def suffices(granted: Iterable[str], needed: Iterable[str]) -> bool:
    """Whether any of the alternatives in `needed` was granted; writing implies reading."""
    have = set(granted)
    have |= {f"{scope}.read" for scope in have}
    alternatives = set(needed)
    return not alternatives or not have.isdisjoint(alternatives)
