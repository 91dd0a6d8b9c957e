"""What can be chosen about an organisation when it is created.

Knows the names of the traits, their defaults and their limits. Must not know what a business
does with them. A trait that is not given follows from the seed, the size or the country.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from xero_sandbox.books.countries import COUNTRIES, CURRENCY_NAMES, TIMEZONES, Country
from xero_sandbox.business.names import TRADES

FEATURES: Mapping[str, str] = {
    "approvals": "bills wait for approval; some are turned down",
    "attachments": "files hang on bills, invoices and receipts",
    "batches": "bills are paid, and customers pay, many at once",
    "budgets": "an overall budget and one of a tracking option",
    "conversion": "balances brought over from the books before Xero",
    "depreciation": "fixed assets lose value at every month end",
    "discounts": "many sales lines carry a discount, odd ones among them",
    "every_script": "lines are described in every script, with markup and emoji",
    "expense_claims": "staff claim expenses and are paid back; no document shows it",
    "foreign_banks": "a bank account in each foreign currency",
    "groups": "contacts stand in groups",
    "history": "people leave notes on documents, and when they expect the money",
    "inclusive": "prices contain their tax with many contacts",
    "linked": "lines of bills are charged on to customers",
    "manual_journals": "accruals and corrections by hand: drafts, reversals, voids",
    "mixed_taxes": "zero-rated, exempt, reduced and multi-component tax rates",
    "owner_payments": "the owner pays some bills from an own pocket",
    "overpayments": "customers pay too much; it is applied or refunded",
    "payroll": "wages at every month end; no document shows it",
    "prepayments": "customers and suppliers are paid in advance; applied or refunded",
    "purchase_orders": "orders to suppliers, most of which become bills",
    "quotes": "offers to customers, some of which become invoices",
    "repeating": "templates that write invoices and bills",
    "rounding": "suppliers round totals; cents are left over at the bank",
    "stock": "tracked items at average cost",
    "tracking": "two tracking categories; options are renamed and archived",
    "transfers": "money moves between own accounts, a credit card among them",
    "upkeep": "accounts are renamed and archived, contacts merged, old documents changed",
}
"""What a business can do beyond selling, buying and paying."""

ALL = "all"

SIZES: Mapping[str, Mapping[str, Any]] = {
    "small": {
        "invoices_per_day": 0.2,
        "bills_per_day": 0.15,
        "bank_transactions_per_day": 0.1,
        "customers": 4,
        "suppliers": 3,
    },
    "medium": {},
    "large": {
        "invoices_per_day": 20.0,
        "bills_per_day": 8.0,
        "bank_transactions_per_day": 6.0,
        "customers": 120,
        "suppliers": 40,
    },
    "huge": {
        "invoices_per_day": 166.0,
        "bills_per_day": 26.0,
        "bank_transactions_per_day": 10.0,
        "customers": 900,
        "suppliers": 120,
        "extra_lines": 1,
    },
}
"""Averages by size; medium is the default. Two years of a huge one are 100,000 invoices."""


MOST_DOCUMENTS = 400_000
"""What an organisation may have, extra lines included: a huge one of three years."""


class TraitError(ValueError):
    """A trait that does not exist, or a value it cannot have."""


@dataclass(frozen=True)
class Traits:
    """What an organisation is like.

    `country` is one of `COUNTRIES`; `timezone` in Xero's spelling; `year_end` (day, month);
    `currencies` beside the base currency, whose presence makes it a multi-currency
    organisation; `features` are what the business does beyond the plain one, "all" of them or
    any of `FEATURES`; averages of a working day: `invoices_per_day`, `bills_per_day`,
    `bank_transactions_per_day`; `extra_lines` on each invoice; `customers` and `suppliers` known
    on the first day; `size` gives those averages at once; `is_demo` for Xero's Demo Company flag.
    """

    country: str = "NZ"
    timezone: str = ""
    year_end: tuple[int, int] | None = None
    currencies: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    size: str = "medium"
    trade: str = ""
    invoices_per_day: float = 2.0
    bills_per_day: float = 1.2
    bank_transactions_per_day: float = 1.0
    extra_lines: int = 0
    customers: int = 18
    suppliers: int = 9
    is_demo: bool = False

    def check_days(self, days: int) -> None:
        """Raise TraitError when so many days of business would be more than a machine can hold."""
        invoices = self.invoices_per_day * (1 + self.extra_lines)
        found = days * (invoices + self.bills_per_day + self.bank_transactions_per_day)
        if found > MOST_DOCUMENTS:
            raise TraitError(
                f"{days} days would be about {found:,.0f} documents and extra lines: "
                f"choose fewer days or smaller averages, for at most {MOST_DOCUMENTS:,}"
            )

    @property
    def land(self) -> Country:
        """The country's chart and tax rates."""
        return COUNTRIES[self.country]


_LISTS = ("currencies", "features", "year_end")
_COUNTS = ("extra_lines", "customers", "suppliers")
_MOST = {"extra_lines": 100, "customers": 10_000, "suppliers": 10_000}
_MOST_A_DAY = 2_000
_AVERAGES = ("invoices_per_day", "bills_per_day", "bank_transactions_per_day")


def traits_of(given: Mapping[str, Any]) -> Traits:
    """Return the traits for a mapping as JSON gives it.

    Raises TraitError, naming what is allowed, for an unknown trait or value.
    """
    known = {field.name for field in fields(Traits)}
    unknown = sorted(set(given) - known)
    if unknown:
        allowed = ", ".join(sorted(known))
        raise TraitError(f"unknown traits: {', '.join(unknown)} (known: {allowed})")
    size = given.get("size", "medium")
    _one_of("size", size, SIZES)
    traits = Traits(**{**SIZES[size], **{name: _listed(name, given[name]) for name in given}})
    _one_of("country", traits.country, COUNTRIES)
    features = _features(traits.features)
    traits = replace(
        traits,
        timezone=traits.timezone or traits.land.timezone,
        year_end=_year_end(traits.year_end or traits.land.year_end),
        features=features,
        currencies=traits.currencies or _currencies(traits.land, features),
    )
    _one_of("timezone", traits.timezone, TIMEZONES)
    for currency in traits.currencies:
        _one_of("currencies", currency, CURRENCY_NAMES)
    if traits.trade:
        _one_of("trade", traits.trade, TRADES)
    for name in (*_AVERAGES, *_COUNTS):
        _in_bounds(name, getattr(traits, name))
    return traits


def _listed(name: str, value: Any) -> Any:
    if name not in _LISTS or not value:
        return value
    if not isinstance(value, list | tuple):
        raise TraitError(f"{name} must be a list, got {value!r}")
    return tuple(value)


def _features(given: Sequence[str]) -> tuple[str, ...]:
    """The features in one order, each once; `all` stands for every one."""
    for name in given:
        _one_of("features", name, [*FEATURES, ALL])
    return tuple(name for name in FEATURES if name in given or ALL in given)


def _currencies(land: Country, features: Sequence[str]) -> tuple[str, ...]:
    """Foreign bank accounts need foreign currencies."""
    if "foreign_banks" not in features:
        return ()
    return tuple(code for code in ("USD", "EUR", "JPY") if code != land.currency)


def _year_end(value: tuple[Any, ...]) -> tuple[int, int]:
    """A day that some year has: 29 February is one."""
    day, month = value if len(value) == 2 else (0, 0)
    is_a_day = isinstance(day, int) and isinstance(month, int) and 1 <= month <= 12
    if not is_a_day or not 1 <= day <= calendar.monthrange(2024, month)[1]:
        raise TraitError(f"year_end must be a day and a month, such as [31, 3], got {value!r}")
    return day, month


def _one_of(name: str, value: object, allowed: Iterable[str]) -> None:
    if value not in list(allowed):
        raise TraitError(f"{name} {value!r} is not one of {', '.join(sorted(allowed))}")


def _in_bounds(name: str, value: object) -> None:
    kinds: Any = int if name in _COUNTS else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or value < 0:
        raise TraitError(f"{name} must be a number of at least 0, got {value!r}")
    most = _MOST.get(name, _MOST_A_DAY)
    if value > most:
        raise TraitError(f"{name} must be at most {most:,}, got {value!r}")
