"""What `make run`, `make stop`, `make reset` and `make status` do, step by step.

And how a command of Airflow's own reaches the Airflow that runs here.

The order is told here; how each step is done is told in `stack.py` and its neighbours.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from local_stack import sandbox as pretend
from local_stack.airflow import ADMIN
from local_stack.airflow_api import AirflowApi
from local_stack.consent import consent
from local_stack.environment import inherited_environment
from local_stack.errors import StackError
from local_stack.nights import (
    DAG_ID,
    EXTRACT_DAG_ID,
    Night,
    hold_first_extractions,
    last_nights,
    run_night,
    wait_for_dag,
)
from local_stack.progress import Progress
from local_stack.settings import Settings
from local_stack.stack import Stack, open_stack
from local_stack.state import lock, write_private
from local_stack.statistics import last_statistics, print_statistics

_ORGANISATIONS = "/xero/api/organisations"
_KEYS_FILE = "xero_token_keys"


def run(settings: Settings, progress: Progress, *, now: datetime) -> None:
    """Bring the whole stack up, install it when that is not done, and print where it is.

    Everything that is there already is left as it is. StackError when a step fails; the next
    run goes on from there.
    """
    folder = settings.folder
    refuse_foreign_folder(folder)
    with lock(folder / "lock"):
        stack = open_stack(settings, progress)
        remember_nights(stack, now)
        stack.refuse_another_warehouse()
        stack.end_leftovers()
        stack.choose_ports()
        stack.start_postgres()
        # Before the tables change under them.
        stack.stop_outdated()
        stack.migrate_airflow()
        write_login(stack)
        # First the tables: a run of the schedule may be due as soon as the scheduler is up.
        stack.migrate_warehouse()
        stack.start_children()
        api = stack.wait_until_healthy()
        stack.put_connections(api)
        if not stack.is_installed:
            install(stack, api)
        print_statistics(stack.warehouse(), progress)
        print_addresses(stack)


def remember_nights(stack: Stack, now: datetime) -> None:
    """Choose the demo's nights and the first day of the schedule, once and for all.

    The schedule begins where the nights end, so that no day is missing and none is run twice.
    """
    if stack.state.get("first_day") is None:
        nights = last_nights(now)
        first_day = nights[-1].day + timedelta(days=1)
        stack.state.set("nights", [night.day.isoformat() for night in nights])
        stack.state.set("first_day", first_day.isoformat())


def write_login(stack: Stack) -> None:
    """Give Airflow's simple login the admin's password."""
    path = stack.airflow().password_file
    if not path.exists():
        password = stack.secrets.value("airflow_admin_password")
        write_private(path, json.dumps({ADMIN: password}))


def install(stack: Stack, api: AirflowApi) -> None:
    """Connect the demo's organisations and run its nights; with the real Xero, people connect."""
    wait_for_dag(api, check=stack.check)
    if not stack.settings.is_real:
        hold_first_extractions(api, check=stack.check)
        connect_demo_users(stack, api)
    api.unpause(DAG_ID)
    if not stack.settings.is_real:
        run_demo_nights(stack, api)
        if not last_statistics(stack.warehouse()):
            raise StackError(
                f"The nights ended, but the warehouse holds no statistics: look at {DAG_ID} in "
                f"{stack.airflow().url}, or begin anew with `make reset`."
            )
        api.unpause(EXTRACT_DAG_ID)
    stack.state.set("is_installed", True)


def connect_demo_users(stack: Stack, api: AirflowApi) -> None:
    """Let every demo user consent who has not done so in this installation.

    A warehouse of one's own may know the organisations from an earlier one, without its keys.
    """
    consented: list[str] = stack.state.get("consented") or []
    for user in stack.sandbox().users():
        if user.email in consented:
            continue
        stack.progress.step(f"connecting Xero as {user.email}")
        consent(
            f"{stack.airflow().url}/xero/connect",
            airflow_token=api.http.cookies["_token"],
            email=user.email,
            password=pretend.DEMO_PASSWORD,
        )
        missing = set(user.organisations) - {found["tenant_id"] for found in _organisations(api)}
        if missing:
            raise StackError(
                f"{user.email} agreed, but {len(missing)} of their organisations did not arrive: "
                f"read {stack.children.log('api-server')}, then run the command again."
            )
        consented = [*consented, user.email]
        stack.state.set("consented", consented)


def run_demo_nights(stack: Stack, api: AirflowApi) -> None:
    """Run the remembered nights one after another, then let the sandbox's clock show today."""
    sandbox = stack.sandbox()
    for day in stack.state.get("nights"):
        run_night(
            api,
            Night(datetime.fromisoformat(day).date()),
            set_clock=sandbox.set_business_clock,
            check=stack.check,
            task_logs=stack.airflow().task_logs,
            progress=stack.progress,
        )
    sandbox.set_business_clock(datetime.now(UTC))


def print_addresses(stack: Stack) -> None:
    """Tell where everything is; the demo's logins too, the real ones only where they lie."""
    airflow = stack.airflow()
    rows = [
        ("Airflow", f"{airflow.url}   login {_admin_login(stack)}"),
        ("Connect page", f"{airflow.url}/plugin/xero"),
        ("dbt docs", f"{airflow.url}/xero/docs"),
    ]
    if stack.settings.is_real:
        rows.append(("Redirect URI", f"{airflow.url}/xero/callback   (register it with Xero)"))
    else:
        rows.append(("Sandbox", f"{stack.sandbox().url}   any demo user / sandbox"))
        rows.append(("Statistics", stack.warehouse().reader_dsn or "in the warehouse of .env"))
    stack.progress.text()
    for name, address in rows:
        stack.progress.text(f"  {name:<13} {address}")
    stack.progress.text("\n  make stop ends it · make run resumes · make reset deletes its state")


def _admin_login(stack: Stack) -> str:
    if stack.settings.is_real:
        return f"{ADMIN}, password in {stack.secrets.path('airflow_admin_password')}"
    return f"{ADMIN} / {stack.secrets.value('airflow_admin_password')}"


def stop(repository: Path, progress: Progress) -> None:
    """End every process of every mode."""
    for stack in _existing_stacks(repository, progress):
        with lock(stack.settings.folder / "lock"):
            stack.stop()
    progress.step("everything has ended")


def reset(repository: Path, progress: Progress) -> None:
    """End every process and delete all state.

    The keys of a warehouse of one's own stay: it goes on, and without them every user would have
    to consent again.
    """
    stop(repository, progress)
    kept = [
        stack.secrets.path(_KEYS_FILE)
        for stack in _existing_stacks(repository, progress)
        if not stack.is_embedded
    ]
    local = repository / ".local"
    if local.exists():
        _delete_all_but(kept, local)
        progress.step(f"{local} is deleted")
    for path in kept:
        progress.step(f"{path} is kept, for the warehouse of your own")


def _delete_all_but(kept: Sequence[Path], folder: Path) -> None:
    """Delete the folder, except for the given files: those are never touched."""
    if not any(folder in path.parents for path in kept):
        shutil.rmtree(folder)
        return
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            _delete_all_but(kept, entry)
        elif entry not in kept:
            entry.unlink()


def status(repository: Path, progress: Progress) -> None:
    """Say what runs."""
    stacks = _existing_stacks(repository, progress)
    if not stacks:
        progress.text("nothing was started here: make run starts everything")
    for stack in stacks:
        mode = stack.settings.folder.name
        is_up = stack.server.pid is not None
        progress.text(f"{mode}: postgres {'running' if is_up else 'stopped'}")
        for name in stack.children.names():
            is_up = stack.children.is_running(name)
            progress.text(f"{mode}: {name} {'running' if is_up else 'stopped'}")


def airflow_command(
    settings: Settings, progress: Progress, words: Sequence[str]
) -> tuple[Sequence[str], Mapping[str, str]]:
    """Return program and environment of an `airflow` command to the stack that runs.

    It knows that stack's connections, settings and keys; the environment holds secrets. Makes no
    file. StackError when the stack does not run.
    """
    folder = settings.folder
    refuse_foreign_folder(folder)
    stack = open_stack(settings, progress) if folder.exists() else None
    if stack is None or stack.server.pid is None:
        raise StackError(f"No Airflow runs from {folder}: `make run` starts it.")
    airflow = stack.airflow()
    python, *program = airflow.command(*words)
    environment = {**inherited_environment(), **airflow.environment()}
    # Nothing is imported from where it is typed: a clone has a folder that is called dbt.
    return (python, "-P", *program), environment


def refuse_foreign_folder(folder: Path) -> None:
    """Raise StackError when another user's command made the folder."""
    for place in (folder, folder.parent):
        if place.exists() and place.stat().st_uid != os.geteuid():
            raise StackError(
                f"{place} belongs to another user (was the command run with sudo?): run it as "
                "that user, or delete the folder."
            )


def _organisations(api: AirflowApi) -> list[dict[str, str]]:
    found = api.get_json(_ORGANISATIONS)
    listed: list[dict[str, str]] = found["organisations"] if isinstance(found, dict) else found
    return listed


def _existing_stacks(repository: Path, progress: Progress) -> list[Stack]:
    modes = [
        Settings(repository=repository),
        Settings(repository=repository, client_id="-"),
    ]
    existing = [settings for settings in modes if settings.folder.exists()]
    for settings in existing:
        refuse_foreign_folder(settings.folder)
    return [open_stack(settings, progress) for settings in existing]
