"""Ids and random numbers that follow from a seed.

Knows how to turn a seed and a purpose into a stream of numbers or GUIDs. Must not know what they
are used for. Two streams with the same seed and purpose are the same, on any machine.
"""

from __future__ import annotations

from random import Random


def random_of(*purpose: object) -> Random:
    """Return the random stream of a purpose, such as a seed, a tenant and a day."""
    # Seeding with a text hashes it (SHA-512), so that neighbouring days have unrelated streams.
    return Random("|".join(map(str, purpose)))


def new_guid(random: Random) -> str:
    """Return the next GUID of a stream, spelled like Xero's (version 4)."""
    digits = f"{random.getrandbits(128) & _RANDOM | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def share_of(guid: str, place: int) -> float:
    """Return a number from 0 to 1 that follows from a GUID, another one at each place 0 to 4.

    Cheaper than a stream, and draws from none: what is decided by it disturbs nothing else.
    """
    return int(guid[_PLACES[place]], 16) / 0x10000


# The bits of a GUID that say which version and variant it is, and all others.
_VERSION_4 = 0x4000_8000_0000_0000_0000
_RANDOM = ~0xF000_C000_0000_0000_0000
_PLACES = (slice(0, 4), slice(4, 8), slice(24, 28), slice(28, 32), slice(32, 36))
