"""A story with everything that can go wrong with tokens, told by a process that logs at DEBUG.

Run by test_no_secrets.py as a program, with the sandbox's and the warehouse's addresses. Whatever
it prints, logs or stores is searched for secrets afterwards.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
from airflow.dag_processing.dagbag import BundleDagBag

from airflow_xero import connect
from airflow_xero.connect import Connected
from airflow_xero.errors import XeroError
from airflow_xero.hook import XeroHook, token_keys_from_environment
from airflow_xero.tokens import cipher_of
from xero_sandbox.testing import new_browser, walk_consent

DAGS = Path(__file__).resolve().parents[2] / "dags"
NIGHT = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Story:
    """One Airflow, one Xero, and what happens between them."""

    def __init__(self, xero_url: str, dsn: str) -> None:
        self.sandbox = httpx.Client(base_url=f"{xero_url}/_sandbox/", trust_env=False, verify=False)
        organisations = self.sandbox.get("organisations", params={"figures": "false"}).json()
        self.tenant_id = next(each["tenantId"] for each in organisations)
        self.warehouse = psycopg.connect(dsn, autocommit=True)
        self.dags = BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder").dags
        for dag in self.dags.values():
            for task in dag.tasks:
                # A minute each, in which nothing is said.
                task.retries = 0
        self.nights = 0
        self.told: dict[str, Any] = {}

    def tell(self, *, in_full: bool) -> dict[str, Any]:
        """How each part ended, so that nobody takes a silent failure for silence."""
        self.told["connect"] = self.connect()
        self.told["wrong code"] = self.connect_with_a_wrong_code()
        self.fault(path="/api.xro/2.0/Contacts", kind="token_expired", times=1)
        self.told["success"] = self.night()
        if in_full:
            self._tell_of_troubles()
        self.told["test button"] = self.test_button("xero_default")
        self.told["test button with a wrong secret"] = self.test_button("xero_wrong")
        self.tokens_expire()
        self.fault(kind="refused_refresh", times=0)
        self.told["refused refresh"] = self.night()
        return self.told

    def _tell_of_troubles(self) -> None:
        self.tokens_expire()
        self.told["refreshed"] = self.night()
        # Else what was read half an hour ago is not asked for.
        self.warehouse.execute("update xero_ops.watermarks set modified_since = '2020-01-01'")
        self.echoing_fault("/api.xro/2.0/Invoices", status=400)
        self.told["failing tenant"] = self.night()
        self.tokens_expire()
        self.echoing_fault("/connect/token", status=500, times=1)
        self.fault(path="/connect/token", kind="drop", times=1)
        self.told["token service stumbles"] = self.night()
        for name, fault in (
            ("token service is down", {"status": 500}),
            ("token service is a proxy", {"kind": "not_json"}),
            (
                "token service refuses the app",
                {"status": 400, "body": '{"error":"invalid_client"}'},
            ),
        ):
            self.tokens_expire()
            self.echoing_fault("/connect/token", **fault)
            self.told[name] = self.night()
        self.told["refresh"] = self.run("xero_refresh")
        self.told["pdfs"] = self.run(
            "xero_invoice_pdfs",
            organisation=self.tenant_id,
            changed_on="2026-11-20",
            path=Path(sys.argv[1]).with_name("pdfs").as_uri(),
        )
        self.echoing_fault("/api.xro/2.0/Organisation", status=400)
        # The run itself is green: it publishes the other organisations.
        self.run("xero_refresh")
        self.told["failing refresh"] = self.last_extraction()
        self.sandbox.delete("faults").raise_for_status()
        self.told["backfill"] = self.run("xero_backfill")
        self.told["resume"] = self.run("xero_resume")

    # What happens

    def connect(self) -> list[str]:
        return [each.tenant_name for each in self._consent(lambda code: code)]

    def connect_with_a_wrong_code(self) -> str:
        try:
            self._consent(lambda code: code[::-1])
        except XeroError as error:
            traceback.print_exc()
            return type(error).__name__
        return "connected"

    def _consent(self, spoilt: Any) -> list[Connected]:
        now = datetime.now(UTC)
        keys = token_keys_from_environment()
        with XeroHook() as hook, hook.warehouse() as warehouse:
            begun = connect.begin(
                hook.app(), warehouse=warehouse, keys=keys, started_by="ada", now=now
            )
            callback = self._walk(begun.url)
            answer = parse_qs(urlsplit(callback).query)
            finished = connect.finish(
                hook.app(),
                warehouse=warehouse,
                tokens=hook.token_store(),
                http=hook.http(),
                state=answer["state"][0],
                code=spoilt(answer["code"][0]),
                browser_cookie=begun.browser_cookie,
                now=now,
            )
        return list(finished.connected)

    def _walk(self, url: str) -> str:
        """What a person's browser does, which is no part of Airflow and keeps no log."""
        wire = logging.getLogger("httpcore")
        wire.setLevel(logging.INFO)
        with new_browser() as browser:
            callback = walk_consent(
                browser, url, email="ava@example.com", organisations=[self.tenant_id]
            )
        wire.setLevel(logging.NOTSET)
        return callback

    def night(self) -> str:
        """A run of xero_daily; the faults end with it."""
        state = self.run("xero_daily", day="2026-11-20")
        self.sandbox.delete("faults").raise_for_status()
        return state

    def run(self, dag_id: str, **conf: str) -> str:
        self.nights += 1
        dag_run = self.dags[dag_id].test(
            logical_date=NIGHT + timedelta(days=self.nights), run_conf=conf
        )
        return str(dag_run.state)

    def last_extraction(self) -> str:
        [(state,)] = self.warehouse.execute(
            "select state from xero_ops.extract_runs order by run_id desc limit 1"
        ).fetchall()
        return str(state)

    def test_button(self, conn_id: str) -> bool:
        is_well, message = XeroHook(conn_id).test_connection()
        print(message)
        return is_well

    def tokens_expire(self) -> None:
        self.warehouse.execute("update xero_ops.grants set access_expires_at = now()")

    def fault(self, **rule: Any) -> None:
        self.sandbox.post("faults", json=rule).raise_for_status()

    def echoing_fault(self, path: str, **rule: Any) -> None:
        """A server that quotes in its answer what it was sent."""
        [(sealed,)] = self.warehouse.execute("select tokens from xero_ops.grants").fetchall()
        tokens = json.loads(cipher_of(token_keys_from_environment()).decrypt(bytes(sealed)))
        said = f"cannot take {tokens['access_token']} nor {tokens['refresh_token']}"
        self.fault(**{"path": path, "times": 0, "body": json.dumps({"Detail": said}), **rule})


if __name__ == "__main__":
    story = Story(os.environ["STORY_XERO"], os.environ["STORY_WAREHOUSE"])
    outcome = story.tell(in_full=sys.argv[2] == "in-full")
    Path(sys.argv[1]).write_text(json.dumps(outcome))
