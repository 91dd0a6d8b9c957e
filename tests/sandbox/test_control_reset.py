"""What is in flight at a reset: it ends without a trace in the new start."""

from __future__ import annotations

import threading
import time

import httpx
import pytest

from tests.sandbox.conftest import App, bearer
from xero_sandbox.business.company import Company
from xero_sandbox.errors import UnavailableError
from xero_sandbox.world import World


def test_a_request_that_outlives_a_reset_is_seen_by_nobody(app: App, kauri: str):
    tokens = app.connect(organisations=[kauri])
    app.sandbox.control("POST", "limits", {"enabled": False})
    rule = {"kind": "slow", "path": "/api.xro/2.0/Accounts", "seconds": 0.4}
    app.sandbox.control("POST", "faults", rule)
    with pytest.raises(httpx.ReadTimeout):
        app.http.get(
            "/api.xro/2.0/Accounts",
            headers=bearer(tokens) | {"Accept": "application/json", "xero-tenant-id": kauri},
            timeout=0.2,
        )
    app.sandbox.reset()
    time.sleep(0.5)
    assert app.sandbox.control("GET", "requests") == []
    assert not app.sandbox.world.is_built(kauri)


def test_a_client_that_waits_over_a_reset_is_told_so(app: App, kauri: str):
    tokens = app.connect(organisations=[kauri])
    app.sandbox.control("POST", "faults", {"kind": "slow", "path": "/connect/*", "seconds": 0.4})
    answers: list[httpx.Response] = []
    waiting = threading.Thread(target=lambda: answers.append(app.refresh(tokens["refresh_token"])))
    waiting.start()
    time.sleep(0.2)
    app.sandbox.reset()
    waiting.join()
    assert (answers[0].status_code, answers[0].text) == (503, "The sandbox was reset meanwhile")
    assert app.sandbox.control("GET", "requests") == []


def test_a_change_in_flight_at_a_reset_is_no_part_of_the_new_start(app: App, monkeypatch):
    world = app.sandbox.world
    (kauri, *_) = world.plans
    is_building, may_go_on = threading.Event(), threading.Event()
    act = Company.act

    def held_up(*given: object, **named: object) -> object:
        is_building.set()
        may_go_on.wait(10)
        return act(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Company, "act", held_up)
    change = {"tenantId": kauri, "action": "create_contact", "name": "Late"}
    waiting = [
        threading.Thread(
            target=app.http.post, args=("/_sandbox/documents",), kwargs={"json": change}
        )
        for _ in range(2)
    ]
    for each in waiting:
        each.start()
    assert is_building.wait(10)
    assert app.sandbox.control("GET", "health") == {"status": "ok"}
    app.sandbox.reset()
    may_go_on.set()
    for each in waiting:
        each.join()
    assert world.plans[kauri].actions == ()
    assert not world.is_built(kauri)


def test_who_waits_in_a_queue_is_refused_after_a_reset():
    world = World()
    (kauri, *_) = world.plans
    began = world.generation
    world.start()
    with pytest.raises(UnavailableError, match="reset meanwhile"):
        world.act(kauri, "create_contact", {"name": "Late"}, generation=began)
    assert not world.is_built(kauri)
