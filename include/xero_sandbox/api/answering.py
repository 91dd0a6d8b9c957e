"""The 200 of the accounting API: records under their key, in the envelope, as a response.

Knows what the gate leaves in a request's state. Must not know what is answered, or how it is
spelled (`wire/format.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from xero_sandbox.wire.format import element, envelope, framed


def answer(
    request: Request,
    key: str,
    records: Iterable[Mapping[str, object] | bytes],
    *,
    pagination: Mapping[str, int] | None = None,
) -> Response:
    """The 200 of one accounting request: `records` under `key`, in the envelope.

    Records are bodies, or what `element` made of them. Reads `business_now`, `correlation_id` and
    `provider_name` from the request's state, where the app puts them. The app adds the headers.
    """
    head = envelope(
        correlation_id=request.state.correlation_id,
        provider_name=request.state.provider_name,
        now=request.state.business_now,
        pagination=pagination,
    )
    elements = [each if isinstance(each, bytes) else element(each) for each in records]
    return Response(framed(head, key, elements), media_type="application/json; charset=utf-8")
