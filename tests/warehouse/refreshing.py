"""Processes that want one grant's token at once: `python -m tests.warehouse.refreshing`.

Reads a job a line from standard input; forks so many processes, lets them start together, and
answers with what became of each. With `dies`, a process is killed when the answer of the refresh
has come and nothing was written yet; with `lends`, each looks its token up over a connection that
is open already, as a task does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import httpx
import psycopg

from airflow_xero.errors import XeroError
from airflow_xero.oauth import XeroApp
from airflow_xero.tokens import TokenStore
from xero_sandbox.testing import new_browser


def die(_: httpx.Response) -> None:
    """End this process without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


def use_the_grant(job: Mapping[str, Any]) -> dict[str, Any]:
    """Take a token and ask Xero for the connections with it; the token, or the error."""
    app = XeroApp(**{**job["app"], "scopes": tuple(job["app"]["scopes"])})
    with new_browser() as http:
        if job["dies"]:
            http.event_hooks = {"response": [die]}
        store = TokenStore(
            app, connect=lambda: psycopg.connect(job["dsn"]), keys=job["keys"], http=http
        )
        now = datetime.fromisoformat(job["now"])
        with psycopg.connect(job["dsn"]) if job["lends"] else nullcontext() as lent:
            try:
                token = store.fresh(job["grant_id"], now=now, over=lent)
            except XeroError as error:
                return {"error": type(error).__name__}
        asked = http.get(
            f"{app.api_url}/connections", headers={"Authorization": f"Bearer {token.value}"}
        )
        return {"token": token.value, "status": asked.status_code}


def child(job: Mapping[str, Any], starting: int, answers: int) -> None:
    """Wait for the start, and write one line: lines this short arrive in one piece."""
    os.read(starting, 1)
    os.write(answers, json.dumps(use_the_grant(job)).encode() + b"\n")


def together(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Start all processes at one moment; what those that lived had to say."""
    starting, start = os.pipe()
    answers, answer = os.pipe()
    pids = []
    for _ in range(job["count"]):
        pid = os.fork()
        if pid == 0:
            os.close(start)
            os.close(answers)
            child(job, starting, answer)
            os._exit(0)
        pids.append(pid)
    os.close(starting)
    os.close(answer)
    os.close(start)
    with os.fdopen(answers) as said:
        told = [json.loads(line) for line in said]
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    return told + [{"exit": code} for code in ends if code]


def main() -> None:
    """Answer each job."""
    for line in sys.stdin:
        print(json.dumps(together(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
