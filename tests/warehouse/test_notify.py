"""Notices: one cause is one message, whoever finds it, and none is lost."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from airflow_xero import causes, notify
from airflow_xero.drift import Drift
from airflow_xero.errors import (
    BadRequestError,
    ConsentLostError,
    PublishError,
    RateLimitError,
    ScopeMissingError,
    UnavailableError,
    UnexpectedPayloadError,
    WarehouseBusyError,
)
from airflow_xero.notify import ONCE_EVER, Message, Notice
from airflow_xero.outcome import Outcome
from airflow_xero.warehouse import warehouse_errors

NOW = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)
DAILY = Notice("late", "It is late", "Look at the Dag.")


class Mailbox:
    """A channel that keeps what it is sent, and refuses as long as `refusal` says why."""

    def __init__(self, refusal: str | None = None) -> None:
        self.messages: list[Message] = []
        self.refusal = refusal

    def __call__(self, message: Message) -> str | None:
        if self.refusal is None:
            self.messages.append(message)
        return self.refusal

    @property
    def titles(self) -> list[str]:
        return [message.title for message in self.messages]


def tell(warehouse, mailbox, *notices, now=NOW, **note):
    notify.note(warehouse, notices, now=now, **note)
    return notify.send_due(warehouse, {"email": mailbox}, now=now)


def test_a_cause_is_told_once_a_day(warehouse):
    mailbox = Mailbox()

    for minutes in (0, 0.5, 1, 2, 60 * 24 - 1):
        tell(warehouse, mailbox, DAILY, DAILY, now=NOW + timedelta(minutes=minutes))

    assert mailbox.titles == ["It is late", "It is late"]
    days = warehouse.execute("select noticed_on::text from xero_ops.notices order by 1").fetchall()
    assert days == [("2026-11-21",), ("2026-11-22",)]


@pytest.mark.parametrize(
    ("repeat_days", "told"), [(1, [0, 1, 2, 7, 400]), (7, [0, 7, 400]), (ONCE_EVER, [0])]
)
def test_a_cause_is_told_again_after_its_time(warehouse, repeat_days, told):
    mailbox = Mailbox()
    notice = Notice("needs_reconnect:1", "Connect again", "…", repeat_days=repeat_days)
    days = []

    for day in (0, 1, 2, 7, 400):
        before = len(mailbox.messages)
        tell(warehouse, mailbox, notice, now=NOW + timedelta(days=day))
        days += [day] * (len(mailbox.messages) - before)

    assert days == told


def test_each_cause_is_a_message_of_its_own_but_many_are_one(warehouse):
    mailbox = Mailbox()
    some = [Notice(f"c:{n}", f"Cause {n}", f"Do {n}.") for n in range(5)]

    tell(warehouse, mailbox, *some)

    assert sorted(mailbox.titles) == [f"Cause {n}" for n in range(5)]

    many = [Notice(f"d:{n}", f"Other cause {n}", f"Do {n}.") for n in range(6)]
    tell(warehouse, mailbox, *many, link="https://airflow.example")

    *_, last = mailbox.messages
    assert last.title == "Xero: 6 notices"
    assert last.text == "\n\n".join(
        f"Other cause {n}\nDo {n}.\nhttps://airflow.example" for n in range(6)
    )
    assert len(mailbox.messages) == 6


def test_what_could_not_be_sent_is_noted_and_tried_again_by_that_way_alone(warehouse):
    good, bad = Mailbox(), Mailbox("refused: 451 later")
    channels = {"email": good, "webhook": bad}
    notify.note(warehouse, [DAILY], now=NOW)

    first = notify.send_due(warehouse, channels, now=NOW)

    assert (first.messages, first.failures) == (1, ("webhook: refused: 451 later",))
    assert row(warehouse) == (["email"], False, 1, "webhook: refused: 451 later")

    bad.refusal = None
    second = notify.send_due(warehouse, channels, now=NOW + timedelta(minutes=15))

    assert (second.messages, second.failures) == (1, ())
    assert row(warehouse) == (["email", "webhook"], True, 2, None)
    notify.send_due(warehouse, channels, now=NOW + timedelta(minutes=30))
    assert (good.titles, bad.titles) == (["It is late"], ["It is late"])


def row(warehouse):
    return warehouse.execute(
        "select sent_via, sent_at is not null, tries, failure from xero_ops.notices"
    ).fetchone()


def test_nothing_is_sent_and_nothing_lost_while_no_way_is_set_up(warehouse):
    mailbox = Mailbox()
    notify.note(warehouse, [DAILY], now=NOW)
    assert notify.send_due(warehouse, {}, now=NOW).messages == 0

    later = NOW + timedelta(hours=23)
    notify.send_due(warehouse, {"email": mailbox}, now=later)

    assert mailbox.titles == ["It is late"]


def test_what_is_older_than_a_day_is_no_news(warehouse):
    mailbox = Mailbox("refused")
    tell(warehouse, mailbox, DAILY)
    mailbox.refusal = None

    notify.send_due(warehouse, {"email": mailbox}, now=NOW + timedelta(days=1))

    assert mailbox.titles == []
    assert row(warehouse) == ([], False, 1, "email: refused")


def test_a_process_that_dies_while_sending_leaves_the_message_to_the_next(warehouse):
    def dies(message: Message) -> str | None:
        raise KeyboardInterrupt

    notify.note(warehouse, [DAILY], now=NOW)
    with pytest.raises(KeyboardInterrupt):
        notify.send_due(warehouse, {"email": dies}, now=NOW)

    mailbox = Mailbox()
    for minutes in (0, 9, 10, 11):
        notify.send_due(warehouse, {"email": mailbox}, now=NOW + timedelta(minutes=minutes))
        # Nobody knows whether it went out, so the other one is left ten minutes.
        assert mailbox.titles == (["It is late"] if minutes > 10 else [])


def test_nothing_of_the_warehouse_is_held_while_a_message_is_sent(warehouse_dsn):
    seen: list[TransactionStatus] = []

    def sends_slowly(message: Message) -> str | None:
        seen.append(warehouse.info.transaction_status)
        return None

    with psycopg.connect(warehouse_dsn) as warehouse:
        notify.note(warehouse, [DAILY, replace(DAILY, cause="other")], now=NOW)
        sent = notify.send_due(warehouse, {"email": sends_slowly}, now=NOW)

    assert (sent.messages, seen) == (2, [TransactionStatus.IDLE] * 2)


def test_a_session_that_postgres_ended_in_its_transaction_is_busy_and_not_a_fault(warehouse_dsn):
    still = "select pid from pg_stat_activity where pid = %s"
    with (
        closing(psycopg.connect(warehouse_dsn)) as warehouse,
        psycopg.connect(warehouse_dsn, autocommit=True) as other,
    ):
        warehouse.execute("set idle_in_transaction_session_timeout = '1ms'")
        # Postgres has ended it when its process is gone.
        while other.execute(still, (warehouse.info.backend_pid,)).fetchone():
            pass
        with pytest.raises(WarehouseBusyError, match="idle"), warehouse_errors():
            warehouse.execute("select 1")


def test_a_night_of_many_causes_holds_one_lock(warehouse):
    many = [Notice(f"c:{n}", f"Cause {n}", "…") for n in range(50)]
    with warehouse.transaction():
        assert notify.note(warehouse, many, now=NOW) == 50
        ((locks,),) = warehouse.execute(
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        ).fetchall()

    assert locks == 1


def test_a_message_that_another_process_is_sending_is_left_to_it(warehouse, warehouse_dsn):
    outer, inner = Mailbox(), Mailbox()

    def sends_while_another_looks(message: Message) -> str | None:
        with psycopg.connect(warehouse_dsn) as other:
            notify.note(other, [DAILY], now=NOW + timedelta(seconds=30))
            notify.send_due(other, {"email": inner}, now=NOW + timedelta(seconds=30))
        return outer(message)

    notify.note(warehouse, [DAILY], now=NOW)
    notify.send_due(warehouse, {"email": sends_while_another_looks}, now=NOW)

    assert (outer.titles, inner.titles) == (["It is late"], [])


def test_of_an_organisation_that_was_erased_meanwhile_nothing_is_told_and_others_are(warehouse):
    mailbox = Mailbox()
    erased = replace(DAILY, cause="alarm:gone", tenant_id="99999999-9999-9999-9999-999999999999")

    tell(warehouse, mailbox, erased, DAILY)

    assert mailbox.titles == ["It is late"]


def test_a_line_break_in_a_name_reaches_no_header(warehouse):
    mailbox = Mailbox()

    tell(warehouse, mailbox, Notice("x", "Kauri\r\nBcc: everybody@example.com", "…"))

    assert mailbox.titles == ["Kauri Bcc: everybody@example.com"]


def test_advice_names_the_kind_repeats_our_own_words_and_quotes_no_data():
    assert causes.advice_of(UnavailableError("Xero is down")) == (
        "Xero unavailable (UnavailableError): Xero is down."
    )
    assert causes.advice_of(ConsentLostError("Connect again")) == (
        "Needs reconnecting (ConsentLostError): Connect again."
    )
    quoting = UnexpectedPayloadError("Postgres refuses 'Private Person'")
    for error in (quoting, ValueError("Private Person")):
        advice = causes.advice_of(error)
        assert "Private" not in advice
        assert type(error).__name__ in advice


@pytest.fixture
def tenant_id(connected) -> str:
    return str(connected[0].tenant_id)


def failure_of(error: Exception, tenant_id: str) -> Notice:
    return causes.extraction_failed(
        tenant_id, "Kauri", advice=causes.advice_of(error), kind=causes.kind_of(error)
    )


def test_another_failure_of_an_organisation_on_the_same_day_is_a_message_of_its_own(
    warehouse, tenant_id
):
    mailbox = Mailbox()
    day_limit = RateLimitError("Full", limit="day", retry_after_seconds=500)
    refused = [BadRequestError("No", endpoint=name) for name in ("invoices", "contacts")]

    for error in (day_limit, ScopeMissingError("Grant it"), *refused):
        for _ in range(2):
            tell(warehouse, mailbox, failure_of(error, tenant_id))

    assert [message.text.partition(")")[0] for message in mailbox.messages] == [
        "Day limit used up (RateLimitError",
        "Scope missing (ScopeMissingError",
        "Request refused (BadRequestError",
        "Request refused (BadRequestError",
    ]


def test_one_failure_that_shows_at_several_endpoints_is_one_message(warehouse, tenant_id):
    mailbox = Mailbox()

    for endpoint in ("invoices", "contacts"):
        down = UnavailableError("Down", endpoint=endpoint)
        tell(warehouse, mailbox, failure_of(down, tenant_id))

    assert len(mailbox.messages) == 1


def test_a_failure_is_one_message_whether_the_task_or_the_report_finds_it(warehouse, tenant_id):
    mailbox = Mailbox()
    error = BadRequestError("No", endpoint="invoices")
    failure = {
        "tenant_id": tenant_id,
        "reason": "…",
        "advice": causes.advice_of(error),
        "kind": causes.kind_of(error),
    }
    tenant = {"tenant_id": tenant_id, "tenant_name": "Kauri"}
    outcome = Outcome(NOW.date(), [tenant], failures=[failure])

    tell(warehouse, mailbox, failure_of(error, tenant_id))
    tell(warehouse, mailbox, *causes.of_outcome(outcome))

    assert mailbox.titles == ["Xero: the extraction of Kauri failed"]


def test_statistics_that_dbt_was_not_to_blame_for_say_who_was():
    assert causes.not_published(PublishError("no")).advice == causes.not_published().advice
    busy = causes.not_published(WarehouseBusyError("The disk is full")).advice
    assert busy.startswith("Warehouse busy (WarehouseBusyError): The disk is full. What was")


def test_what_is_new_at_xero_is_told_once_ever(warehouse):
    mailbox = Mailbox()
    warehouse.execute(
        "insert into xero_ops.schema_drift (endpoint, field, kind)"
        " values ('invoices', 'Mood', 'field'), ('quotes', 'Sunset: soon', 'notice')"
    )

    for days in (0, 1, 30):
        tell(
            warehouse,
            mailbox,
            *causes.new_drifts(warehouse),
            now=NOW + timedelta(days=days),
        )

    assert mailbox.titles == [
        f"Xero sends something new: {Drift('invoices', 'Mood', 'field')}",
        f"Xero sends something new: {Drift('quotes', 'Sunset: soon', 'notice')}",
    ]


def late(warehouse, now, *, first_day="2026-11-01"):
    return causes.late(
        warehouse,
        "xero_default",
        begins_hour=12,
        deadline=timedelta(hours=3),
        first_day=datetime.fromisoformat(first_day).date(),
        now=now,
    )


@pytest.fixture
def long_connected(warehouse, connected):
    """Ava's two organisations, as if connected weeks ago."""
    warehouse.execute("update xero_ops.connections set connected_at = '2026-11-01'")
    return [each.tenant_id for each in connected]


def end_run(warehouse, tenant_id, day, state, *, closes_day=True, built=True):
    warehouse.execute(
        "insert into xero_ops.extract_runs"
        " (tenant_id, day, known_at, state, closes_day, finished_at, built_at)"
        " values (%s, %s, now(), %s, %s, '2026-11-21 12:10+00', %s)",
        (tenant_id, day, state, closes_day, "2026-11-21 12:20+00" if built else None),
    )


DUE = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)


def test_a_day_is_late_when_its_hours_are_over_and_an_organisation_was_not_tried(
    warehouse, long_connected
):
    first, second = long_connected
    for tenant_id in long_connected:
        end_run(warehouse, tenant_id, "2026-11-19", "complete")
    assert [n.title for n in late(warehouse, DUE - timedelta(seconds=1))] == []

    (notice,) = late(warehouse, DUE)

    assert notice.title == "Xero: the statistics of 2026-11-20 are late"
    assert notice.advice.startswith("2 of 2 organisations are not extracted and 0 extractions")
    end_run(warehouse, first, "2026-11-20", "failed")
    end_run(warehouse, second, "2026-11-20", "complete", closes_day=False)
    assert late(warehouse, DUE)[0].advice.startswith("1 of 2")
    end_run(warehouse, second, "2026-11-20", "waiting_for_limit")
    assert late(warehouse, DUE) == []


def test_a_day_is_late_when_it_was_extracted_and_is_not_published(warehouse, long_connected):
    for tenant_id in long_connected:
        end_run(warehouse, tenant_id, "2026-11-20", "complete", built=False)

    (notice,) = late(warehouse, DUE + timedelta(minutes=11))

    assert "2 extractions are not published" in notice.advice


@pytest.mark.parametrize(
    "why",
    [
        "update xero_ops.connections set connected_at = '2026-11-21 12:00:01+00'",
        "update xero_ops.connections set disconnected_at = now()",
        "update xero_ops.grants set state = 'needs_reconnect'",
    ],
)
def test_a_day_is_not_late_for_who_could_not_be_extracted(warehouse, long_connected, why):
    warehouse.execute(why)

    assert late(warehouse, DUE) == []


def test_no_day_before_the_first_one_is_late(warehouse, long_connected):
    assert late(warehouse, DUE, first_day="2026-11-21") == []
    assert late(warehouse, DUE, first_day="2026-11-20") != []
