"""Ratios with the 28 or 29 digits that Xero writes: the arithmetic of .NET's 96-bit decimals.

Knows that arithmetic only: `149.68942572422760461357857665` of the published examples is what it
makes of 9172.63 / 1899.61 x 31.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

_MANTISSA_END = 2**96
_MOST_PLACES = 28
# Wide enough that a quotient is rounded once only, below.
_WIDE = Context(prec=100, rounding=ROUND_HALF_EVEN)


def divided(amount: Decimal, by: Decimal) -> Decimal:
    """Return amount / by, as many places as fit, without trailing zeros; `by` is not 0."""
    quotient = _fitted(_WIDE.divide(amount, by))
    if quotient == quotient.to_integral_value():
        return quotient.to_integral_value()
    return quotient.normalize(_WIDE)


def multiplied(ratio: Decimal, by: int) -> Decimal:
    """Return ratio x by; it keeps the places of the ratio while they fit."""
    return _fitted(_WIDE.multiply(ratio, Decimal(by)))


def written(value: Decimal) -> str:
    """Write a number with every place it has, never as a power of ten."""
    return f"{value:f}"


def _fitted(value: Decimal) -> Decimal:
    exponent = value.as_tuple().exponent
    places = min(_MOST_PLACES, max(0, -exponent) if isinstance(exponent, int) else 0)
    while places and abs(value.scaleb(places, _WIDE)) >= _MANTISSA_END:
        places -= 1
    return value.quantize(Decimal(1).scaleb(-places), context=_WIDE)
