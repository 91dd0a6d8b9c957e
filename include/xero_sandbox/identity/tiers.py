"""Xero's price tiers: what an app may do in each.

Knows numbers only. Follows Xero's pricing of March 2026: calls a day and organisation,
connections of the whole app, and what is kept for the Advanced tier (the journals, and several
organisations in one pass of consent).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Tier:
    """One tier; `connections` is None where there is no cap, `is_premium` from Advanced on."""

    day: int
    connections: int | None
    is_premium: bool = False
    has_rapid_sync: bool = False


TIERS: Mapping[str, Tier] = MappingProxyType(
    {
        "starter": Tier(1000, 5),
        "core": Tier(5000, 50),
        "plus": Tier(5000, 1000, has_rapid_sync=True),
        "advanced": Tier(5000, 10_000, is_premium=True, has_rapid_sync=True),
        "enterprise": Tier(5000, None, is_premium=True, has_rapid_sync=True),
    }
)
"""The tiers by name, cheapest first."""
