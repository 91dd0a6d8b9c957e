"""Answers that look right and are not, and faults that outlive their call: edits, lost consents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from airflow_xero import rereads
from airflow_xero.endpoint import Paging, Reading
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import ConsentLostError, TenantForbiddenError, UnexpectedPayloadError
from tests.warehouse.extraction import BY_NAME, NOW, ConnectedApp
from tests.warehouse.misfortune import (
    CALLS,
    LISTS,
    arrange,
    assert_equal,
    faults_left,
    persevere,
    try_once,
)
from xero_sandbox.control.rewriting import EDITS
from xero_sandbox.testing import SandboxServer

REWRITES = ("unknown_enum", "unknown_field", "nul_character")


# What Xero writes and does not document is kept as it is


@pytest.mark.parametrize("calls", CALLS)
@pytest.mark.parametrize("kind", [pytest.param(k, marks=pytest.mark.campaign) for k in REWRITES])
def test_record_with_something_new_is_stored_as_it_was_sent_and_all_others_as_ever(
    world, kind, calls
):
    names = arrange(world, calls, kind=kind)
    world.lies = True
    assert [each.state for each in persevere(world)] == ["complete"]
    assert faults_left(world) == []
    books = world.books(LISTS)
    differing = {
        endpoint.name: [
            {field for field in stored | record if stored.get(field) != record.get(field)}
            for key, record in books[endpoint.name].items()
            if (stored := world.stored(endpoint)[key]) != record
        ]
        for endpoint in LISTS
    }
    # A list of ids alone is not stored, and the offset's first page of journals is that of both.
    met = {name for name in names if name in books and (name, calls) != ("budgets", "first call")}
    assert {name for name, fields in differing.items() if fields} == met
    assert {len(fields) for name in met for fields in differing[name]} == {1}
    assert {len(differing[name]) for name in met} == {1}
    world.forget_watermarks()
    persevere(world)
    assert_equal(world)


# 200, but suddenly empty


def second_night(world: Any) -> None:
    """Everything was read once; a week later all is due again, and wanted whole."""
    persevere(world)
    world.now += timedelta(days=8)
    world.xero.set_clock(world.now)
    for endpoint in ENDPOINTS:
        if endpoint.reread_nights:
            where = (world.xero.rows, world.tenant.tenant_id, endpoint)
            rereads.want(*where, reason="a test wants it")


@pytest.mark.campaign
def test_list_that_is_suddenly_empty_is_an_alarm_and_nothing_is_deleted(world):
    second_night(world)
    before = {each.name: world.stored(each) for each in LISTS}
    for endpoint in ENDPOINTS:
        # First the changes, of which there are none; then the whole list.
        call = 2 if endpoint.reread_nights else 1
        world.xero.fault(endpoint.path, kind="empty_list", call=call)
    world.lies = True
    ended = []
    for _ in ENDPOINTS:
        ended.append(try_once(world))
        assert {each.name: world.stored(each) for each in LISTS} == before, ended[-1]
    alarms = {each.error.endpoint for each in ended if each.error}
    alarms |= {name for each in ended for name in each.gaps or ()}
    assert alarms >= {each.name for each in ENDPOINTS if each.never_empties}
    assert alarms >= {each.name for each in ENDPOINTS if each.reread_nights}
    assert {type(each.error) for each in ended if each.error} == {UnexpectedPayloadError}
    world.xero.end_faults()
    world.forget_watermarks()
    persevere(world)
    assert_equal(world)


@pytest.mark.campaign
def test_walk_whose_later_page_is_suddenly_empty_is_no_whole_walk(world):
    world.lengthen()
    names = arrange(world, "later call", kind="empty_list")
    world.lies = True
    tries = persevere(world)
    failed = [each.error for each in tries if each.error]
    assert {type(each) for each in failed} == {UnexpectedPayloadError}
    # Without a number of pages, an empty one after a full one is asked for again; journals go on
    # the next night after the last number.
    passed = {n for n in names if BY_NAME[n].paging is Paging.HUNDREDS}
    passed |= {n for n in names if BY_NAME[n].reading is Reading.NUMBERS}
    assert [each.endpoint for each in failed] == [n for n in names if n not in passed]
    assert faults_left(world) == []
    world.wait_until_due()
    persevere(world)
    assert_equal(world)


# Faults that outlive their call


@pytest.mark.campaign
def test_organisation_that_is_disconnected_at_any_endpoint_is_whole_after_connecting_again(world):
    arrange(world, "first call", kind="disconnected")
    tries = persevere(world)
    assert {type(each.error) for each in tries if each.error} == {TenantForbiddenError}
    assert faults_left(world) == []
    assert_equal(world)


REFRESH = {"refresh_answer_lost": set(), "refused_refresh": {ConsentLostError}}


@pytest.mark.campaign
@pytest.mark.parametrize("kind", REFRESH)
def test_refresh_that_goes_wrong_at_any_endpoint_costs_no_record(world, kind):
    names = arrange(world, "first call", kind="token_expired")
    asked: list[int] = []

    def spoil_the_refresh(response: Any) -> None:
        if response.status_code == 401:
            asked.append(401)
            world.xero.sandbox.control("POST", "faults", {"kind": kind})

    tries = persevere(world, on_response=spoil_the_refresh)
    assert len(asked) >= len(names)
    assert {type(each.error) for each in tries if each.error} == REFRESH[kind]
    assert faults_left(world) == []
    assert_equal(world)


# Records that are edited as soon as they were sent


@pytest.fixture
def living(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.endpoints = ENDPOINTS
        app.sandbox.control("POST", "limits", {"enabled": False, "page_size": 10})
        yield app


@pytest.mark.campaign
@pytest.mark.parametrize("page", ["1", "2", None])
def test_record_that_is_edited_once_it_was_sent_is_stored_as_it_is_now(living, page):
    tenant = living.organisation(days=45, features=["all"], size="small", bills_per_day=1)
    paths = [each.path for each in ENDPOINTS if each.array_key in EDITS]
    for path in paths:
        query = {} if path == "Accounts" or page is None else {"page": page}
        living.fault(path, kind="record_edited", query=query, times=1 if page else 4)
    assert len(paths) == len(EDITS)
    living.extract(tenant)
    living.end_faults()
    living.set_clock(NOW + timedelta(minutes=31))
    # What an edit changes elsewhere moves no stamp there: it is found by reading all again.
    for endpoint in ENDPOINTS:
        if endpoint.reread_nights:
            rereads.want(living.rows, tenant.tenant_id, endpoint, reason="a test wants it")
    assert living.extract(tenant).state == "complete"
    living.sandbox.control("POST", "limits", {"enabled": False, "page_size": 1000})
    for endpoint in LISTS:
        if endpoint.array_key in EDITS and endpoint.array_key != "Payments":
            assert living.stored(tenant, endpoint.name) == living.listed(tenant, endpoint)
