"""Every fault that the sandbox can make, at every endpoint: nothing is lost, doubled or halved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from airflow_xero.errors import (
    BadRequestError,
    ConsentLostError,
    HighVolumeError,
    NotFoundError,
    ScopeMissingError,
    TenantForbiddenError,
    UnavailableError,
    UnexpectedPayloadError,
    XeroError,
)
from tests.warehouse.extraction import BY_NAME
from tests.warehouse.misfortune import CALLS, arrange, assert_equal, faults_left, persevere

# What a try survives

PASSING: dict[str, dict[str, Any]] = {
    "drop": {},
    "answer_lost": {},
    "drop_after": {},
    "truncated": {},
    "offline": {},
    "slow": {"seconds": 0.01},
    "token_expired": {},
    "minute_limit": {"seconds": 5},
    "concurrent_limit": {},
    "app_minute_limit": {},
    "status": {"status": 500},
    "status 408": {"kind": "status", "status": 408},
    "status 502": {"kind": "status", "status": 502, "body": "<html>Bad gateway</html>"},
    "status 503": {"kind": "status", "status": 503, "headers": {"Retry-After": "5"}},
    "status 504 thrice": {"kind": "status", "status": 504, "times": 3},
    "status 429 bare": {"kind": "status", "status": 429},
}
FAST = ("truncated", "cut_json", "forbidden")


def pairs(faults: Mapping[str, Any]) -> list[Any]:
    """Each fault at first calls, and each kind of fault at later calls, too.

    All but a few belong to the campaign.
    """
    return [
        pytest.param(name, calls, marks=() if name in FAST else pytest.mark.campaign)
        for name in faults
        for calls in (CALLS[:1] if " " in name else CALLS)
    ]


@pytest.mark.parametrize(("kind", "calls"), pairs(PASSING))
def test_fault_that_passes_costs_no_try_at_any_endpoint(world, kind, calls):
    arrange(world, calls, **{"kind": kind, **PASSING[kind]})
    tries = persevere(world)
    assert [each.state for each in tries] == ["complete"]
    assert faults_left(world) == []
    assert_equal(world)


# What ends a try

JSON = {"Content-Type": "application/json"}
HIGH_VOLUME = '{"Type": "HighVolumeException", "Message": "Too many"}'
ENDING: dict[str, tuple[type[XeroError], dict[str, Any]]] = {
    "not_json": (UnexpectedPayloadError, {}),
    "cut_json": (UnexpectedPayloadError, {}),
    "scope_missing": (ScopeMissingError, {}),
    "forbidden": (TenantForbiddenError, {}),
    "status 400": (BadRequestError, {"kind": "status", "status": 400}),
    "high volume": (
        HighVolumeError,
        {"kind": "status", "status": 400, "body": HIGH_VOLUME, "headers": JSON},
    ),
    "status 404": (NotFoundError, {"kind": "status", "status": 404}),
    "status 302": (UnexpectedPayloadError, {"kind": "status", "status": 302}),
    "status 304": (UnexpectedPayloadError, {"kind": "status", "status": 304}),
    "no object": (
        UnexpectedPayloadError,
        {"kind": "status", "status": 200, "body": "[]", "headers": JSON},
    ),
    "no list": (
        UnexpectedPayloadError,
        {"kind": "status", "status": 200, "body": '{"Message": "?"}', "headers": JSON},
    ),
    "offline for long": (UnavailableError, {"kind": "offline", "times": 4}),
    "token_expired for long": (ConsentLostError, {"kind": "token_expired", "times": 2}),
}


@pytest.mark.parametrize(("kind", "calls"), pairs(ENDING))
def test_fault_that_ends_a_try_names_its_endpoint_and_the_next_try_goes_on(world, kind, calls):
    error, fault = ENDING[kind]
    names = arrange(world, calls, **{"kind": kind, **fault})
    tries = persevere(world)
    failed = [each.error for each in tries if each.error is not None]
    assert {type(each) for each in failed} == {error}
    assert {each.tenant_id for each in failed} == {world.tenant.tenant_id}
    # Where a person may lack a right, what is not needed is left out for a night instead.
    is_left_out = error in (ScopeMissingError, TenantForbiddenError)
    ending = [name for name in names if BY_NAME[name].is_required or not is_left_out]
    assert [each.endpoint for each in failed] == ending
    assert {name for each in tries for name in each.gaps or ()} <= set(names) - set(ending)
    assert faults_left(world) == []
    assert_equal(world)


@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.campaign
def test_day_limit_at_any_endpoint_is_waited_for_and_then_resumed(world, calls):
    names = arrange(world, calls, kind="day_limit", seconds=40_000)
    tries = persevere(world)
    assert [each.state for each in tries] == ["waiting_for_limit"] * len(names) + ["complete"]
    assert_equal(world)


# All of them

# One kind of fault, several ways.
VARIANTS = {
    *(name for name, fault in PASSING.items() if "kind" in fault),
    *(name for name, (_, fault) in ENDING.items() if "kind" in fault),
}
ELSEWHERE = {
    "day_limit",
    # test_faults_untrue.py
    "empty_list",
    "unknown_enum",
    "unknown_field",
    "nul_character",
    "record_edited",
    "disconnected",
    "refresh_answer_lost",
    "refused_refresh",
}


def test_every_fault_that_the_sandbox_can_make_is_tried(world):
    kinds = world.xero.sandbox.control("GET", "/_sandbox/")["faults"]
    assert set(kinds) == {*PASSING, *ENDING, *ELSEWHERE} - VARIANTS
