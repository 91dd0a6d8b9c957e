"""How many requests one address may make of the public routes in a minute.

Knows addresses and counts, in this process's memory and within bounds: with several processes
each counts for itself. Nothing secret hangs on it, since links and states are 256 random bits; it
keeps strangers from keeping the warehouse busy. Must not know what is asked.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

REQUESTS_A_MINUTE = 120
"""Enough for an office of twenty behind one address that connects at the same moment."""

FILES_A_MINUTE = 1_200
"""The same office, when each of its browsers asks for every file of the page three times."""

_MOST_ADDRESSES = 10_000


class RequestBudget:
    """A bucket for each address: full at first, refilled evenly. May be shared by threads.

    `clock` gives seconds that never go back.
    """

    def __init__(
        self,
        *,
        a_minute: int = REQUESTS_A_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = float(a_minute)
        self._clock = clock
        self._lock = threading.Lock()
        # Address → what is left, and when that was so; the longest unseen first.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_seconds(self, address: str | None) -> int:
        """Take one request of the address: 0 when it may go on, else how long it should wait."""
        key, now = _network_of(address), self._clock()
        with self._lock:
            left, since = self._left.pop(key, (self._most, now))
            left = min(self._most, left + (now - since) * self._most / 60)
            is_allowed = left >= 1
            self._left[key] = (left - 1 if is_allowed else left, now)
            if len(self._left) > _MOST_ADDRESSES:
                self._left.popitem(last=False)
        return 0 if is_allowed else math.ceil((1 - left) * 60 / self._most)


def _network_of(address: str | None) -> str:
    """What one person has: an IPv4 address, or the 2^64 addresses of an IPv6 connection."""
    try:
        known = ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(known, IPv6Address) and known.ipv4_mapped is None:
        return str(IPv6Address(int(known) >> 64 << 64))
    return str(known)
