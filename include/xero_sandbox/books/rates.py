"""Exchange rates that move from day to day and follow from the seed alone.

Knows rough levels of a few currencies. Must not know documents. A rate is a market figure, not
money: it is computed with floats and handed out as a decimal with six places.
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from functools import lru_cache

from xero_sandbox.books.ids import random_of

# Units of the currency for one US dollar.
_LEVELS = {
    "AUD": 1.52,
    "CAD": 1.37,
    "CHF": 0.88,
    "CNY": 7.2,
    "DKK": 6.86,
    "EUR": 0.92,
    "FJD": 2.25,
    "GBP": 0.785,
    "HKD": 7.8,
    "INR": 83.0,
    "JPY": 149.0,
    "NOK": 10.8,
    "NZD": 1.66,
    "SEK": 10.5,
    "SGD": 1.34,
    "THB": 35.0,
    "USD": 1.0,
    "ZAR": 18.5,
}


@lru_cache(maxsize=4096)
def rate_on(day: date, *, base: str, currency: str, seed: str) -> Decimal:
    """Return how many units of `currency` one unit of `base` buys on `day`, six places."""
    if currency == base:
        return Decimal("1.000000")
    slow, fast = _phases(base, currency, seed)
    number = day.toordinal()
    noise = random_of(seed, "rate", base, currency, number).uniform(-0.004, 0.004)
    swing = 0.05 * math.sin(number / 61 + slow) + 0.02 * math.sin(number / 13 + fast) + noise
    return Decimal(f"{_LEVELS[currency] / _LEVELS[base] * (1 + swing):.6f}")


@lru_cache(maxsize=1000)
def _phases(base: str, currency: str, seed: str) -> tuple[float, float]:
    """Where the slow and the fast swing of a pair of currencies begin."""
    random = random_of(seed, "rate", base, currency)
    return random.random() * math.tau, random.random() * math.tau
