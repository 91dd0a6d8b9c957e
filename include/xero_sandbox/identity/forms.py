"""Form bodies, read without a parser of multipart: OAuth forbids them anyway.

Knows encoding only.
"""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import Request

_TYPE = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, list[str]]:
    """The fields of a form body; none for any other content type. Blank values are kept."""
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().casefold()
    if content_type != _TYPE:
        return {}
    body = await request.body()
    return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)


def first(form: dict[str, list[str]], name: str) -> str | None:
    """The first value of a field, or None when it is missing or blank."""
    values = form.get(name)
    return values[0] if values and values[0] != "" else None
