"""What a person does with an organisation on the page: the menu of its row, and invitations."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.organisations import fill
from tests.browser.test_routes import ask

EVERYTHING = [
    "Extract now",
    "Reconnect",
    "Pause",
    "Runs in Airflow",
    "Disconnect…",
    "Erase…",
]


def menu_of(page: Page, name: str = "Kauri") -> Any:
    page.get_by_role("button", name=f"Actions for {name}").click()
    menu = page.get_by_role("menu")
    expect(menu).to_be_visible()
    return menu


def choose(page: Page, item: str, name: str = "Kauri") -> None:
    menu_of(page, name).get_by_role("menuitem", name=item).click()


def audited(warehouse: Any) -> list[tuple[Any, ...]]:
    return list(
        warehouse.execute(
            "select actor, action, tenant_id::text, address is not null"
            " from xero_ops.audit_log order by entry_id"
        ).fetchall()
    )


def test_an_editor_may_do_everything(open_page, warehouse, keep_screenshot):
    fill(warehouse, run="complete")

    page = open_page("operator")

    assert menu_of(page).get_by_role("menuitem").all_inner_texts() == EVERYTHING
    keep_screenshot(page, "menu-light")


def test_extract_now_queues_a_run_in_the_persons_name(open_page, airflow, warehouse):
    tenant_id = fill(warehouse, run="complete")
    fill(warehouse, "Another", run="complete")
    page = open_page("operator")

    choose(page, "Extract now")

    expect(page.get_by_role("status").get_by_text("Kauri is read at once.")).to_be_visible()
    row = page.get_by_role("row", name="Kauri")
    expect(row.get_by_text("Starting", exact=True)).to_be_visible()
    expect(page.get_by_text("Starting", exact=True)).to_have_count(1)
    (run,) = airflow.runs_of("xero_extract")
    assert run["conf"] == {"tenants": [tenant_id]}
    assert (run["triggering_user_name"], run["state"]) == ("operator", "queued")
    assert audited(warehouse) == [("operator", "extract", tenant_id, True)]
    # It is under way: nobody is offered to start it twice.
    assert "Extract now" not in menu_of(page).get_by_role("menuitem").all_inner_texts()


def test_a_dag_that_is_switched_off_is_named(open_page, airflow, warehouse):
    fill(warehouse, run="complete")
    page = open_page()
    airflow.switch_dag("xero_extract", is_paused=True)

    try:
        choose(page, "Extract now")

        expect(page.get_by_role("alert")).to_contain_text("xero_extract is switched off")
        assert airflow.runs_of("xero_extract") == []
    finally:
        airflow.switch_dag("xero_extract", is_paused=False)


def test_pausing_and_resuming_by_keyboard_alone(open_page, warehouse):
    tenant_id = fill(warehouse, run="complete")
    page = open_page()
    button = page.get_by_role("button", name="Actions for Kauri")
    row = page.get_by_role("row", name="Kauri")

    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.type("Pau")
    page.keyboard.press("Enter")
    expect(row.get_by_text("Paused by admin. What was read stays.")).to_be_visible()
    expect(button).to_be_focused()

    choose(page, "Resume")
    expect(row.get_by_text("Healthy")).to_be_visible()
    assert [entry[:3] for entry in audited(warehouse)] == [
        ("admin", "pause", tenant_id),
        ("admin", "unpause", tenant_id),
    ]


def test_erasing_asks_for_the_name_and_starts_its_dag(
    open_page, airflow, warehouse, keep_screenshot
):
    name = "Beacon & Sons <Joinery>"
    tenant_id = fill(warehouse, name, run="complete")
    page = open_page(colours="dark")
    choose(page, "Erase…", name)
    dialog = page.get_by_role("alertdialog", name=f"Erase {name}?")
    yes = dialog.get_by_role("button", name="Erase for good")
    expect(yes).to_be_disabled()
    keep_screenshot(page, "erase-dark")

    dialog.get_by_label("Type its name to confirm").fill("Beacon")
    expect(yes).to_be_disabled()
    dialog.get_by_label("Type its name to confirm").fill(name)
    yes.click()

    expect(page.get_by_role("status").get_by_text(f"{name} is being erased.")).to_be_visible()
    expect(page.get_by_role("row", name="Beacon").get_by_text("Erasing")).to_be_visible()
    asked = warehouse.execute("select tenant_id::text, state from xero_ops.erasures").fetchall()
    assert asked == [(tenant_id, "requested")]
    assert len(airflow.runs_of("xero_erase")) == 1


def test_disconnecting_is_asked_twice_and_can_be_left(open_page, warehouse):
    fill(warehouse, run="complete")
    page = open_page()
    choose(page, "Disconnect…")
    dialog = page.get_by_role("alertdialog", name="Disconnect Kauri?")

    dialog.get_by_role("button", name="Cancel").click()

    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Actions for Kauri")).to_be_focused()
    assert audited(warehouse) == []


def test_a_question_stays_open_as_it_is_when_the_device_is_turned(open_page, warehouse):
    tenant_id = fill(warehouse, run="complete")
    page = open_page()
    choose(page, "Erase…")
    dialog = page.get_by_role("alertdialog", name="Erase Kauri?")
    field = dialog.get_by_label("Type its name to confirm")
    field.fill("Kau")

    # From a table to cards, and back.
    page.set_viewport_size({"width": 800, "height": 1280})
    expect(page.get_by_role("table", include_hidden=True)).to_have_count(0)
    expect(field).to_have_value("Kau")
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.get_by_role("table", include_hidden=True)).to_have_count(1)
    page.set_viewport_size({"width": 800, "height": 1280})
    page.keyboard.press("Escape")

    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Actions for Kauri")).to_be_focused()
    choose(page, "Erase…")
    page.set_viewport_size({"width": 1280, "height": 800})
    field.fill("Kauri")
    dialog.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("status").get_by_text("Kauri is being erased.")).to_be_visible()
    assert [entry[:3] for entry in audited(warehouse)] == [("admin", "erase", tenant_id)]


def test_the_runs_of_an_organisation_are_found_by_its_name_in_airflow(open_page, warehouse):
    fill(warehouse, "Kauri & Sons", run="complete")
    page = open_page()

    with page.expect_request(re.compile(r"/task_instances\?")) as asked:
        choose(page, "Runs in Airflow", "Kauri")

    query = parse_qs(urlsplit(asked.value.url).query)
    assert query == {"dag_id_pattern": ["xero"], "rendered_map_index": ["Kauri & Sons"]}
    expect(page).to_have_url(re.compile("/task_instances"))
    expect(page.get_by_role("heading", name="Not Found")).to_have_count(0)


@pytest.mark.parametrize(
    "name",
    [
        "Fish | Chips Limited",
        "| Chips",
        "100%_Wool",
        "Kiwi\\Tui",
        "Long " + "ō" * 9_995,
        "Long " + "🌙" * 400,
        "\u202egnp.exe",
        "<script>alert(1)</script>",
        "'; drop table x; --",
    ],
    ids=lambda name: ascii(name[:12]),
)
def test_the_runs_of_an_organisation_are_found_whatever_its_name_is(
    open_page, airflow, warehouse, name
):
    tenant_id = fill(warehouse, name, run="complete")
    with airflow.client("admin") as client:
        ask(client, "POST", f"/xero/api/organisations/{tenant_id}/extract")
    # As the run of two organisations labels its tasks.
    airflow.label_tasks("xero_extract", ["Chips | Fish", name[:250]])
    page = open_page()

    with page.expect_response(re.compile(r"/taskInstances\?")) as answered:
        choose(page, "Runs in Airflow", name)

    found = [one["rendered_map_index"] for one in answered.value.json()["task_instances"]]
    assert name[:250] in found
    # With nothing before the sign that Airflow takes for its "or", all of them are shown.
    assert ("Chips | Fish" in found) == name.startswith("|")


def test_what_the_server_refuses_is_told_in_its_words(open_page, warehouse):
    fill(warehouse, run="complete")
    page = open_page()
    choose(page, "Disconnect…")

    # Its grant is empty: the sandbox never knew it.
    page.get_by_role("alertdialog").get_by_role("button", name="Disconnect").click()

    expect(page.get_by_role("alert")).to_contain_text("Kauri: not done")


def test_an_invitation_is_shown_once_and_can_be_revoked(open_page, warehouse, keep_screenshot):
    page = open_page("operator")
    page.get_by_role("button", name="Invite…").click()
    dialog = page.get_by_role("dialog", name="Invite somebody to connect")
    dialog.get_by_label("A line for the person you invite").fill("For Mere")
    dialog.get_by_role("button", name="Make the link").click()

    link = dialog.get_by_role("textbox", name="Link of the invitation")
    expect(link).to_have_value(re.compile(r"/xero/invitation#.{30,}"))
    keep_screenshot(page, "invitation-light")
    dialog.get_by_role("button", name="Revoke the invitation: For Mere").focus()
    page.keyboard.press("Enter")

    expect(dialog.get_by_text("Revoked", exact=True)).to_be_visible()
    expect(link).to_be_hidden()
    # The button is gone; the keyboard goes on where it was.
    expect(dialog.get_by_role("heading", name="Invitations", exact=True)).to_be_focused()
    (revoked_by,) = warehouse.execute("select revoked_by from xero_ops.invitations").fetchone()
    assert revoked_by == "operator"


@pytest.mark.parametrize(
    "name",
    ["<script>alert(1)</script>", "'; drop table x; --", "../../etc/passwd", "\u202egnp.exe"],
)
def test_a_hostile_name_is_text_in_menus_and_questions(open_page, warehouse, name):
    fill(warehouse, name, run="complete")
    page = open_page()

    page.get_by_role("button", name="Actions for").click()
    page.get_by_role("menuitem", name="Erase…").click()

    expect(page.get_by_role("alertdialog")).to_contain_text(f"Erase {name}?")
    assert page.locator("script", has_text="alert(1)").count() == 0
