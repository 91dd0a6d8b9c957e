"""How soon the page Xero is worth looking at: 1,000 organisations, real Airflow, real Chromium.

A real API server with the plugin, an embedded Postgres with fsync on, and Debian's Chromium, whose
cache holds Airflow's own script, as it does on everybody's second visit. Four figures: until the
first organisations are painted, from the moment the address is opened; how much of that is left
once Airflow's own shell is drawn, with our page in its navigation; in turns with it, Airflow's own
list of a handful of Dags, which is what a page inside that shell can be compared with; and the
ratio of the two. Needs no Xero.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from playwright.sync_api import BrowserContext, Page, sync_playwright

from airflow_xero.migrate import migrate
from benchmarks.figures import Figure
from local_stack.ports import free_port
from local_stack.postgres import EmbeddedPostgres
from tests.browser.organisations import fill_many
from tests.browser.server import CHROMIUM, SWITCHES, USERS, Airflow, served

ORGANISATIONS = 1_000
PROMISE = "1.5 s"

# Painted is what the next frame shows after something is in the document.
_WATCH = """
const watch = (what, then) =>
  requestAnimationFrame(() => {
    if (!document.querySelector(what)) return watch(what, then);
    requestAnimationFrame(() => then(performance.now()));
  });
watch('a[href$="/plugin/xero"]', (now) => { globalThis.shellAt = now; });
const isAirflows = location.pathname.endsWith("/dags");
watch(isAirflows ? 'a[href$="/dags/xero_daily"]' : 'th[scope="row"]', (now) => {
  globalThis.paintedAt = now;
});
"""
_OURS, _AIRFLOWS = "plugin/xero", "dags"


def measure(samples: int) -> list[Figure]:
    """Seconds until the first organisations are painted, and until Airflow's own list is."""
    if not CHROMIUM:
        raise SystemExit("chromium is not installed: apt-get install chromium")
    with (
        tempfile.TemporaryDirectory(prefix="xero-page-") as folder,
        _ready(Path(folder)) as server,
        _browsing(server) as context,
    ):
        # The first visit fills the browser's cache and warms the server.
        for path in (_OURS, _AIRFLOWS):
            _visit(context, server, path)
        seen = [
            (*_visit(context, server, _OURS), _visit(context, server, _AIRFLOWS)[0])
            for _ in range(samples)
        ]
    name = f"page Xero with {ORGANISATIONS:,} organisations"
    return [
        Figure(f"{name}: first useful paint", "s", tuple(all_of for all_of, _, _ in seen), PROMISE),
        Figure(
            f"{name}: of that after Airflow's own shell",
            "s",
            tuple(ours for _, ours, _ in seen),
        ),
        Figure(
            "Airflow's own list of its Dags: first useful paint",
            "s",
            tuple(airflows for _, _, airflows in seen),
        ),
        Figure(
            "page Xero against Airflow's own list",
            "times",
            tuple(all_of / airflows for all_of, _, airflows in seen),
        ),
    ]


@contextmanager
def _ready(folder: Path) -> Iterator[Airflow]:
    """An API server whose warehouse has the organisations."""
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.create()
    postgres.start(free_port())
    try:
        postgres.create_database("warehouse")
        with psycopg.connect(postgres.dsn("warehouse"), autocommit=True) as warehouse:
            migrate(warehouse)
            fill_many(warehouse, ORGANISATIONS)
        home = folder / "airflow"
        home.mkdir()
        (home / "passwords.json").write_text(json.dumps({user: user for user in USERS}))
        with served(home) as server:
            server.set_warehouse(postgres.dsn("warehouse"))
            server.set_connection(
                "xero_default",
                conn_type="xero",
                login="nobody-asks-xero",
                password="-",
                extra={"redirect_uri": f"{server.url}/xero/callback"},
            )
            yield server
    finally:
        postgres.stop()


@contextmanager
def _browsing(server: Airflow) -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(60_000)
        context.add_init_script(_WATCH)
        context.add_cookies([{"name": "_token", "value": server.token("admin"), "url": server.url}])
        yield context
        browser.close()


def _visit(context: BrowserContext, server: Airflow, path: str) -> tuple[float, float]:
    """Seconds until the first row was painted, and of these after the shell was."""
    page: Page = context.new_page()
    page.goto(f"{server.url}/{path}")
    page.wait_for_function("globalThis.paintedAt && globalThis.shellAt")
    painted, shell = page.evaluate("[globalThis.paintedAt, globalThis.shellAt]")
    page.close()
    return painted / 1000, max(0.0, painted - shell) / 1000
