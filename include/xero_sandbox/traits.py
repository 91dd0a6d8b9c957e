"""What can be chosen about an organisation when it is created.

Knows the names of the traits, their defaults and their limits. Must not know what a business
does with them. A trait that is not given follows from the seed or from the country.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from xero_sandbox.chart import COUNTRIES, CURRENCY_NAMES, TIMEZONES, Country
from xero_sandbox.names import TRADES


class TraitError(ValueError):
    """A trait that does not exist, or a value it cannot have."""


@dataclass(frozen=True)
class Traits:
    """What an organisation is like.

    `country` NZ, AU, GB or US; `timezone` in Xero's spelling; `year_end` (day, month);
    `currencies` beside the base currency, whose presence makes it a multi-currency
    organisation; averages of a working day: `invoices_per_day`, `bills_per_day`,
    `bank_transactions_per_day`; `customers` and `suppliers` known on the first day;
    `is_demo` for Xero's Demo Company flag.
    """

    country: str = "NZ"
    timezone: str = ""
    year_end: tuple[int, int] | None = None
    currencies: tuple[str, ...] = ()
    trade: str = ""
    invoices_per_day: float = 2.0
    bills_per_day: float = 1.2
    bank_transactions_per_day: float = 1.0
    customers: int = 18
    suppliers: int = 9
    is_demo: bool = False

    @property
    def land(self) -> Country:
        """The country's chart and tax rates."""
        return COUNTRIES[self.country]


def traits_of(given: Mapping[str, Any]) -> Traits:
    """Return the traits for a mapping as JSON gives it.

    Raises TraitError, naming what is allowed, for an unknown trait or value.
    """
    known = {field.name for field in fields(Traits)}
    unknown = sorted(set(given) - known)
    if unknown:
        allowed = ", ".join(sorted(known))
        raise TraitError(f"unknown traits: {', '.join(unknown)} (known: {allowed})")
    values: dict[str, Any] = {
        name: tuple(value) if name in ("currencies", "year_end") and value else value
        for name, value in given.items()
    }
    traits = Traits(**values)
    _one_of("country", traits.country, COUNTRIES)
    traits = replace(
        traits,
        timezone=traits.timezone or traits.land.timezone,
        year_end=traits.year_end or traits.land.year_end,
    )
    _one_of("timezone", traits.timezone, TIMEZONES)
    for currency in traits.currencies:
        _one_of("currencies", currency, CURRENCY_NAMES)
    if traits.trade:
        _one_of("trade", traits.trade, TRADES)
    for name in ("invoices_per_day", "bills_per_day", "bank_transactions_per_day"):
        _not_negative(name, getattr(traits, name))
    for name in ("customers", "suppliers"):
        _not_negative(name, getattr(traits, name))
    return traits


def _one_of(name: str, value: str, allowed: Mapping[str, object]) -> None:
    if value not in allowed:
        raise TraitError(f"{name} {value!r} is not one of {', '.join(sorted(allowed))}")


def _not_negative(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise TraitError(f"{name} must be a number of at least 0, got {value!r}")
