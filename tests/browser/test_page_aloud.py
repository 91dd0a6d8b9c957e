"""The page as a screen reader is given it: names, tables, states in words, what is read aloud."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from airflow_xero.runs import tenant_lock
from tests.browser.listening import CONTROLS, Heard, heard, of_role, spoken_in, text_in
from tests.browser.organisations import fill, fill_many
from tests.browser.test_page import read_endpoints
from tests.browser.test_page_actions import choose

TABLE = "Connected organisations"
STATES: dict[str, dict[str, Any]] = {
    "Healthy": {"run": "complete", "complete": "2026-11-20", "calls_left": 10},
    "Failed": {"run": "failed", "reason": "Xero cannot answer now"},
    "Never extracted": {},
    "Paused": {"run": "complete", "paused_by": "bob"},
    "Needs reconnect": {"run": "complete", "grant_state": "needs_reconnect"},
    "Waiting for Xero": {"run": "waiting_for_limit"},
    "Not permitted": {"run": "failed", "reason": "Xero refuses this organisation: ask for access"},
}


def ours(page: Page) -> list[Heard]:
    """What is read of our page, without Airflow's navigation around it."""
    return heard(page, page.locator("[data-page=xero]"))


def unnamed(found: list[Heard]) -> list[Heard]:
    return [one for one in of_role(found, *CONTROLS) if not one.name.strip()]


@pytest.fixture
def page(open_page, warehouse) -> Page:
    """The page with an organisation in each state."""
    for state, known in STATES.items():
        fill(warehouse, f"In {state}", **known)
    fill(warehouse, "One more, so that they can be sought", run="complete")
    opened: Page = open_page(width=1440)
    expect(opened.get_by_role("rowheader")).to_have_count(len(STATES) + 1)
    return opened


def test_every_control_has_a_name_and_no_two_in_a_table_have_the_same(page):
    found = ours(page)
    controls = of_role(found, *CONTROLS)

    assert unnamed(found) == []
    assert len(controls) > len(STATES)
    (table,) = of_role(found, "table")
    within = [one.name for one in controls if table.node_id in one.above]
    assert len(set(within)) == len(within)


def test_the_table_says_which_column_and_row_each_cell_is_of(page):
    found = ours(page)
    (table,) = of_role(found, "table")
    heads = [one.name for one in of_role(found, "columnheader")]

    assert table.name == TABLE
    assert heads == [
        "Organisation",
        "State",
        "Last complete day",
        "Tie-out",
        "Calls left today",
        "Connected by",
        "Actions",
    ]
    rows = [one for one in of_role(found, "row") if table.node_id in one.above]
    assert len(rows) == 1 + len(STATES) + 1
    for row in rows[1:]:
        within = [one.role for one in found if one.above and row.node_id in one.above]
        assert within.count("rowheader") == 1
        assert within.count("cell") == len(heads) - 1


def test_every_state_and_everything_unknown_is_told_in_words(page):
    found = ours(page)
    rows = {text_in(found, row) for row in of_role(found, "row")}

    for state in STATES:
        (row,) = [row for row in rows if f"In {state}" in row]
        assert state in row.replace(f"In {state}", "", 1)
    never = next(row for row in rows if "In Never extracted" in row)
    for words in ("None complete yet", "Not compared with Xero's reports yet", "was not asked"):
        assert words in never
    assert "–" not in "".join(rows)


def test_the_figures_are_read_with_what_they_count_before_them(page):
    found = ours(page)
    terms = of_role(found, "term", "definition")

    assert [one.role for one in terms] == ["term", "definition"] * 4
    assert [text_in(found, one) for one in terms[:2]] == ["Connected", str(len(STATES) + 1)]


def test_the_page_has_one_first_heading_and_its_parts_are_named(page):
    found = ours(page)
    first = [one.name for one in of_role(found, "heading") if one.properties.get("level") == 1]

    assert first == ["Xero"]
    assert all(one.name for one in of_role(found, "navigation", "region", "table", "list"))


def test_what_comes_of_an_action_is_read_aloud_in_a_place_that_was_there_before(page):
    before = {one.node_id for one in of_role(ours(page), "status")}

    choose(page, "Pause", "In Healthy")
    done = "In Healthy is paused. What was read stays."
    expect(page.get_by_role("status").get_by_text(done)).to_be_visible()

    found = ours(page)
    (place,) = [one for one in of_role(found, "status") if done in text_in(found, one)]
    assert place.node_id in before
    assert place.properties["live"] == "polite"
    # And what it did to the list.
    expect(page.get_by_role("status").get_by_text("In Healthy: Paused")).to_have_count(1)


def test_what_is_refused_is_read_aloud_at_once(page):
    choose(page, "Disconnect…", "In Healthy")
    page.get_by_role("alertdialog").get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("alert")).to_be_visible()

    spoken = spoken_in(ours(page))

    (refusal,) = [text for text in spoken if "In Healthy: not done" in text]
    assert spoken[refusal] == "assertive"


def test_how_far_an_extraction_is_is_read_aloud_a_quarter_at_a_time(open_page, warehouse):
    tenant_id = fill(warehouse, run="running")
    with tenant_lock(warehouse, tenant_id):
        page = open_page()
        speaking = page.get_by_role("status")
        expect(speaking.get_by_text("1 organisation is listed")).to_have_count(1)
        parts = page.get_by_role("progressbar").get_attribute("aria-valuemax")
        half = int(parts or 0) // 2 + 1
        read_endpoints(warehouse, tenant_id, **{f"part_{number}": 1 for number in range(half)})
        expect(speaking.get_by_text("Kauri: Extracting, 50 percent")).to_have_count(1)
        (bar,) = of_role(ours(page), "progressbar")
        assert (bar.name, bar.properties["valuemax"]) == ("Extraction of Kauri", int(parts or 0))
    warehouse.execute("update xero_ops.extract_runs set state = 'complete'")

    expect(speaking.get_by_text("Kauri: Healthy")).to_have_count(1)


@pytest.mark.parametrize(("item", "asks"), [("Disconnect…", "Disconnect"), ("Erase…", "Erase")])
def test_a_question_names_itself_says_what_will_happen_and_keeps_the_focus(page, item, asks):
    choose(page, item, "In Healthy")
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_be_visible()

    found = heard(page, dialog)
    assert (found[0].name, found[0].properties["modal"]) == (f"{asks} In Healthy?", True)
    assert "disconnected" in found[0].description or "connection ends" in found[0].description
    assert unnamed(found) == []
    # Further than there are controls, forward and back: the focus stays inside.
    for key in ("Tab", "Shift+Tab"):
        for _ in range(6):
            page.keyboard.press(key)
            assert dialog.evaluate("(one) => one.contains(document.activeElement)")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Actions for In Healthy")).to_be_focused()


@pytest.mark.parametrize(
    ("opener", "name"),
    [("Connect to Xero", "What may be read?"), ("Invite…", "Invite somebody to connect")],
)
def test_a_dialog_of_the_bar_names_everything_in_it_and_returns_the_focus(page, opener, name):
    button = page.get_by_role("button", name=opener)
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name=name)
    expect(dialog).to_be_visible()

    found = heard(page, dialog)
    assert found[0].properties["modal"] is True
    assert len(of_role(found, *CONTROLS)) >= 3
    assert unnamed(found) == []
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_the_link_of_an_invitation_is_read_aloud_and_has_the_focus(page):
    page.get_by_role("button", name="Invite…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("A line for the person you invite").press("Enter")

    expect(dialog.get_by_role("textbox", name="Link of the invitation")).to_be_focused()
    spoken = spoken_in(heard(page, dialog))
    assert [text for text in spoken if "The link is ready" in text] != []


def test_searching_sorting_and_paging_by_keyboard_alone_and_what_is_read_of_it(
    open_page, warehouse
):
    fill_many(warehouse, 60)
    page = open_page(width=1440)
    speaking = page.get_by_role("status")
    rows = page.get_by_role("table", name=TABLE).locator("tbody tr")
    expect(rows).to_have_count(50)

    last = page.get_by_role("button", name="Next")
    last.focus()
    page.keyboard.press("Enter")
    expect(rows).to_have_count(10)
    expect(speaking.get_by_text("Page 2 of 2")).to_have_count(1)
    # There is no further page, and the keyboard is still where it was.
    expect(last).to_be_disabled()
    expect(last).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("51 to 60 of 60")).to_be_visible()

    head = page.get_by_role("columnheader", name="Organisation")
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(speaking.get_by_text("Sorted by Organisation, descending")).to_have_count(1)
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(rows.first).to_contain_text("Company 0059")

    search = page.get_by_role("searchbox", name="Search organisations")
    while not search.evaluate("(one) => one === document.activeElement"):
        page.keyboard.press("Shift+Tab")
    page.keyboard.type("0042")
    expect(rows).to_have_count(1)
    expect(speaking.get_by_text("1 of 60 organisations")).to_have_count(1)


def test_an_organisation_is_erased_by_keyboard_alone(page, warehouse):
    button = page.get_by_role("button", name="Actions for In Failed")
    button.focus()
    page.keyboard.press("Enter")
    menu = page.get_by_role("menu")
    expect(menu).to_be_visible()
    found = heard(page, menu)
    assert found[0].name == "Actions for In Failed"
    assert unnamed(found) == []
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Erase…")).to_have_attribute("data-highlighted", "")
    page.keyboard.press("Enter")

    field = page.get_by_label("Type its name to confirm")
    expect(field).to_be_focused()
    page.keyboard.type("In Failed")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").get_by_text("In Failed is being erased.")).to_be_visible()
    asked = warehouse.execute("select tenant_name from xero_ops.erasures").fetchall()
    assert asked == [("In Failed",)]


def test_a_phone_reads_cards_with_names_and_words_for_everything(open_page, warehouse):
    for state, known in STATES.items():
        fill(warehouse, f"In {state}", **known)
    page = open_page(width=390)
    cards = page.get_by_role("list", name=TABLE)
    expect(cards.get_by_role("listitem")).to_have_count(len(STATES))

    found = ours(page)

    assert unnamed(found) == []
    (listed,) = [one for one in of_role(found, "list") if one.name == TABLE]
    items = [one for one in of_role(found, "listitem") if listed.node_id in one.above]
    texts = [text_in(found, item) for item in items]
    assert all(sum(f"In {state}" in text for text in texts) == 1 for state in STATES)
    assert all("Last complete day" in text and "Tie-out" in text for text in texts)


def test_the_way_of_the_invited_is_read_aloud_and_has_names_for_everything(
    airflow, browsing, open_page
):
    with airflow.client("operator") as client:
        ours_alone = {"X-Xero-Page": "1", "Sec-Fetch-Site": "same-origin"}
        link = client.post("/xero/api/invitations", json={}, headers=ours_alone).json()["url"]
    invited = browsing.new_page()
    invited.goto(link)
    button = invited.get_by_role("button", name="Continue to Xero")
    expect(button).to_be_visible()

    found = heard(invited)

    assert unnamed(found) == []
    assert [one.name for one in of_role(found, "heading")] == ["Connect your organisation"]
    (main,) = of_role(found, "main")
    assert main.properties["live"] == "polite"
    button.press("Enter")
    expect(invited).to_have_url(re.compile("/identity/login"))
