"""Twenty people, each with a browser of their own, connect at the same moment."""

import asyncio
import re
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.server import CHROMIUM, CROWD, SWITCHES, Airflow
from xero_sandbox.identity.consent import COOKIE as XERO_SESSION

# Twenty shells of Airflow are drawn by two cores: nothing here is a measure of time.
PATIENCE_MS = 240_000


def email_of(person: str) -> str:
    return f"{person}@example.com"


def organisation_of(person: str) -> str:
    return f"Of {person}"


@pytest.mark.campaign
@pytest.mark.timeout(600)
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: apt-get install chromium")
def test_twenty_browsers_connect_at_once_and_each_ends_with_its_own(
    airflow, xero_sandbox, warehouse
):
    for person in CROWD:
        made = xero_sandbox.control(
            "POST", "organisations", {"name": organisation_of(person), "days": 0}
        )
        owner = {"email": email_of(person), "name": person, "organisations": [made["tenantId"]]}
        xero_sandbox.control("POST", "users", owner)
        airflow.token(person)

    seen = asyncio.run(everybody_connects(airflow))

    assert seen == {person: what_its_own_browser_shows(person) for person in CROWD}
    owned = warehouse.execute(
        "select connections.connected_by, user_email, user_name, tenant_name"
        " from xero_ops.connections join xero_ops.grants using (grant_id)"
        " join xero_ops.tenants using (tenant_id)"
    ).fetchall()
    assert sorted(owned) == [
        (person, email_of(person), person, organisation_of(person)) for person in CROWD
    ]
    audited = warehouse.execute(
        "select actor, tenant_name, outcome from xero_ops.audit_log"
        " join xero_ops.tenants using (tenant_id) where action = 'connect'"
    ).fetchall()
    assert sorted(audited) == [(person, organisation_of(person), "connected") for person in CROWD]
    assert warehouse.execute("select count(*) from xero_ops.authorisations").fetchone() == (0,)


def what_its_own_browser_shows(person: str) -> dict[str, Any]:
    return {
        # Of all organisations of the sandbox, Xero's page offered one.
        "offered": [organisation_of(person)],
        "welcome": ["1 organisation is connected", organisation_of(person)],
        "row": [person, f"as {person}"],
        # The consent's own cookie is gone.
        "cookies": ["_token", XERO_SESSION],
    }


async def everybody_connects(airflow: Airflow) -> dict[str, dict[str, Any]]:
    """What each browser showed; all of them press Connect, and later Allow, at one moment."""
    ready, allowing = asyncio.Barrier(len(CROWD)), asyncio.Barrier(len(CROWD))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        # One that fails ends the rest, instead of leaving them at a barrier.
        async with asyncio.TaskGroup() as group:
            tasks = {
                person: group.create_task(
                    connects(browser, airflow, person, ready=ready, allowing=allowing)
                )
                for person in CROWD
            }
        await browser.close()
    return {person: task.result() for person, task in tasks.items()}


async def connects(
    browser: Browser,
    airflow: Airflow,
    person: str,
    *,
    ready: asyncio.Barrier,
    allowing: asyncio.Barrier,
) -> dict[str, Any]:
    """One person's whole way, in a browser context that shares nothing with the others."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    await context.add_cookies(
        [{"name": "_token", "value": airflow.tokens[person], "url": airflow.url}]
    )
    page = await context.new_page()

    await ready.wait()
    # Where the page's button leads: its own tests press it.
    await page.goto(f"{airflow.url}/xero/connect?grant=reports")
    await page.get_by_label("Email address").fill(email_of(person))
    await page.get_by_label("Password").fill("sandbox")
    await page.get_by_role("button", name="Log in").click()
    box = page.get_by_role("checkbox", name=organisation_of(person))
    await box.check()
    offered = await page.get_by_role("checkbox").evaluate_all(
        "(boxes) => boxes.map((one) => one.labels[0].innerText.split('\\n')[0].trim())"
    )

    await allowing.wait()
    await page.get_by_role("button", name="Allow access").click()
    seen = await what_is_shown(page, person)
    await context.close()
    return {"offered": offered, **seen}


async def what_is_shown(page: Page, person: str) -> dict[str, Any]:
    """The page that a consent ends on, with the names of whomever it says was connected."""
    welcome = page.get_by_role("status").filter(has_text="connected").first
    await expect(welcome).to_contain_text(
        re.compile(r"is connected.*Of person", re.DOTALL), timeout=PATIENCE_MS
    )
    lines = (await welcome.inner_text()).splitlines()
    # Among many, the own one is sought as a person would.
    search = page.get_by_role("searchbox", name="Search organisations")
    if await search.count():
        await search.fill(organisation_of(person))
    row = page.get_by_role("row").filter(
        has=page.get_by_role("rowheader", name=organisation_of(person))
    )
    await expect(row).to_have_count(1, timeout=PATIENCE_MS)
    whose = await row.locator("bdi").all_inner_texts()
    held = sorted({str(one["name"]) for one in await page.context.cookies()})
    return {
        "welcome": [line for line in lines if "connected" in line or "Of person" in line],
        "row": [whose[1], f"as {whose[2]}"],
        "cookies": held,
    }
