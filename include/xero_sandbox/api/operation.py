"""One read operation of the accounting API: its path, who may call it, and what it answers with.

Knows paths, scopes and media types. Must not know records, or how a call is let through.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

JSON = "application/json"
ANYTHING = "*/*"

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
        wanted = accept.casefold()
        return ANYTHING in self.accepts or any(kind in wanted for kind in self.accepts)
