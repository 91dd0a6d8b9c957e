"""Extractions in processes that can be killed: `python -m tests.warehouse.extracting`.

Reads a job a line from standard input, and answers each with how its process ended. The library
is imported once; every job is a process of its own, forked from here.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from datetime import date
from typing import Any

import psycopg

from airflow_xero.client import XeroClient
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.extract import Tenant, extract_day
from airflow_xero.oauth import XeroApp
from airflow_xero.tokens import TokenStore
from xero_sandbox.testing import new_browser


class Killer:
    """Ends this process, without a word, some seconds after its n-th request to Xero."""

    def __init__(self, at_request: int, delay_seconds: float) -> None:
        self._left = at_request
        self._timer = threading.Timer(delay_seconds, os.kill, (os.getpid(), signal.SIGKILL))
        self._timer.daemon = True

    def __call__(self, request: Any) -> None:
        """Count a request."""
        if "/api.xro/" in str(request.url):
            self._left -= 1
            if self._left == 0:
                self._timer.start()

    def wait(self) -> None:
        """The work was done before the end came: it comes all the same."""
        if self._left <= 0:
            self._timer.join()


def extract(job: Mapping[str, Any]) -> None:
    """One try of a task, as the worker's process makes it."""
    app = XeroApp(**{**job["app"], "scopes": tuple(job["app"]["scopes"])})
    tenant = Tenant(**job["tenant"])
    killer = Killer(job["at_request"], job["delay_seconds"])
    with new_browser() as http, psycopg.connect(job["dsn"]) as warehouse:
        tokens = TokenStore(
            app, connect=lambda: psycopg.connect(job["dsn"]), keys=[job["key"]], http=http
        )
        http.event_hooks = {"request": [killer]}
        client = XeroClient(
            app, access_token=lambda: tokens.fresh(tenant.grant_id).value, http=http
        )
        extract_day(
            tenant,
            date.fromisoformat(job["day"]),
            client=client,
            warehouse=warehouse,
            endpoints=[each for each in ENDPOINTS if each.name in job["endpoints"]],
        )
    killer.wait()


def main() -> None:
    """Answer each job with the exit code of its process: -9 when it was killed."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            extract(json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
