"""What Xero is known to send: the fields of its records and of their parts, and closed values.

Whatever else arrives is stored as it is, and told once. Knows names only, and the table of what
was told; known ones are kept in `known_fields.json`, taken from Xero's published accounting API
(OpenAPI 16.1), from recordings of the API itself, and from what others met there: types of account
of payrolls, which no list of Xero's names. Must not know records, nor open or end a
transaction.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import psycopg


@dataclass(frozen=True)
class Known:
    """The fields of an endpoint's records, and the values that some of them can have.

    `parts` are the fields of those that hold records themselves, such as LineItems, `part_values`
    the values that some of these can have.
    """

    fields: Sequence[str]
    values: Mapping[str, Sequence[str]]
    parts: Mapping[str, Sequence[str]]
    part_values: Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(frozen=True, order=True)
class Drift:
    """Something Xero sent that it does not document: a field, or a value of a field."""

    endpoint: str
    field: str
    kind: str

    def __str__(self) -> str:
        return f"{self.endpoint}: new {self.kind} {self.field}"


@lru_cache(maxsize=1)
def _known() -> Mapping[str, Known]:
    text = resources.files("airflow_xero").joinpath("known_fields.json").read_text("utf-8")
    known = json.loads(text)
    endpoints, shapes = known["endpoints"], known["shapes"]
    # A shape that an endpoint gives by itself has that endpoint's values.
    values = {
        shape: endpoints[said]["values"] if isinstance(said, str) else said
        for shape, said in known["shape_values"].items()
    }
    return {
        name: Known(
            about["fields"],
            about["values"],
            {field: shapes[shape] for field, shape in about["parts"].items()},
            {field: values[shape] for field, shape in about["parts"].items() if shape in values},
        )
        for name, about in endpoints.items()
    }


def known_of(endpoint: str) -> Known | None:
    """What is known of an endpoint, by its name; None for reports, whose layout is their own."""
    return _known().get(endpoint)


def first_seen(
    cursor: psycopg.Cursor[Any],
    endpoint: str,
    *,
    fields: Sequence[str],
    values: Sequence[str],
    notices: Sequence[tuple[str, str]],
) -> tuple[Drift, ...]:
    """Remember what came and is not documented, by an endpoint's name; what nobody saw before.

    `notices` are headers, by name and text. Writes within the cursor's transaction.
    """
    seen = [(field, "field") for field in fields]
    seen += [(value, "value") for value in values]
    seen += [(f"{name}: {text}", "notice") for name, text in notices]
    return tuple(
        Drift(endpoint, field, kind)
        for field, kind in seen
        # Asked for a row, since a count of rows is not there yet while statements are pipelined.
        if cursor.execute(_ADD, {"endpoint": endpoint, "field": field, "kind": kind}).fetchone()
    )


_ADD = """
insert into xero_ops.schema_drift (endpoint, field, kind)
values (%(endpoint)s, left(%(field)s, 200), %(kind)s)
on conflict do nothing
returning true
"""
