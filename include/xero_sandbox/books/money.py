"""Amounts: decimals with two places, rounded half away from zero.

Knows how Xero rounds and converts. Must not know documents, accounts or where an amount goes.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
ONE = Decimal("1.000000")
# By the number of places.
_UNITS = tuple(Decimal(1).scaleb(-count) for count in range(7))


def cents(amount: Decimal) -> Decimal:
    """Return `amount` with two places, half away from zero (decimal calls that ROUND_HALF_UP)."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def places(amount: Decimal, count: int) -> Decimal:
    """Return `amount` with `count` places, half away from zero."""
    return amount.quantize(_UNITS[count], ROUND_HALF_UP)


def in_base(amount: Decimal, rate: Decimal) -> Decimal:
    """Convert a foreign amount: Xero's rate is foreign units per one unit of base currency."""
    return amount if rate == ONE else cents(amount / rate)
