"""One read operation of the accounting API: its path, who may call it, and what it answers with.

Knows paths, scopes and media types. Must not know records, or how a call is let through.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

JSON = "application/json"
ANYTHING = "*/*"
_QUALITY = re.compile(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)")

Endpoint = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


class Operation(Route):
    """A route below `/api.xro/2.0`, found in any case, as Xero finds it.

    `scopes` are alternatives of which a token must have one. `accepts` are the media types it
    can answer with; ANYTHING is for bytes that are what they are (a file, a PDF).
    """

    def __init__(
        self,
        path: str,
        endpoint: Endpoint,
        *,
        scopes: tuple[str, ...],
        accepts: tuple[str, ...] = (JSON,),
    ) -> None:
        super().__init__(path, endpoint, methods=["GET"])
        self.path_regex = re.compile(self.path_regex.pattern, re.IGNORECASE)
        self.scopes = scopes
        self.accepts = accepts

    def answers(self, accept: str) -> bool:
        """Whether a request with this Accept header gets what it asks for.

        A header that says anything goes does not ask for JSON: Xero would answer it in XML.
        """
        return ANYTHING in self.accepts or best_of(self.accepts, accept) is not None


def best_of(kinds: Sequence[str], accept: str) -> str | None:
    """The one of some media types that an Accept header likes best, the first of equals.

    None when it names none of them, or refuses them by `q=0`.
    """
    liked = dict(map(_preference, accept.casefold().split(",")))
    best = max(kinds, key=lambda kind: liked.get(kind, 0.0))
    return best if liked.get(best, 0.0) > 0 else None


def _preference(part: str) -> tuple[str, float]:
    """A media type of an Accept header, and how much it is liked, from 0 to 1."""
    kind, *parameters = (piece.strip() for piece in part.split(";"))
    quality = next(filter(None, map(_QUALITY.fullmatch, parameters)), None)
    return kind, float(quality[1]) if quality else 1.0
