"""What a request says: its query parameters, and since when it wants records.

Knows how Xero reads names, lists, switches and dates. Must not know which resource takes what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from starlette.requests import Request

from xero_sandbox.errors import QueryParseError

_WHOLE = re.compile("(-?)0*([0-9]+)")
_MOST_DIGITS = 12
_VERY_MANY: int = 10**_MOST_DIGITS


class Query(Mapping[str, str]):
    """Query parameters by name, in any case, as Xero reads them; one sent twice is one list."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            self._values[key] = f"{self._values[key]},{value}" if key in self._values else value

    def __getitem__(self, key: str) -> str:
        return self._values[key.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def has(self, key: str) -> bool:
        """Whether a switch is on; the official SDK sends `True`."""
        return self.get(key, "").strip().lower() == "true"

    def listed(self, key: str) -> frozenset[str]:
        """The parts of a comma-separated parameter, in lower case."""
        parts = (part.strip().lower() for part in self.get(key, "").split(","))
        return frozenset(part for part in parts if part)

    def spelled(self, names: Sequence[str]) -> Mapping[str, str]:
        """The parameters under these spellings of their names; others in lower case."""
        spellings = {name.lower(): name for name in names}
        return {spellings.get(key, key): value for key, value in self._values.items()}

    def whole(self, key: str, default: int) -> int:
        """A whole number of any length; of very long ones, one as good as that.

        Raises QueryParseError for anything else.
        """
        text = self.get(key, "").strip()
        if not text:
            return default
        match = _WHOLE.fullmatch(text)
        if match is None:
            raise QueryParseError(f"The {key} parameter must be a whole number.")
        sign, digits = match[1], match[2]
        number = int(digits) if len(digits) <= _MOST_DIGITS else _VERY_MANY
        return -number if sign else number

    def day(self, key: str) -> date | None:
        """A date parameter. Raises QueryParseError unless it is YYYY-MM-DD, a time may follow."""
        text = self.get(key, "").strip()
        if not text:
            return None
        try:
            return date.fromisoformat(text[:10])
        except ValueError:
            raise QueryParseError(f"The {key} {text} cannot be read; send YYYY-MM-DD.") from None


def modified_since(request: Request) -> datetime | None:
    """Return the If-Modified-Since of a request in whole seconds of UTC, or None.

    Xero filters by it and never answers 304. A header that cannot be read filters nothing.
    """
    text = request.headers.get("If-Modified-Since", "").strip()
    if not text:
        return None
    try:
        moment = _moment(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parsedate_to_datetime(text)
