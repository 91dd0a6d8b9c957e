"""One lever of the control door: where it is, what it does, and what it takes.

Knows the table's row. Must not know what happens when a lever is pulled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from xero_sandbox.control.wishes import Wishes


@dataclass(frozen=True)
class Lever:
    """`path` is relative to the door, `takes` says each field's meaning (`…`: and any other).

    `pull` gets the fields and returns what is sent as JSON; None is sent as an empty 204.
    """

    method: str
    path: str
    pull: Callable[[Wishes], Awaitable[object]]
    does: str
    takes: Mapping[str, str] = field(default_factory=dict)
    status: int = 200

    def as_json(self, door: str) -> dict[str, object]:
        """The lever as the index shows it."""
        return {
            "method": self.method,
            "path": door + self.path,
            "does": self.does,
            "takes": dict(self.takes),
        }
