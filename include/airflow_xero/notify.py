"""Who must be told what, once: the rows of xero_ops.notices, and sending them.

A notice is written down first and sent then, by whoever comes first. So one cause is one message,
whichever Dags, tries and processes find it, and a message that could not be sent is not lost: the
next run tries again, for a day. Knows the table; must not know Airflow, nor by which ways people
are reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row, tuple_row

from airflow_xero.warehouse import require_idle, warehouse_errors

ONCE_EVER: None = None
"""The `repeat_days` of a cause that is told once and never again."""

# Xero being down fails everybody at once: more messages than this become one.
_MOST_MESSAGES = 5
# What was not sent within a day is no news; it stays in the table.
_TRIED_FOR = timedelta(days=1)
# So long another process leaves a message to the one that is sending it, or died of it.
_LEASE = timedelta(minutes=10)


@dataclass(frozen=True)
class Notice:
    """Something a person must know.

    `cause` identifies it: the same cause is told again after `repeat_days` at the earliest
    (ONCE_EVER: never). `title` is one line that says what happened and to whom, `advice` what to
    do. Neither may hold a secret or what is written in a customer's documents.
    """

    cause: str
    title: str
    advice: str
    tenant_id: str | None = None
    repeat_days: int | None = 1


@dataclass(frozen=True)
class Message:
    """What a person reads: one line, and plain text below it."""

    title: str
    text: str


Channel = Callable[[Message], str | None]
"""Sends a message; why it could not, None when it did."""


@dataclass(frozen=True)
class Sent:
    """How many messages went out, and why others did not (a line each)."""

    messages: int
    failures: Sequence[str]


def note(
    warehouse: psycopg.Connection[Any],
    notices: Iterable[Notice],
    *,
    now: datetime,
    link: str | None = None,
) -> int:
    """Write down what must be told and was not yet; how many are new. Of who was erased, nothing.

    `now` is aware; `link` is where to look. Raises WarehouseBusyError, XeroSetupError.
    """
    with warehouse_errors(), warehouse.transaction(), warehouse.cursor() as cursor:
        # Of two processes that write on two days, around midnight, the second must see the first.
        cursor.execute(_LOCK)
        return sum(_note(cursor, notice, now=now, link=link) for notice in notices)


def send_due(
    warehouse: psycopg.Connection[Any], channels: Mapping[str, Channel], *, now: datetime
) -> Sent:
    """Send what was noted within the last day and has not reached every channel.

    `channels` by name. A notice is claimed before it is sent, so that no other process sends it;
    that of a process that dies meanwhile is free ten minutes later. No transaction is open while
    something is sent. Raises WarehouseBusyError, XeroSetupError, and ValueError when the
    connection is inside a transaction.
    """
    if not channels:
        return Sent(0, ())
    require_idle(warehouse)
    values: dict[str, Any] = {"now": now, "since": now - _TRIED_FOR, "leased": now - _LEASE}
    with warehouse_errors(), warehouse.transaction(), _rows(warehouse) as cursor:
        [(due,)] = cursor.execute(_COUNT_DUE, values).fetchall()
    values["most"] = 1 if due <= _MOST_MESSAGES else None
    messages, failures = 0, list[str]()
    while claimed := _claim(warehouse, values):
        reached, failed = _send(claimed, channels)
        _store(warehouse, claimed, reached=reached, failed=failed, now=now)
        messages += len(reached)
        failures += failed
    return Sent(messages, tuple(failures))


def message_of(notices: Sequence[Notice], link: str | None = None) -> Message:
    """One message about one or several notices that need not be written down."""
    return _one_message([_message(notice.title, notice.advice, link) for notice in notices])


def _note(cursor: psycopg.Cursor[Any], notice: Notice, *, now: datetime, link: str | None) -> int:
    values = {
        "cause": notice.cause,
        "noticed_on": now.astimezone(UTC).date(),
        "repeat_days": notice.repeat_days,
        "tenant_id": notice.tenant_id,
        # An organisation's name may hold anything, a line break for a mail's header, too.
        "title": " ".join(notice.title.split()),
        "advice": notice.advice,
        "link": link,
        "now": now,
    }
    return cursor.execute(_NOTE, values).rowcount


@dataclass(frozen=True)
class _Due:
    cause: str
    noticed_on: date
    title: str
    advice: str
    link: str | None
    sent_via: Sequence[str]


def _claim(warehouse: psycopg.Connection[Any], values: Mapping[str, Any]) -> list[_Due]:
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=class_row(_Due)) as cursor,
    ):
        return cursor.execute(_CLAIM, values).fetchall()


def _send(claimed: Sequence[_Due], channels: Mapping[str, Channel]) -> tuple[list[str], list[str]]:
    """Send by every channel that has not taken it yet; those that did, and why others did not."""
    reached, failed = list[str](), list[str]()
    for name, send in channels.items():
        missing = [each for each in claimed if name not in each.sent_via]
        if not missing:
            continue
        messages = [_message(each.title, each.advice, each.link) for each in missing]
        failure = send(_one_message(messages))
        if failure is None:
            reached.append(name)
        else:
            failed.append(f"{name}: {failure}")
    return reached, failed


def _store(
    warehouse: psycopg.Connection[Any],
    claimed: Sequence[_Due],
    *,
    reached: list[str],
    failed: list[str],
    now: datetime,
) -> None:
    values = {
        "causes": [each.cause for each in claimed],
        "days": [each.noticed_on for each in claimed],
        "reached": reached,
        "failure": "; ".join(failed) or None,
        "now": now,
    }
    with warehouse_errors(), warehouse.transaction():
        warehouse.execute(_STORE, values)


def _message(title: str, advice: str, link: str | None) -> Message:
    return Message(title, f"{advice}\n{link}" if link else advice)


def _one_message(messages: Sequence[Message]) -> Message:
    if len(messages) == 1:
        return messages[0]
    text = "\n\n".join(f"{message.title}\n{message.text}" for message in messages)
    return Message(f"Xero: {len(messages)} notices", text)


def _rows(warehouse: psycopg.Connection[Any]) -> psycopg.Cursor[tuple[Any, ...]]:
    return warehouse.cursor(row_factory=tuple_row)


# One for all causes: a night of thousands must not use up the locks of Postgres.
_LOCK = "select pg_advisory_xact_lock(hashtextextended('airflow_xero.notices', 0))"

_NOTE = """
insert into xero_ops.notices (cause, noticed_on, tenant_id, title, advice, link, noticed_at)
select
    %(cause)s, %(noticed_on)s, %(tenant_id)s::uuid, %(title)s, %(advice)s, %(link)s, %(now)s
where not exists (
    select from xero_ops.notices
    where
        cause = %(cause)s
        and (%(repeat_days)s::integer is null or noticed_on > %(noticed_on)s - %(repeat_days)s)
)
-- Whoever erased an organisation meanwhile wants to hear no more of it.
and (
    %(tenant_id)s::uuid is null
    or exists (
        select from xero_ops.tenants where tenant_id = %(tenant_id)s::uuid for key share
    )
)
on conflict do nothing
"""

_IS_DUE = """
    sent_at is null
    and noticed_at > %(since)s
    and (
        tried_at is null
        -- One that failed says why; one that does not is being sent.
        or tried_at < case when failure is null then %(leased)s else %(now)s end
    )
"""

_COUNT_DUE = f"select count(*) from xero_ops.notices where {_IS_DUE}"  # noqa: S608 -- a constant

_CLAIM = f"""
with due as (
    select cause, noticed_on
    from xero_ops.notices
    where {_IS_DUE}
    order by noticed_at, cause
    limit %(most)s
    for update skip locked
),

claimed as (
    update xero_ops.notices
    set tried_at = %(now)s, tries = tries + 1, failure = null
    from due
    where notices.cause = due.cause and notices.noticed_on = due.noticed_on
    returning notices.*
)

select cause, noticed_on, title, advice, link, sent_via
from claimed
order by noticed_at, cause
"""  # noqa: S608

_STORE = """
update xero_ops.notices
set
    sent_via = array(select unnest(sent_via) union select unnest(%(reached)s::text[])),
    sent_at = case when %(failure)s::text is null then %(now)s end,
    failure = %(failure)s
from unnest(%(causes)s::text[], %(days)s::date[]) as claimed (cause, noticed_on)
where notices.cause = claimed.cause and notices.noticed_on = claimed.noticed_on
"""
