"""One question to Xero's accounting API: its address, its parameters, its headers.

Knows how Xero spells a question. Must not know tokens, answers or how often it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from urllib.parse import quote

from airflow_xero.asking import aware
from airflow_xero.endpoint import Endpoint, Paging, Params

PAGE_SIZE = 1000
"""The largest page Xero serves."""

JSON = "application/json"
_NO_PARAMS: Params = MappingProxyType({})


@dataclass(frozen=True)
class Question:
    """What is asked of one organisation.

    `below` are the parts of the path after the endpoint's own, such as an id and `History`; a
    question without them is about the list, of which `number` is the page. `since` (aware) asks
    for what changed after it, `extra` for more than the endpoint's own parameters; `accept` is the
    media type of the answer.
    """

    endpoint: Endpoint
    tenant_id: str
    since: datetime | None = None
    number: int = 1
    below: tuple[str, ...] = ()
    extra: Params = field(default_factory=lambda: _NO_PARAMS)
    accept: str = JSON

    def path(self) -> str:
        """The path after `/api.xro/2.0/`; a part can hold anything and stays one part."""
        return "/".join([self.endpoint.path, *(quote(part, safe="") for part in self.below)])

    def params(self) -> Params:
        """The query."""
        params = {**self.endpoint.params, **self.extra}
        if self.below or self.endpoint.paging is Paging.NONE:
            return params
        params["page"] = str(self.number)
        if self.endpoint.paging is Paging.SIZED:
            params["pageSize"] = str(PAGE_SIZE)
        return params

    def headers(self) -> dict[str, str]:
        """The headers, without the token's."""
        headers = {"Accept": self.accept, "Xero-Tenant-Id": self.tenant_id}
        if self.since is not None:
            # Exactly this form: zone suffixes and fractions are ignored or refused.
            moment = aware(self.since, "since").astimezone(UTC)
            headers["If-Modified-Since"] = moment.strftime("%Y-%m-%dT%H:%M:%S")
        return headers
