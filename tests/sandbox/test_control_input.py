"""Bad input at the control door: a sentence and a 400, whatever is sent, and nothing changes."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.conftest import App
from xero_sandbox.control.control import ControlDoor
from xero_sandbox.world import World

LEVERS = ControlDoor(World(demo=False)).levers
POSTS = [lever for lever in LEVERS if lever.method == "POST"]

numbers = st.one_of(
    st.integers(),
    st.sampled_from([10**400, -1, 0, 2**63]),
    st.floats(allow_nan=False, allow_infinity=False),
)
texts = st.one_of(
    st.text(max_size=12), st.sampled_from(["\0", "9999-12-31", "0001-01-01T00:00:00+14:00", "x@y"])
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.mark.parametrize("path", [lever.path for lever in POSTS])
def test_whatever_a_field_holds_there_is_an_answer_of_ours(app: App, tiny: str, path: str):
    lever = next(lever for lever in POSTS if lever.path == path)
    names = [name for name in lever.takes if name != "…"] or ["anything"]

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.dictionaries(st.sampled_from(names), values, max_size=4))
    def every(wanted):
        if path == "documents":
            wanted = {**wanted, "tenantId": tiny}
        response = app.http.post(f"/_sandbox/{path}", content=json.dumps(wanted).encode())
        assert response.status_code in (200, 201, 400), response.text
        if response.status_code == 400:
            assert set(response.json()) == {"error"}

    every()
    assert app.http.get("/").status_code == 200
    assert app.http.get("/_sandbox/limits").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b'{"business": NaN}',
        b'{"advance_seconds": Infinity}',
        b'{"business": "\\ud800"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_no_object_of_json_is_refused(app: App, body: bytes):
    response = app.http.post("/_sandbox/clocks", content=body)
    assert response.status_code == 400
    assert response.json()["error"].startswith("the body is not")


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"status": 99}, "status of a fault cannot be 99: from 200 to 599"),
        ({"status": 1000}, "status of a fault cannot be 1000"),
        ({"probability": 1.5}, "probability of a fault cannot be 1.5: from 0 to 1"),
        ({"call": 0}, "call of a fault cannot be 0"),
        ({"times": -1}, "times of a fault cannot be -1"),
        ({"seconds": -1}, "seconds of a fault cannot be -1"),
        ({"seconds": 1e300}, "seconds of a fault cannot be 1e+300"),
        ({"headers": {"X-Bad": "a\r\nb"}}, "is no header of HTTP"),
        ({"headers": {"X Bad": "a"}}, "is no header of HTTP"),
        ({"headers": {"X-Bad": "é€"}}, "is no header of HTTP"),
        ({"headers": {"Content-Length": "5"}}, "the server's own"),
        ({"headers": ["X"]}, "headers of a fault cannot be"),
        ({"record": "first"}, "record of a fault cannot be 'first'"),
    ],
)
def test_a_fault_that_could_not_be_carried_out_is_refused(app: App, rule, sentence: str):
    response = app.http.post("/_sandbox/faults", json={"path": "/connections", **rule})
    assert response.status_code == 400
    assert sentence in response.json()["error"]
    assert app.sandbox.control("GET", "faults") == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/_sandbox/unheard", 404),
        ("/_sandbox", 404),
        ("/_sandbox/organisations/nobody", 400),
        ("/_sandbox/organisations?figures=perhaps", 400),
        ("/_sandbox/organisations?colour=red", 400),
        ("/_sandbox/requests?since=yesterday", 400),
        ("/_sandbox/requests?since=99999999999999999999999", 200),
    ],
)
def test_a_question_that_makes_no_sense_is_no_failure(app: App, path: str, status: int):
    assert app.http.get(path).status_code == status


@pytest.mark.parametrize("host", ["[", "a b", "local host:x", "[::1", "x:99999"])
def test_a_host_that_cannot_be_read_is_no_failure(app: App, host: str):
    for path in ("/", "/_sandbox/health", "/.well-known/openid-configuration", "/connections"):
        response = app.http.get(path, headers={"Host": host})
        assert response.status_code < 500, (path, response.text)


def test_the_index_names_every_lever_and_each_is_there(app: App):
    index = app.sandbox.control("GET", "/_sandbox/")
    listed = {(lever["method"], lever["path"]) for lever in index["levers"]}
    assert listed == {(lever.method, f"/_sandbox/{lever.path}") for lever in LEVERS}
    assert all(lever["does"] for lever in index["levers"])
    assert {"record_edited", "drop_after", "nul_character"} <= set(index["faults"])
    assert "edit_invoice" in index["actions"]
    assert set(index["tiers"]) == {"starter", "core", "plus", "advanced", "enterprise"}
    for method, path in listed:
        wrong = "POST" if method == "GET" else "GET"
        if (wrong, path) not in listed and "{" not in path:
            assert app.http.request(wrong, path).status_code == 405


def test_every_field_of_the_table_is_one_that_the_door_knows(app: App):
    index = app.sandbox.control("GET", "/_sandbox/")
    takes = {lever["path"]: set(lever["takes"]) for lever in index["levers"] if lever["takes"]}
    assert takes["/_sandbox/limits"] == set(app.sandbox.control("GET", "limits")) - {"left"}
    read_only = {"client_id", "connections_left", "scopes"}
    assert takes["/_sandbox/app"] == set(app.sandbox.control("GET", "app")) - read_only
    rule = app.sandbox.control("POST", "faults", {"path": "/x"})
    assert takes["/_sandbox/faults"] == set(rule) - {"matched", "used"}


def test_one_organisation_is_described_with_what_it_is_built_from(app: App, tiny: str):
    found = app.sandbox.control("GET", f"organisations/{tiny.upper()}")
    assert found.pop("figures")["Invoices"] == 0
    assert found == {
        "tenantId": tiny,
        "name": "Tiny",
        "seed": 7,
        "days": 0,
        "traits": {},
        "payloads": None,
        "actions": 0,
    }


def test_a_list_of_names_builds_no_organisation(app: App):
    names = app.sandbox.control("GET", "organisations?figures=false")
    assert [each["name"] for each in names] == list(app.sandbox.organisations())
    assert not any(app.sandbox.world.is_built(each["tenantId"]) for each in names)
