"""Who is told, through real mails and a real webhook, by real runs and real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.models.dagrun import DagRun
from airflow.sdk._shared.secrets_masker import redact, reset_secrets_masker

from airflow_xero.notifiers import WebhookNotifier, XeroNotifier
from tests.airflow.listening import MailServer, Webhook

DAGS = Path(__file__).resolve().parents[2] / "dags"
KAURI, BEACON = "Kauri Coffee Roasters", "Beacon & Sons <Joinery>"
MINUTES = count()

pytestmark = [
    pytest.mark.usefixtures("airflow_database"),
    # Third parties, met inside Airflow's own runner.
    pytest.mark.filterwarnings(
        "ignore:Using .httpx. with .starlette.testclient. is deprecated"
        ":starlette.exceptions.StarletteDeprecationWarning"
    ),
]


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    return BundleDagBag(dag_folder=DAGS, bundle_path=DAGS, bundle_name="dags-folder").dags


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with Webhook() as server:
        yield server


@pytest.fixture(autouse=True)
def _told(mail, hook, set_connection, monkeypatch) -> None:
    """Both ways are set up, and Airflow has an address."""
    extra = {"disable_tls": True, "disable_ssl": True, "from_email": "airflow@example.com"}
    set_connection("smtp_default", conn_type="smtp", host="127.0.0.1", port=mail.port, extra=extra)
    set_connection("xero_webhook", conn_type="http", password=hook.url)
    monkeypatch.setenv("AIRFLOW__XERO__NOTIFY_EMAILS", "ada@example.com, grace@example.com")
    monkeypatch.setenv("AIRFLOW__XERO__NOTIFY_WEBHOOK_CONN_ID", "xero_webhook")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://airflow.example/")


Run = Callable[..., DagRun]


@pytest.fixture
def run(dags, xero, small_project, monkeypatch) -> Run:
    """Run one of the Dags; publishing is left to a small dbt project."""
    (small_project / "models" / "published.sql").write_text("select 1 as one")
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", str(small_project))
    monkeypatch.setenv("AIRFLOW__XERO__START_SECONDS", "0")

    def start(dag_id: str, **conf: Any) -> DagRun:
        minute = datetime.fromtimestamp(4_000_000_000 + 60 * next(MINUTES), UTC)
        day = {"day": "2026-11-20"} if dag_id == "xero_daily" else {}
        dag_run: DagRun = dags[dag_id].test(logical_date=minute, run_conf={**day, **conf})
        return dag_run

    return start


def refuse(xero, organisation: str) -> None:
    refused = {"path": "/api.xro/2.0/Invoices", "status": 400, "times": 9}
    xero.control("POST", "faults", {**refused, "tenant": xero.organisations()[organisation]})


def test_a_failed_organisation_is_told_once_by_every_way(
    run, xero, connect_organisations, mail, hook, capfd
):
    connect_organisations()
    refuse(xero, BEACON)

    failed = run("xero_daily")
    run("xero_daily")

    assert failed.state == "failed"
    (message,) = mail.mails
    assert message.to == ["ada@example.com", "grace@example.com"]
    assert message.subject == f"Xero: the extraction of {BEACON} failed"
    assert "BadRequestError" in message.html
    link = f"https://airflow.example/dags/xero_daily/runs/{failed.run_id.replace(':', '%3A')}"
    assert link.replace("+", "%2B") in message.html
    (text,) = hook.texts
    assert text.startswith("Xero: the extraction of Beacon &amp; Sons &lt;Joinery&gt; failed\n")
    # Nothing of what opens doors is in a message or a log.
    said = capfd.readouterr()
    for secret in (hook.secret, xero.client_secret):
        assert secret not in said.out + said.err + message.html + text


def test_an_organisation_that_fails_in_two_ways_on_one_day_is_told_twice_with_the_kind(
    run, xero, connect_organisations, warehouse, mail, hook
):
    connect_organisations()
    refuse(xero, BEACON)
    run("xero_daily")
    xero.control("DELETE", "faults")
    forbidden = {"path": "/api.xro/2.0/Organisation", "kind": "forbidden", "times": 1}
    xero.control("POST", "faults", {**forbidden, "tenant": xero.organisations()[BEACON]})

    run("xero_daily")

    assert {message.subject for message in mail.mails} == {
        f"Xero: the extraction of {BEACON} failed"
    }
    assert [text.splitlines()[1].partition(")")[0] for text in hook.texts] == [
        "Request refused (BadRequestError",
        "Access refused (TenantForbiddenError",
    ]
    reasons = (
        "select state_reason from xero_ops.extract_runs where state = 'failed' order by run_id"
    )
    kinds = [reason.partition(":")[0] for (reason,) in warehouse.execute(reasons).fetchall()]
    assert kinds == ["request refused", "access refused"]


def test_a_lost_consent_is_told_with_the_link_to_where_it_is_repaired(
    run, connect_organisations, warehouse, mail, hook
):
    connect_organisations()
    warehouse.execute("update xero_ops.grants set state = 'needs_reconnect', lost_at = now()")

    run("xero_resume")

    assert sorted(message.subject for message in mail.mails) == [
        f"Xero: {name} must be connected again" for name in (BEACON, KAURI)
    ]
    assert len(hook.texts) == 2
    for told in (*(message.html for message in mail.mails), *hook.texts):
        assert "https://airflow.example/plugin/xero" in told


def test_a_consent_lost_in_the_night_fails_the_first_of_its_organisations_and_skips_the_others(
    run, xero, connect_organisations, warehouse, mail, capfd
):
    connect_organisations()
    xero.control("POST", "revoke", {"email": "ava@example.com"})
    warehouse.execute("update xero_ops.grants set access_expires_at = now()")

    dag_run = run("xero_daily")

    extracted = {
        ti.rendered_map_index: ti.state
        for ti in dag_run.get_task_instances()
        if ti.task_id == "extract_tenant"
    }
    # Whichever comes first.
    assert extracted in (
        {BEACON: "failed", KAURI: "skipped"},
        {BEACON: "skipped", KAURI: "failed"},
    )
    failed, skipped = sorted(extracted, key=extracted.__getitem__)
    assert f"SKIPPED {skipped}: " in capfd.readouterr().out
    assert [message.subject for message in mail.mails] == [
        f"Xero: {failed} must be connected again"
    ]
    run("xero_resume")
    assert [message.subject for message in mail.mails[1:]] == [
        f"Xero: {skipped} must be connected again"
    ]


def test_more_than_five_failed_organisations_come_as_one_message(
    run, xero, connect_organisations, mail, hook
):
    names = [f"Branch {number}" for number in range(8)]
    made = [
        xero.control("POST", "organisations", {"name": name, "seed": 3, "days": 0})["tenantId"]
        for name in names
    ]
    xero.control("POST", "users", {"email": "rua@example.com", "organisations": made})
    connect_organisations("rua@example.com")
    xero.control("POST", "faults", {"path": "/api.xro/2.0/Organisation", "status": 400, "times": 0})

    assert run("xero_daily").state == "failed"

    assert [message.subject for message in mail.mails] == ["Xero: 8 notices"]
    (text,) = hook.texts
    assert [name for name in names if f"the extraction of {name} failed" in text] == names


def test_a_failure_in_a_dag_without_a_report_is_told_by_watch(
    run, xero, connect_organisations, mail
):
    connect_organisations()
    run("xero_daily")
    fault = {"path": "/api.xro/2.0/Organisation", "status": 400, "times": 0}
    xero.control("POST", "faults", {**fault, "tenant": xero.organisations()[KAURI]})
    run("xero_backfill")
    assert mail.mails == []

    run("xero_resume")

    assert [message.subject for message in mail.mails] == [
        f"Xero: the extraction of {KAURI} failed"
    ]


def test_statistics_that_are_not_published_are_told(run, connect_organisations, hook, monkeypatch):
    connect_organisations()
    monkeypatch.setenv("AIRFLOW__XERO__DBT_PROJECT_DIR", "/nowhere")

    run("xero_daily")

    assert [text.partition("\n")[0] for text in hook.texts] == [
        "Xero: the statistics were not published"
    ]


# A build of it, where the documents of every organisation lack a cent of what Xero reports.
A_CENT_IS_LACKING = """
{{ config(pre_hook="
    create schema if not exists xero_marts;
    drop table if exists xero_marts.rpt_tie_out, xero_marts.rpt_tie_out_summary;
    create table xero_marts.rpt_tie_out as
    select tenant_id, 'TrialBalance' as report, 'accrual' as basis, day as report_date, known_at,
        'sales' as line_key, 'Sales (200)' as line_label, 'broken' as status
    from xero_ops.extract_runs where state = 'complete';
    create table xero_marts.rpt_tie_out_summary as
    select tenant_id, report, basis, report_date, known_at, 0.01 as difference_amount,
        0.01 as broken_amount
    from xero_marts.rpt_tie_out;
") }}
select 1 as one
"""


def test_statistics_that_are_published_and_do_not_tie_are_told_as_that(
    run, connect_organisations, hook, monkeypatch, small_project, capfd
):
    connect_organisations()
    (small_project / "models" / "published.sql").write_text(A_CENT_IS_LACKING)
    monkeypatch.setenv("AIRFLOW__XERO__FAIL_ON_BROKEN_TIE_OUT", "True")

    assert run("xero_daily").state == "failed"

    assert sorted(text.partition("\n")[0] for text in hook.texts) == [
        "Xero: documents of Beacon &amp; Sons &lt;Joinery&gt; do not add up to its reports",
        f"Xero: documents of {KAURI} do not add up to its reports",
        "Xero: the statistics are published, but do not add up to Xero's reports",
    ]
    said = capfd.readouterr().out
    assert "statistics published, tie-out BROKEN." in said
    assert "not published" not in said.lower()


def a_list_that_shrinks(warehouse) -> None:
    # As if Xero had listed far more tax rates a week ago.
    warehouse.execute(
        "insert into xero_raw.tax_rates (tenant_id, record_id, known_from, payload, run_id)"
        " select tenant_id, 'OLD' || n, now(), '{}', 1"
        " from xero_ops.tenants, generate_series(1, 40) as n where tenant_name = %s",
        (KAURI,),
    )
    warehouse.execute("delete from xero_ops.watermarks where endpoint = 'tax_rates'")


def test_an_alarm_is_told_also_when_the_extraction_fails_later(
    run, xero, connect_organisations, hook, warehouse
):
    connect_organisations()
    run("xero_daily")
    a_list_that_shrinks(warehouse)
    warehouse.execute("update xero_ops.watermarks set modified_since = '2020-01-01'")
    refuse(xero, KAURI)

    assert run("xero_daily").state == "failed"

    assert sorted(text.partition("\n")[0] for text in hook.texts) == [
        f"Xero: tax_rates of {KAURI} do not add up",
        f"Xero: the extraction of {KAURI} failed",
    ]


def test_a_list_that_suddenly_shrinks_is_told(run, connect_organisations, hook, warehouse):
    connect_organisations()
    run("xero_daily")
    assert hook.texts == []
    a_list_that_shrinks(warehouse)

    dag_run = run("xero_daily")

    assert dag_run.state == "success"
    (text,) = hook.texts
    assert text.startswith(f"Xero: tax_rates of {KAURI} do not add up\nXero lists ")


def test_a_warehouse_that_cannot_be_reached_is_told_by_the_report(
    run, connect_organisations, monkeypatch, mail
):
    connect_organisations()
    # No server that is down: Airflow would try again for minutes.
    monkeypatch.delenv("AIRFLOW_CONN_XERO_WAREHOUSE")

    dag_run = run("xero_daily")

    assert dag_run.state == "failed"
    assert [message.subject for message in mail.mails] == [
        "Airflow: xero_daily.list_tenants failed"
    ]


def test_what_cannot_be_sent_turns_watch_red_and_is_sent_by_the_next(
    run, xero, connect_organisations, mail, hook, warehouse
):
    connect_organisations()
    refuse(xero, KAURI)
    hook.status = 503
    run("xero_daily")
    assert (len(mail.mails), hook.texts) == (1, [])

    red = run("xero_resume")
    ((failure,),) = warehouse.execute("select failure from xero_ops.notices").fetchall()
    hook.status = 200
    green = run("xero_resume")

    assert (red.state, green.state) == ("failed", "success")
    assert "'xero_webhook' answers 503" in failure
    assert hook.secret not in failure
    assert (len(mail.mails), len(hook.texts)) == (1, 1)


def test_a_late_day_is_told_by_a_real_process_once_a_day(
    run, connect_organisations, warehouse, mail, hook, monkeypatch
):
    monkeypatch.setenv("AIRFLOW__XERO__FIRST_DAY", "2020-01-01")
    connect_organisations()
    warehouse.execute("update xero_ops.connections set connected_at = '2020-01-01'")
    command = [sys.executable, "-m", "airflow", "dags", "test", "xero_resume"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    assert run("xero_resume").state == "success"

    (message,) = mail.mails
    assert message.subject.startswith("Xero: the statistics of 20")
    assert message.subject.endswith(" are late")
    assert "2 of 2 organisations are not extracted" in message.html
    assert len(hook.texts) == 1


TELLS = """
import sys
from airflow_xero.notifiers import tell
from airflow_xero.notify import Notice
print("ready", flush=True)
for line in sys.stdin:
    tell([Notice(line.strip(), "Cause " + line.strip(), "Look.")], xero_conn_id="xero_default")
    print("told", flush=True)
"""


def test_processes_that_find_a_cause_at_the_same_time_tell_it_once(xero, mail, hook):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TELLS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        for _ in range(2)
    ]
    try:
        wait_for(processes, "ready")
        for number in range(10):
            for process in processes:
                assert process.stdin
                process.stdin.write(f"{number}\n")
                process.stdin.flush()
            wait_for(processes, "told")
    finally:
        for process in processes:
            process.communicate()

    assert sorted(message.subject for message in mail.mails) == [f"Cause {n}" for n in range(10)]
    assert sorted(hook.texts) == [f"Cause {n}\nLook." for n in range(10)]


def wait_for(processes: list[subprocess.Popen[str]], word: str) -> None:
    for process in processes:
        assert process.stdout
        while (line := process.stdout.readline()) and line.strip() != word:
            pass
        assert line.strip() == word


def test_a_dag_author_hangs_the_notifier_on_a_task_and_no_data_is_quoted(xero, hook):
    failed = SimpleNamespace(dag_id="their_own", task_id="breaks", run_id="manual__1")
    error = ValueError("Private Person owes 100")

    for _ in range(2):
        XeroNotifier()({"ti": failed, "exception": error})

    (text,) = hook.texts
    assert text.startswith("Airflow: their_own.breaks failed\nValueError. ")
    assert text.endswith("\nhttps://airflow.example/dags/their_own/runs/manual__1")
    assert "Private" not in text


@pytest.mark.parametrize("address", ["", "http://hooks.example.com/T0PS3CRET", "T0PS3CRET"])
def test_an_address_that_is_not_https_is_refused_without_showing_it(
    run, xero, connect_organisations, set_connection, warehouse, address
):
    set_connection("xero_webhook", conn_type="http", password=address)
    connect_organisations()
    refuse(xero, KAURI)

    run("xero_daily")

    ((failure,),) = warehouse.execute("select failure from xero_ops.notices").fetchall()
    assert "'xero_webhook' is no https address" in failure
    assert "T0PS3CRET" not in failure


def test_what_httpx_logs_of_an_address_is_masked(set_connection):
    # What other tests had masked in this process may be a part of the address.
    reset_secrets_masker()
    with Webhook() as server:
        address = f"{server.url}/Zoë s?key=K3YS3CRET"
        set_connection("xero_webhook", conn_type="http", password=address)
        WebhookNotifier(webhook_conn_id="xero_webhook", text="…").notify({})

    # It writes the address as it is sent, which is not how somebody wrote it down.
    said = str(redact(f'HTTP Request: POST {httpx.URL(address)} "HTTP/1.0 200 OK"'))
    assert httpx.URL(address).raw_path.decode() not in address
    assert "S3CRET" not in said
    assert said.startswith("HTTP Request: POST ")


def test_nobody_is_told_anything_unless_somebody_asks_for_it(
    run, xero, connect_organisations, mail, hook, warehouse, monkeypatch
):
    monkeypatch.delenv("AIRFLOW__XERO__NOTIFY_EMAILS")
    monkeypatch.delenv("AIRFLOW__XERO__NOTIFY_WEBHOOK_CONN_ID")
    connect_organisations()
    refuse(xero, KAURI)

    run("xero_daily")

    assert (mail.mails, hook.texts) == ([], [])
    noted = warehouse.execute("select title, sent_at from xero_ops.notices").fetchall()
    assert noted == [(f"Xero: the extraction of {KAURI} failed", None)]
