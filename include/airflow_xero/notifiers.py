"""Airflow's notifiers for the extraction: by e-mail, by webhook, and the one that decides.

`XeroNotifier` belongs into `on_failure_callback`, also of your own Dags; `tell` is what the
operators use. Knows Airflow's connections, notifiers and settings; must not know causes' texts
(`causes.py`) or who was told already (`notify.py`).
"""

from __future__ import annotations

import html
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

import httpx
from airflow.sdk import BaseHook, BaseNotifier
from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowException
from airflow.sdk.log import mask_secret

from airflow_xero import causes, notify, settings
from airflow_xero.errors import ConsentLostError, XeroError, XeroSetupError
from airflow_xero.hook import XeroHook
from airflow_xero.notify import Channel, Message, Notice, Sent
from airflow_xero.oauth import new_http

if TYPE_CHECKING:
    from airflow.sdk import Context

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_SHORT_PATH = 4

_log = logging.getLogger(__name__)


class WebhookNotifier(BaseNotifier):
    """Posts `{"text": …}`, as Slack, Mattermost and Google Chat take it.

    The address is a secret: it is the password of the Airflow connection `webhook_conn_id`, https
    only. `text` is plain text.
    """

    template_fields = ("text",)

    def __init__(self, *, webhook_conn_id: str, text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.webhook_conn_id = webhook_conn_id
        self.text = text

    def notify(self, context: Context) -> None:  # noqa: ARG002
        """Post; raises XeroSetupError when the connection is wrong or the address refuses."""
        url = _webhook_url(self.webhook_conn_id)
        # Slack reads <…> as a command: a name must neither be one nor disappear.
        text = self.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        try:
            with new_http() as http:
                status = http.post(url, json={"text": text}).status_code
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Its text may quote the address.
            raise XeroSetupError(
                f"The webhook of the Airflow connection {self.webhook_conn_id!r} cannot be reached"
                f" ({type(error).__name__})"
            ) from None
        if status >= httpx.codes.MULTIPLE_CHOICES:
            raise XeroSetupError(
                f"The webhook of the Airflow connection {self.webhook_conn_id!r} answers {status}:"
                " see that it still exists, and that its address is the connection's password"
            )


class XeroNotifier(BaseNotifier):
    """Tells by the ways of section [xero] that a task or a run failed: a cause once a day.

    For `on_failure_callback` of a task or a Dag. That a task of one organisation (one with a
    `tenant`) failed is only written down: xero_daily's report, or `watch` of xero_resume within a
    quarter of an hour, sends it, so that many are one message. Where the warehouse, which knows
    what was told already, cannot be reached, nothing is sent: xero_daily's report says so instead.
    """

    template_fields = ()

    def __init__(self, *, xero_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def notify(self, context: Context) -> None:
        """Write down what failed; unless it is of one organisation, send what is due."""
        notice = notice_of(context)
        write = tell if notice.tenant_id is None else write_down
        lost = isinstance(context.get("exception"), ConsentLostError)
        try:
            conn_id = self.xero_conn_id or settings.conn_id()
            link = page_link() if lost else link_of(context)
            write([notice], xero_conn_id=conn_id, link=link)
        except XeroError as error:
            _log.error("not told title=%r reason=%s", notice.title, error)


def notice_of(context: Mapping[str, Any]) -> Notice:
    """What a failed task or run means to a person; `context` as Airflow hands it to callbacks."""
    given = context.get("exception")
    # Airflow hands over a text when the task's process was killed.
    error = given if isinstance(given, BaseException) else None
    advice = causes.advice_of(error) if error else "See its log."
    ti, task, dag = context.get("ti"), context.get("task"), context.get("dag")
    tenant = getattr(task, "tenant", None)
    if isinstance(tenant, Mapping) and isinstance(error, ConsentLostError):
        return causes.needs_reconnect(tenant["tenant_id"], tenant["tenant_name"])
    if isinstance(tenant, Mapping):
        return causes.extraction_failed(
            tenant["tenant_id"],
            tenant["tenant_name"],
            advice=advice,
            # As the report finds it: who is ended from outside leaves no word.
            kind=causes.kind_of(error) if isinstance(error, Exception) else None,
        )
    if getattr(task, "publishes_statistics", False):
        return causes.build_failed(error)
    if ti is not None:
        return causes.task_failed(ti.dag_id, ti.task_id, advice=advice)
    return causes.task_failed(getattr(dag, "dag_id", "a Dag"), None, advice=advice)


def write_down(notices: Sequence[Notice], *, xero_conn_id: str, link: str | None = None) -> int:
    """Write down what must be told, for whoever sends next; how many are new.

    Raises WarehouseBusyError, XeroSetupError (the warehouse is wrong).
    """
    with XeroHook(xero_conn_id) as hook, hook.warehouse() as warehouse:
        return notify.note(warehouse, notices, now=datetime.now(UTC), link=link)


def tell(notices: Sequence[Notice], *, xero_conn_id: str, link: str | None = None) -> Sent:
    """Write down what must be told, and send what is due by the ways that are set up.

    Raises WarehouseBusyError, XeroSetupError (the warehouse or a setting is wrong).
    """
    now = datetime.now(UTC)
    with XeroHook(xero_conn_id) as hook, hook.warehouse() as warehouse:
        notify.note(warehouse, notices, now=now, link=link)
        sent = notify.send_due(warehouse, channels(), now=now)
    for failure in sent.failures:
        _log.error("a notice could not be sent, and is tried again for a day: %s", failure)
    return sent


def tell_at_once(notices: Sequence[Notice], *, link: str | None = None) -> None:
    """Send without asking what was told already: when the warehouse cannot be asked."""
    message = notify.message_of(notices, link)
    for name, send in channels().items():
        if failure := send(message):
            _log.error("a notice could not be sent: %s: %s", name, failure)


def channels() -> dict[str, Channel]:
    """The ways by which people are told, by name; none unless they are set up."""
    found: dict[str, Channel] = {}
    if emails := settings.notify_emails():
        found["email"] = partial(_send_email, emails)
    if conn_id := settings.notify_webhook_conn_id():
        found["webhook"] = partial(_post, conn_id)
    return found


def link_of(context: Mapping[str, Any]) -> str | None:
    """Airflow's page of the run; None unless [api] base_url is set."""
    base = _base_url()
    run = context.get("dag_run") or context.get("ti")
    if not base or run is None:
        return base or None
    return f"{base}/dags/{quote(run.dag_id, safe='')}/runs/{quote(run.run_id, safe='')}"


def page_link() -> str | None:
    """The page Xero, where what is lost is repaired; None unless [api] base_url is set."""
    base = _base_url()
    return f"{base}/plugin/xero" if base else None


def _base_url() -> str:
    return (conf.get("api", "base_url", fallback="") or "").rstrip("/")


def _send_email(emails: Sequence[str], message: Message) -> str | None:
    try:
        # It is not there in every Airflow, and nobody needs it who has set up no address.
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        # Not called but asked to notify: calling would render names as templates.
        SmtpNotifier(
            to=list(emails),
            from_email=conf.get("email", "from_email", fallback=None) or None,
            subject=message.title,
            html_content=f"<p>{html.escape(message.text)}</p>".replace("\n", "<br>\n"),
        ).notify({})
    except ImportError:
        return "install apache-airflow-providers-smtp"
    except (OSError, AirflowException, ValueError) as error:
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
    return None


def _post(conn_id: str, message: Message) -> str | None:
    try:
        WebhookNotifier(webhook_conn_id=conn_id, text=f"{message.title}\n{message.text}").notify({})
    except (XeroSetupError, AirflowException) as error:
        return str(error)
    return None


def _webhook_url(conn_id: str) -> str:
    url = (BaseHook.get_connection(conn_id).password or "").strip()
    parts = urlsplit(url)
    # httpx logs an address as it understands it: without its port, or with other signs escaped.
    for secret in {url, *_paths(url)}:
        mask_secret(secret)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise XeroSetupError(
        f"The password of the Airflow connection {conn_id!r} is no https address: copy the"
        " webhook's whole address into it"
    )


def _paths(url: str) -> Sequence[str]:
    """The part of a webhook's address that is secret, as it is written and as it is sent."""
    try:
        sent = httpx.URL(url).raw_path.decode()
    except httpx.InvalidURL:
        return ()
    # A path of a sign or two is no secret, and would be starred in every line.
    return [path for path in (sent, unquote(sent)) if len(path) > _SHORT_PATH]
