"""Exchange rates that move from day to day and follow from the seed alone.

Knows rough levels of a few currencies. Must not know documents. A rate is a market figure, not
money: it is computed with floats and handed out as a decimal with six places.
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal

from xero_sandbox.ids import random_of

# Units of the currency for one US dollar.
_LEVELS = {
    "AUD": 1.52,
    "CAD": 1.37,
    "EUR": 0.92,
    "GBP": 0.785,
    "JPY": 149.0,
    "NZD": 1.66,
    "SGD": 1.34,
    "USD": 1.0,
}


def rate_on(day: date, *, base: str, currency: str, seed: object) -> Decimal:
    """Return how many units of `currency` one unit of `base` buys on `day`, six places."""
    if currency == base:
        return Decimal("1.000000")
    phases = random_of(seed, "rate", base, currency)
    slow, fast = phases.random() * math.tau, phases.random() * math.tau
    number = day.toordinal()
    noise = random_of(seed, "rate", base, currency, number).uniform(-0.004, 0.004)
    swing = 0.05 * math.sin(number / 61 + slow) + 0.02 * math.sin(number / 13 + fast) + noise
    return Decimal(f"{_LEVELS[currency] / _LEVELS[base] * (1 + swing):.6f}")
