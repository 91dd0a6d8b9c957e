"""Faults that change a true answer: new values, new fields, NUL, half an answer, moved records."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import App
from xero_sandbox.books.actions import ACTIONS
from xero_sandbox.control.rewriting import EDITS

CONTACTS = "/api.xro/2.0/Contacts"
NAMES = ["Ada", "Bo", "Cleo", "Dan", "Eve"]


@pytest.fixture
def reader(app: App, tiny: str):
    """Reads an organisation of five contacts."""
    for name in NAMES:
        wanted = {"tenantId": tiny, "action": "create_contact", "name": name}
        app.sandbox.control("POST", "documents", wanted)
    tokens = app.connect()
    return lambda path="Contacts", **headers: app.read(tokens, path, tiny, **headers)


def arrange(app: App, path: str = CONTACTS, **rule: object) -> None:
    app.sandbox.control("POST", "faults", {"path": path, **rule})


def page(reader: Any, number: int, size: int = 2) -> list[str]:
    found = reader(f"Contacts?page={number}&pageSize={size}").json()["Contacts"]
    return [contact["Name"] for contact in found]


def without_noise(response: httpx.Response) -> str:
    """The body without what differs from answer to answer."""
    return re.sub(r'"(Id|DateTimeUTC)": "[^"]*"', "", response.text)


def test_a_value_that_no_client_knows_yet(app: App, reader):
    before = reader()
    arrange(app, kind="unknown_enum")
    after = reader()
    changed = before.json()["Contacts"][0] | {"ContactStatus": "BRANDNEWVALUE"}
    assert after.json()["Contacts"] == [changed, *before.json()["Contacts"][1:]]
    # Nothing but the one word differs: spelling, order and line ends are those of Xero.
    assert without_noise(after) == without_noise(before).replace('"ACTIVE"', '"BRANDNEWVALUE"', 1)
    assert "\r\n" in after.text
    assert r"\/Date(" in after.text
    assert int(after.headers["Content-Length"]) == len(after.content)
    assert without_noise(reader()) == without_noise(before)


def test_a_value_is_put_where_it_is_asked_for(app: App, reader):
    arrange(app, kind="unknown_enum", field="ContactStatus", value="GDPRREQUEST", record=-1)
    found = reader().json()["Contacts"]
    assert [contact["ContactStatus"] for contact in found] == ["ACTIVE"] * 4 + ["GDPRREQUEST"]


def test_a_record_beyond_the_last_is_the_last(app: App, reader):
    arrange(app, kind="unknown_field", record=99)
    assert "BrandNewField" in reader().json()["Contacts"][-1]


def test_a_field_that_no_client_knows_yet(app: App, reader):
    arrange(app, kind="unknown_field", field="Mood", value="sunny")
    assert [contact.get("Mood") for contact in reader().json()["Contacts"]] == [
        "sunny",
        *[None] * 4,
    ]


def test_a_nul_character_within_a_text(app: App, reader):
    arrange(app, kind="nul_character", record=2)
    response = reader()
    assert r"Cl\u0000eo" in response.text
    assert response.json()["Contacts"][2]["Name"] == "Cl\0eo"


def test_amounts_keep_their_places_when_an_answer_is_rewritten(app: App, tmp_path):
    wanted = '{"Invoices": [{"InvoiceID": "a1", "Status": "PAID", "Total": 10.00, "Rate": 1E+3}]}'
    (tmp_path / "Invoices.json").write_text(wanted)
    made = app.sandbox.control("POST", "organisations", {"payloads": str(tmp_path)})
    owner = {"email": "pat@example.com", "organisations": [made["tenantId"]]}
    app.sandbox.control("POST", "users", owner)
    tokens = app.connect("pat@example.com")
    arrange(app, "/api.xro/2.0/Invoices", kind="unknown_field")
    text = app.read(tokens, "Invoices?page=1", made["tenantId"]).text
    assert '"Total": 10.00' in text
    assert '"Rate": 1000' in text


def test_connections_can_be_rewritten_too(app: App):
    tokens = app.connect()
    arrange(app, "/connections", kind="unknown_enum", value="PRACTICEMANAGER")
    found = app.connections(tokens)
    assert [each["tenantType"] for each in found] == ["PRACTICEMANAGER", "ORGANISATION"]


def test_a_list_that_is_suddenly_empty_says_so_in_its_pagination_too(app: App, reader):
    arrange(app, kind="empty_list")
    body = reader("Contacts?page=1").json()
    assert body["Contacts"] == []
    assert body["pagination"] == {"page": 1, "pageSize": 100, "pageCount": 0, "itemCount": 0}
    assert len(reader().json()["Contacts"]) == len(NAMES)


@pytest.mark.parametrize("kind", ["empty_list", "unknown_enum", "unknown_field", "nul_character"])
def test_an_answer_without_a_record_stays_as_it_is(app: App, reader, kind: str):
    arrange(app, "/api.xro/2.0/*", kind=kind, times=0)
    assert reader("Invoices").json()["Invoices"] == []
    assert reader("Contacts/00000000-0000-4000-8000-000000000000").status_code == 404


def test_half_an_answer_that_looks_complete(app: App, reader):
    whole = reader()
    arrange(app, kind="cut_json")
    half = reader()
    assert half.status_code == 200
    assert len(half.content) == int(half.headers["Content-Length"]) == len(whole.content) // 2
    with pytest.raises(json.JSONDecodeError):
        half.json()


def test_a_connection_that_closes_after_a_whole_answer(app: App, reader):
    names = [contact["Name"] for contact in reader().json()["Contacts"]]
    arrange(app, kind="drop_after")
    last = reader()
    assert [contact["Name"] for contact in last.json()["Contacts"]] == names
    # Nothing warned the client; whether its next call fails is a matter of milliseconds.
    assert "Connection" not in last.headers
    with contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        assert reader().status_code == 200
    assert reader().status_code == 200


def test_an_answer_that_is_lost_after_the_work_was_done(app: App, tiny: str):
    tokens = app.connect()
    (connection,) = app.connections(tokens)
    path = f"/connections/{connection['id']}"
    arrange(app, path, kind="answer_lost")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        app.http.delete(path, headers=headers)
    assert app.connections(tokens) == []


def test_a_record_edited_between_two_pages_moves_to_the_end(app: App, reader):
    arrange(app, kind="record_edited", query={"page": "1"})
    assert page(reader, 1) == ["Ada", "Bo"]
    # Everything moved to the left: Cleo is on the first page now, and was on none.
    assert page(reader, 2) == ["Dan", "Eve"]
    assert page(reader, 3) == ["Ada"]
    edited = reader("Contacts?page=3&pageSize=2").json()["Contacts"][0]
    assert any("Edited between two pages" in str(each) for each in edited["Addresses"])


def test_the_edit_is_one_of_the_books_and_outlives_a_restart(app: App, reader, tiny: str):
    arrange(app, kind="record_edited", record=1)
    stamp = reader().json()["Contacts"][1]["UpdatedDateUTC"]
    found = {contact["Name"]: contact for contact in reader().json()["Contacts"]}
    assert found["Bo"]["UpdatedDateUTC"] != stamp
    last = app.sandbox.world.plans[tiny].actions[-1]
    assert (last.name, last.fields["id"]) == ("edit_contact", found["Bo"]["ContactID"])


@pytest.mark.parametrize(("key", "edit"), EDITS.items())
def test_every_edit_is_an_action_of_the_books(key: str, edit: tuple[str, str, str]):
    action, id_field, changed = edit
    assert id_field.endswith("ID")
    assert {"id", *filter(None, [changed])} <= ACTIONS[action]


@pytest.mark.parametrize("status", ["PAID", "AUTHORISED", "DRAFT"])
def test_an_invoice_is_edited_in_whatever_state_it_is(app: App, reader, tiny: str, status: str):
    door = app.sandbox.control
    common = {"tenantId": tiny, "contact": "Ada", "amount": "115.00"}
    made = [
        door("POST", "documents", common | {"action": "create_invoice", "number": f"A-{n}"})
        for n in range(2)
    ]
    if status == "DRAFT":
        draft = common | {"action": "create_invoice", "status": status, "number": "A-9"}
        made = [door("POST", "documents", draft)]
    if status == "PAID":
        pay = {"tenantId": tiny, "action": "pay", "id": made[1]["InvoiceID"]}
        door("POST", "documents", pay)
    wanted = made[-1]["InvoiceID"]
    arrange(app, "/api.xro/2.0/Invoices", kind="record_edited", query={"IDs": wanted})
    before = reader(f"Invoices?IDs={wanted}").json()["Invoices"]
    after = reader("Invoices?page=1").json()["Invoices"]
    assert [before[0]["InvoiceID"], before[0]["Status"]] == [wanted, status]
    assert after[-1]["InvoiceID"] == wanted
    assert after[-1]["Reference"].startswith("Edited between two pages")
    assert after[-1]["UpdatedDateUTC"] > before[0]["UpdatedDateUTC"]


def test_an_edit_of_what_cannot_be_edited_is_no_failure(app: App, reader):
    arrange(app, "/api.xro/2.0/*", kind="record_edited", times=0)
    assert reader("Currencies").status_code == 200
    assert reader("Invoices").status_code == 200
    assert reader("Nothing").status_code == 404


def test_a_token_that_expires_in_the_middle_of_a_run_is_refreshed_and_the_run_goes_on(
    app: App, reader
):
    arrange(app, kind="token_expired", call=2)
    assert [reader().status_code for _ in range(3)] == [200, 401, 200]


def test_a_tenant_that_is_disconnected_in_the_middle_of_a_run_stays_so(app: App, tiny: str):
    tokens = app.connect()
    arrange(app, kind="disconnected", call=2)
    statuses = [app.read(tokens, "Contacts", tiny).status_code for _ in range(3)]
    assert statuses == [200, 403, 403]
    assert app.connections(tokens) == []
    assert app.sandbox.control("GET", "faults") == []
    assert app.refresh(tokens["refresh_token"]).status_code == 200


def test_a_fault_of_a_tenant_leaves_calls_without_one_alone(app: App):
    tokens = app.connect()
    arrange(app, "/*", kind="disconnected")
    assert len(app.connections(tokens)) == 2
