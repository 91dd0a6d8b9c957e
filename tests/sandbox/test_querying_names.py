"""What `where` and `order` can name: all that Xero publishes, all that is spelled, nothing else."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from tests.conftest import REPOSITORY
from tests.sandbox.asking import BY_PATH, Given, Xero, xero_of
from xero_sandbox.api.fields import comparable, kind_of
from xero_sandbox.api.highvolume import OPTIMISED
from xero_sandbox.api.properties import PROPERTIES, kind_in, type_of
from xero_sandbox.api.resources import RESOURCES
from xero_sandbox.api.selecting import parse_order
from xero_sandbox.api.where import parse_where
from xero_sandbox.business.company import build_company

OPENAPI = REPOSITORY.parent / "shared" / "reference" / "openapi" / "xero_accounting.yaml"
FILTERED = [each for each in RESOURCES if {"where", "order"} & set(each.params)]
LITERALS = {
    "Boolean": "true",
    "DateTime": "DateTime(2026,1,1)",
    "Decimal": "1.5",
    "Guid": 'Guid("a0000000-0000-4000-8000-00000000000a")',
    "String": '"x"',
}

Schema = Mapping[str, Any]


@pytest.fixture(scope="module")
def published() -> Schema:
    if not OPENAPI.is_file():
        pytest.skip(f"the published file is not here: {OPENAPI}")
    document: Schema = yaml.load(OPENAPI.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return document


def published_kind(schemas: Schema, schema: Schema) -> str:
    """The .NET type of a published property."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return "String" if schemas[name].get("type") == "string" else name
    if schema.get("format") == "uuid":
        return "Guid"
    if "x-is-msdate" in schema or "x-is-msdate-time" in schema:
        return "DateTime"
    plain = {"array": "List", "boolean": "Boolean", "number": "Decimal", "integer": "Decimal"}
    return plain.get(schema["type"], "String")


def published_properties(schemas: Schema, owner: str) -> dict[str, str]:
    schema = schemas[owner]
    parts = [schema, *schema.get("allOf", ())]
    return {
        name: published_kind(schemas, inner)
        for part in parts
        for name, inner in part.get("properties", {}).items()
    }


@pytest.mark.real_payloads
@pytest.mark.parametrize("owner", sorted(PROPERTIES))
def test_every_published_property_can_be_named_and_has_the_published_type(
    published: Schema, owner: str
) -> None:
    for name, kind in published_properties(published["components"]["schemas"], owner).items():
        assert kind_in(owner, name, at=0) == kind, name


@pytest.mark.real_payloads
def test_every_published_example_of_a_filter_or_an_order_is_read(published: Schema) -> None:
    read = 0
    for path, item in published["paths"].items():
        resource = BY_PATH.get(path.strip("/"))
        for each in item.get("get", {}).get("parameters", ()) if resource else ():
            if each.get("name") in ("where", "order"):
                text = each["example"].replace("&quot;", '"')
                parse = parse_where if each["name"] == "where" else parse_order
                parse(text, type_of(path.strip("/")))
                read += 1
    assert read > 30


def spelled(record: Mapping[str, Any], owner: str) -> Iterator[tuple[str, str, object]]:
    """Owner, name and value of every field of a record, but of those in lists."""
    for name, value in record.items():
        if isinstance(value, dict):
            yield from spelled(value, kind_in(owner, name, at=0))
        else:
            yield owner, name, value


def test_every_field_that_is_spelled_can_be_named_and_has_the_type_of_its_values() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    company = build_company("All", seed=3, days=120, now=now, traits={"features": ["all"]})
    seen = 0
    for resource in FILTERED:
        for record in company.records(resource.key):
            for owner, name, value in spelled(record, type_of(resource.key)):
                kind = kind_in(owner, name, at=0)
                seen += 1
                if kind == "Guid":
                    assert str(uuid.UUID(str(value))) == value, name
                elif kind == "List":
                    assert isinstance(value, list), name
                else:
                    assert kind_of(comparable(value)) == kind, (owner, name)
    assert seen > 1_000


def test_what_xero_has_optimised_can_be_named() -> None:
    for key, fields in OPTIMISED.items():
        for name in (*fields.equal, *fields.bound, *fields.order):
            parse_order(name, type_of(key))


@pytest.mark.parametrize("path", [each.path for each in FILTERED])
def test_every_property_of_a_resource_is_taken_in_any_case_and_a_typo_is_refused(path: str) -> None:
    resource = BY_PATH[path]
    xero, owner = xero_of(path, [{}]), type_of(resource.key)
    for name, kind in PROPERTIES[owner].items():
        sides = f"{name.upper()}=={LITERALS.get(kind, 'null')}"
        parse_where(f"{sides} AND {name}==null", owner)
    for param in {"where", "order"} & set(resource.params):
        for some in (xero, Xero(Given())):
            answer = some.get(f"/{path}?{param}={resource.id_field}s")
            assert answer.status_code == 400
            body = answer.json()
            assert body["Type"] == "QueryParseException"
            problem = f"No property or field '{resource.id_field}s' exists in type '{owner}'"
            assert body["Message"] == f"{problem} (at index 0)"


def test_types_refer_to_types() -> None:
    plain = {*LITERALS, "List"}
    for properties in PROPERTIES.values():
        assert set(properties.values()) <= plain | set(PROPERTIES)
    assert all(re.fullmatch("[a-z0-9]+", name) for each in PROPERTIES.values() for name in each)
