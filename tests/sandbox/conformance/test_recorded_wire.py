"""Bytes, headers, tokens and refusals look like those that were recorded."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.conformance.answers import Reader
from tests.sandbox.conformance.conftest import EVE, Answers, Everything
from tests.sandbox.conformance.explained import REFUSALS, WIRE
from tests.sandbox.conformance.shapes import shape_of
from tests.sandbox.conftest import App, bearer

pytestmark = pytest.mark.real_payloads

GUID = re.compile(r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b")


@pytest.fixture(scope="module")
def exchanges(recorded: Path) -> list[dict[str, Any]]:
    path = recorded / "demo-company-nz-2020" / "recorded-exchanges.json"
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))
    return found


def recorded_one(exchanges: list[dict[str, Any]], end: str) -> dict[str, Any]:
    return next(each for each in exchanges if each["uri"].endswith(end))


def test_every_answer_is_laid_out_as_recorded(answers: Answers, recorded: Path) -> None:
    """CRLF, two blanks a level, an escaped slash before and after a date, ids in lower case."""
    theirs = recorded / "demo-company-nz-2020" / "demo-nz-2020-invoices-page1.json"
    texts = [theirs.read_bytes().decode()] + [
        response.content.decode()
        for given in answers.values()
        for response in given
        if response.is_success and "json" in response.headers["Content-Type"]
    ]
    assert len(texts) > len(answers) / 2
    for text in texts:
        assert re.match(r'\{\r\n  "Id": "[0-9a-f-]{36}",\r\n  "Status": "OK",\r\n', text)
        assert not re.search(r"(?<!\r)\n", text), "a line end without CR"
        assert not re.search(r'"/Date\(', text), "a date with a plain slash"
        assert [found for found in GUID.findall(text) if found != found.lower()] == []


def lacking(ours: httpx.Headers, theirs: dict[str, str]) -> set[str]:
    return {name for name in theirs if name not in ours and name not in WIRE}


def test_the_headers_of_answers_are_those_recorded(
    everything: Everything, reader: Reader, exchanges: list[dict[str, Any]]
) -> None:
    app, tokens = everything.app, everything.login.tokens()
    pairs = [
        (reader.get("/Invoices", {"page": "1"}), "Invoices?page=1"),
        (reader.get("/Organisation"), "/Organisation"),
        (app.http.get("/Connections", headers=bearer(tokens)), "/Connections"),
        (app.exchange(app.code(EVE)), "/connect/token"),
    ]
    for response, end in pairs:
        assert response.status_code == 200
        theirs = recorded_one(exchanges, end)["response_headers"]
        assert lacking(response.headers, theirs) == set(), end
        for name in ("Content-Type", "Cache-Control", "Pragma"):
            assert response.headers[name].lower() == theirs[name].lower(), (end, name)
    unused = {
        name for name in WIRE if not any(name in each["response_headers"] for each in exchanges)
    }
    assert unused == set()


def test_the_correlation_id_of_the_header_is_the_id_of_the_envelope(
    reader: Reader, exchanges: list[dict[str, Any]]
) -> None:
    theirs = recorded_one(exchanges, "/Organisation")
    assert theirs["body"]["Id"] == theirs["response_headers"]["Xero-Correlation-Id"]
    ours = reader.get("/Organisation")
    assert ours.json()["Id"] == ours.headers["Xero-Correlation-Id"]


def test_connections_and_tokens_have_the_recorded_fields(
    everything: Everything, exchanges: list[dict[str, Any]]
) -> None:
    app, tokens = everything.app, everything.login.tokens()
    theirs = shape_of(recorded_one(exchanges, "/Connections")["body"])
    ours = shape_of(app.http.get("/connections", headers=bearer(tokens)).json())
    # Both came later.
    assert ours == theirs | {"authEventId": {"id"}, "tenantName": {"text"}}
    token = recorded_one(exchanges, "/connect/token")["body"]
    assert set(tokens) == set(token)
    assert shape_of([tokens]) == shape_of([token])


def refusals(app: App, tenant_id: str) -> dict[str, httpx.Response]:
    """The refusals of this API among the recorded ones, by the name of the recording."""
    path = "Organisation"
    tokens = app.connect(organisations=[tenant_id])
    found = {
        "invalid_oauth2_request_token": app.read({"access_token": "garbage"}, path, tenant_id),
        "invalid_tenant_header": app.read(tokens, path, "x" * 36),
    }
    app.sandbox.control("POST", "clocks", {"advance_seconds": 3600})
    found["expired_oauth2_token"] = app.read(tokens, path, tenant_id)
    return found


def test_refusals_have_the_recorded_status_and_fields(app: App, tiny: str, recorded: Path) -> None:
    found = refusals(app, tiny)
    for name, response in found.items():
        theirs = json.loads((recorded / "wire-errors" / f"{name}.json").read_text("utf-8"))
        by_lower = {key.lower(): value for key, value in theirs.items()}
        ours = {key.lower(): value for key, value in response.json().items()}
        assert response.status_code == by_lower["status"], name
        assert set(ours) - set(by_lower) == {"type", "extensions"}, name
        assert set(by_lower) <= set(ours), name
        assert ours["title"] == by_lower["title"], name
        assert pattern(ours["detail"]) == pattern(by_lower["detail"]), name
        assert ours["instance"] == response.headers["Xero-Correlation-Id"], name
    listed = {path.stem for path in (recorded / "wire-errors").glob("*.json")}
    assert listed == {*found, *REFUSALS}


def pattern(text: str) -> str:
    return re.sub(r"\d", "9", text)
