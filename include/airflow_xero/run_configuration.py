"""What a person gives a Dag's run as its configuration: which keys there are, what each may hold.

Every Dag that takes one asks here, so that a mistyped key or value is refused and not passed over.
Knows the JSON that somebody types into Airflow's form. Must not know Airflow, or what is done with
what it says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from airflow_xero.errors import XeroSetupError

DAY = "day"
TENANTS = "tenants"
FRESH = "fresh"
ACCEPT_DELETIONS = "accept_deletions"

Configuration: TypeAlias = Mapping[str, Any] | None
"""A run's configuration as Airflow hands it over; None where there is none."""

# There a day begins first.
_EASTERNMOST = timedelta(hours=14)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def require_known(conf: Configuration, *known: str) -> None:
    """Refuse what a Dag does not understand, before it does anything.

    Raises XeroSetupError for a key that is none of the `known` ones, naming those, and for a value
    that is not what its key holds. TENANTS, which must be there, is left to `asked_tenants`.
    """
    given = conf or {}
    if unknown := sorted(set(given) - set(known)):
        raise XeroSetupError(
            f"The run's configuration has {_listed(unknown)}, which this Dag does not know;"
            f" it knows {_listed(known) or 'none'}. Correct it and trigger a new run"
        )
    day_in(given)
    is_fresh(given, unless_said=False)
    _agreed(given)


def day_in(conf: Configuration) -> date | None:
    """The day that a run's configuration names, None where it names none.

    Raises XeroSetupError when it is no day in the form 2026-11-20.
    """
    configured = (conf or {}).get(DAY)
    if configured is None:
        return None
    return day_of(configured, what='The run\'s configuration "day"')


def day_of(value: object, *, what: str) -> date:
    """The day that a text says. `what` is the thing that holds it, as a message names it.

    Raises XeroSetupError for anything but 2026-11-20: other spellings of ISO 8601 mean the same to
    few people, and a week (2026-W47-5) is no day.
    """
    if isinstance(value, str) and _DAY.fullmatch(value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise XeroSetupError(f"{what} is {_shown(value)}; it must look like 2026-11-20")


def has_begun(day: date, *, now: datetime) -> bool:
    """Whether a day has begun in any time zone at a moment (aware)."""
    return day <= (now.astimezone(UTC) + _EASTERNMOST).date()


def asked_tenants(conf: Configuration) -> frozenset[str]:
    """The tenant ids that a run's configuration asks for, as the warehouse spells them.

    Raises XeroSetupError when it names none, or something that is no list of ids.
    """
    asked = (conf or {}).get(TENANTS)
    try:
        ids = frozenset(str(UUID(each)) for each in asked or ())
    except (AttributeError, TypeError, ValueError):
        ids = frozenset()
    if not ids or isinstance(asked, str):
        raise XeroSetupError(
            f'The run\'s configuration "tenants" is {_shown(asked)}; it must be a list of tenant'
            " ids. The page Xero starts this Dag by Extract now, in an organisation's menu"
        )
    return ids


def is_fresh(conf: Configuration, *, unless_said: bool) -> bool:
    """Whether what is read daily is read again, however lately it was.

    Raises XeroSetupError when the configuration says neither true nor false.
    """
    said = (conf or {}).get(FRESH, unless_said)
    if isinstance(said, bool):
        return said
    raise XeroSetupError(
        f'The run\'s configuration "fresh" is {_shown(said)}; it must be true or false'
    )


def accepts_deletions(conf: Configuration, tenant_id: str) -> bool:
    """Whether a run's configuration agrees that many records of an organisation are gone.

    Its `accept_deletions` is a list of tenant ids, or true for every organisation. Raises
    XeroSetupError when it is neither: a mistyped id would agree to nothing, and say nothing.
    """
    agreed = _agreed(conf)
    return agreed if isinstance(agreed, bool) else UUID(tenant_id) in agreed


def _agreed(conf: Configuration) -> bool | frozenset[UUID]:
    agreed = (conf or {}).get(ACCEPT_DELETIONS, False)
    if isinstance(agreed, bool):
        return agreed
    try:
        return frozenset(UUID(each) for each in agreed)
    except (AttributeError, TypeError, ValueError):
        raise XeroSetupError(
            f'The run\'s configuration "accept_deletions" is {_shown(agreed)}; it must be true, or'
            " a list of tenant ids"
        ) from None


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(map(_shown, keys))


def _shown(value: object) -> str:
    return repr(value)[:80]
