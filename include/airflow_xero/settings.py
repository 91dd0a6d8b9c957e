"""The settings a person gives in Airflow's configuration, section [xero].

Knows their names and what each must look like. Must not know Xero or the warehouse.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from airflow.sdk.configuration import conf
from airflow.sdk.log import mask_secret

from airflow_xero.errors import XeroSetupError
from airflow_xero.provider_info import (
    DEFAULT_BACKFILL_CALLS,
    DEFAULT_CONN_ID,
    DEFAULT_DEADLINE_HOURS,
    DEFAULT_EXTRACT_SLOTS,
    DEFAULT_REFRESH_SCHEDULE,
    DEFAULT_RESERVED_CALLS,
    DEFAULT_START_SECONDS,
    DEFAULT_TIE_OUT_TOLERANCE,
)

DAILY_HOUR = 12
"""The hour (UTC) at which the run of a day begins, on the next one: then it is over everywhere."""


def conn_id() -> str:
    """The Xero connection that the Dag, the pages and the commands use."""
    return conf.get("xero", "conn_id", fallback=DEFAULT_CONN_ID) or DEFAULT_CONN_ID


def first_day() -> datetime:
    """Midnight UTC of the first day that is published, written at installation.

    Raises XeroSetupError when it is missing or not a date: a moving start would publish other
    days with every restart.
    """
    text = conf.get("xero", "first_day", fallback="") or ""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise XeroSetupError(
            f"[xero] first_day is {text!r}. Set AIRFLOW__XERO__FIRST_DAY to the first day to"
            " publish, for example 2026-11-20, and never change it afterwards"
        ) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def reserved_calls() -> int:
    """How many calls of an organisation's day are left to other programs of the app.

    Raises XeroSetupError when it is no whole number of at least 0.
    """
    return _whole_number("reserved_calls", DEFAULT_RESERVED_CALLS, unit="calls")


def backfill_calls() -> int:
    """How many calls a run of xero_backfill spends on past reports of one organisation.

    Raises XeroSetupError when it is no whole number of at least 0.
    """
    return _whole_number("backfill_calls", DEFAULT_BACKFILL_CALLS, unit="calls")


def extract_slots() -> int:
    """How many organisations are extracted at once: the slots of the pool when it is made.

    At least 1. Raises XeroSetupError when it is no whole number.
    """
    return max(1, _whole_number("extract_slots", DEFAULT_EXTRACT_SLOTS, unit="organisations"))


def start_seconds() -> float:
    """Seconds between the starts of the organisations that a run begins with, at most 1.

    Raises XeroSetupError when it is no such number.
    """
    text = conf.get("xero", "start_seconds", fallback="") or DEFAULT_START_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 1:
        raise XeroSetupError(
            f"[xero] start_seconds is {text!r}: set AIRFLOW__XERO__START_SECONDS to seconds"
            f" between 0 and 1, for example {DEFAULT_START_SECONDS}"
        )
    return seconds


def refresh_schedule() -> str:
    """When xero_refresh runs, as a cron expression in UTC."""
    return conf.get("xero", "refresh_schedule", fallback="") or DEFAULT_REFRESH_SCHEDULE


def deadline() -> timedelta | None:
    """How long after its start a day's run must have ended; None when nobody minds.

    Raises XeroSetupError when it is no whole number of hours.
    """
    hours = _whole_number("deadline_hours", DEFAULT_DEADLINE_HOURS, unit="hours")
    return timedelta(hours=hours) if hours else None


def tie_out_tolerance() -> Decimal | None:
    """What may be left over between an organisation's report and its documents, base currency.

    None while no difference fails a run, unless `fail_on_broken_tie_out` is on. Raises
    XeroSetupError when that is neither on nor off, or this no amount of at least 0.
    """
    if not _is_on("fail_on_broken_tie_out"):
        return None
    text = (conf.get("xero", "tie_out_tolerance", fallback="") or "").strip()
    text = text or DEFAULT_TIE_OUT_TOLERANCE
    if not re.fullmatch(r"[0-9]+([.][0-9]+)?", text, re.ASCII):
        raise XeroSetupError(
            f"[xero] tie_out_tolerance is {text!r}: set AIRFLOW__XERO__TIE_OUT_TOLERANCE to an"
            " amount in base currency, for example 0.00"
        )
    return Decimal(text)


def notify_emails() -> tuple[str, ...]:
    """The addresses that are told when something goes wrong; none unless somebody sets them."""
    return tuple((conf.get("xero", "notify_emails", fallback="") or "").replace(",", " ").split())


def notify_webhook_conn_id() -> str | None:
    """The Airflow connection whose password is the address of a webhook; None without one."""
    return (conf.get("xero", "notify_webhook_conn_id", fallback="") or "").strip() or None


def _is_on(name: str) -> bool:
    text = (conf.get("xero", name, fallback="") or "false").strip().lower()
    # As Airflow spells them.
    if text not in ("true", "t", "1", "false", "f", "0"):
        raise XeroSetupError(
            f"[xero] {name} is {text!r}: set AIRFLOW__XERO__{name.upper()} to True or False"
        )
    return text in ("true", "t", "1")


def _whole_number(name: str, default: str, *, unit: str) -> int:
    text = conf.get("xero", name, fallback="") or default
    if not text.strip().isdecimal():
        raise XeroSetupError(
            f"[xero] {name} is {text!r}: set AIRFLOW__XERO__{name.upper()} to a whole number of"
            f" {unit}, for example {default}"
        )
    return int(text)


def dbt_project_dir() -> Path:
    """The folder that holds dbt_project.yml.

    Raises XeroSetupError when there is none.
    """
    configured = conf.get("xero", "dbt_project_dir", fallback="") or ""
    beside_dags = Path(conf.get("core", "dags_folder")).parent / "dbt"
    folder = Path(configured) if configured else beside_dags
    if not (folder / "dbt_project.yml").is_file():
        raise XeroSetupError(
            f"There is no dbt project in {folder}: set AIRFLOW__XERO__DBT_PROJECT_DIR"
        )
    return folder


def dbt_cache_dir() -> Path:
    """A folder that outlives a task, for dbt's partial parse."""
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / ".cache" / "xero_dbt"


def token_keys_from_environment() -> tuple[str, ...]:
    """The Fernet keys of the token store; the first encrypts.

    From XERO_TOKEN_KEYS, or [xero] token_keys with Airflow's _CMD and _SECRET variants.
    Raises XeroSetupError when there is none.
    """
    text = os.environ.get("XERO_TOKEN_KEYS") or conf.get("xero", "token_keys", fallback="") or ""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    if not keys:
        raise XeroSetupError(
            "There is no key to encrypt Xero's tokens with: set XERO_TOKEN_KEYS to a Fernet key"
            ' (python -c "from cryptography.fernet import Fernet as F;'
            ' print(F.generate_key().decode())")'
        )
    for key in keys:
        mask_secret(key)
    return keys
