"""Xero's price tiers, as far as they bound how many organisations an app may be connected to.

Knows numbers only. Must not know who counts. Source: https://developer.xero.com/pricing
"""

from __future__ import annotations

from types import MappingProxyType

CONNECTIONS = MappingProxyType(
    {"starter": 5, "core": 50, "plus": 1_000, "advanced": 10_000, "enterprise": None}
)
"""Tier → its connections, one for each organisation of each Xero user; None without a bound."""
