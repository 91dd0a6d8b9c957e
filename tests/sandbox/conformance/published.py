"""The published OpenAPI file, as a judge of answers.

Knows JSON schema. Must not know which of its complaints are explained; see `explained.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker

_HOME = "x-home"


@dataclass(frozen=True, order=True)
class Complaint:
    """What the file has against an answer: `Invoice.DueDate`, the broken rule, the value."""

    field: str
    rule: str
    value: str = ""

    @property
    def key(self) -> str:
        """As it is written in the table of explanations."""
        return f"{self.field} {self.rule}"


class Published:
    """One OpenAPI file: its GET operations and the schemas of their answers."""

    def __init__(self, path: Path) -> None:
        self._document: Any = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
        self.operations: dict[str, tuple[str, Any]] = {
            item["get"]["operationId"]: (path, item["get"])
            for path, item in self._document["paths"].items()
            if "get" in item
        }
        schemas = self._document["components"]["schemas"]
        for name, schema in schemas.items():
            _name_fields(schema, name)
        self._validators: dict[str, Any] = {}

    def parameters(self, operation: str) -> list[str]:
        """The names of the query parameters of an operation."""
        given = [
            self._resolved(each) for each in self.operations[operation][1].get("parameters", [])
        ]
        return [each["name"] for each in given if each["in"] == "query"]

    def complaints(self, operation: str, body: Any) -> Iterator[Complaint]:
        """What the file has against the JSON of an answer of this operation.

        A field that the file does not know is one, too.
        """
        for error in self._validator(operation).iter_errors(body):
            home = error.schema.get(_HOME, "")
            if error.validator == "additionalProperties":
                for key in sorted(set(error.instance) - set(error.schema["properties"])):
                    yield Complaint(f"{home}.{key}", "unknown", repr(error.instance[key])[:80])
            else:
                yield Complaint(home, str(error.validator), repr(error.instance)[:80])

    def _validator(self, operation: str) -> Any:
        if operation not in self._validators:
            responses = self.operations[operation][1]["responses"]
            content = self._resolved(responses["200"])["content"]
            schema = content["application/json"]["schema"]
            whole = {**schema, "components": self._document["components"]}
            if "$ref" in schema:
                whole = {"allOf": [schema], "components": self._document["components"]}
            self._validators[operation] = OAS30Validator(whole, format_checker=oas30_format_checker)
        return self._validators[operation]

    def _resolved(self, node: Any) -> Any:
        while "$ref" in node:
            target: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            node = target
        return node


def _name_fields(schema: Any, home: str) -> None:
    """Write into every schema which field it describes, and forbid fields it does not know."""
    if "$ref" in schema:
        return
    schema[_HOME] = home
    if "properties" in schema:
        schema["additionalProperties"] = False
        for name, inner in schema["properties"].items():
            _name_fields(inner, f"{home}.{name}")
    if "items" in schema:
        _name_fields(schema["items"], home)
