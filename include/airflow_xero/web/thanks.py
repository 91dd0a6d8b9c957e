"""What a person reads after a consent that connected something: in Airflow, or invited.

Knows the names of what was connected, and of what else their Xero login reaches. Must not import
Airflow, nor know how a consent is completed.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse, Response

from airflow_xero.connect import Connected, Finished
from airflow_xero.web.notices import BACK, notice, shortened

_MOST_NAMED = 20

Reading = Literal["at_once", "paused", "later"]
"""When what was just connected is read: `later` where the Dag that reads at once did not start."""

_SAID = MappingProxyType(
    {
        "at_once": "This is connected, and read at once:",
        "paused": "This is connected, and still paused: it is read once somebody resumes it.",
        "later": "This is connected, and read with the next night: the Dag xero_extract, which "
        "reads it at once, is switched off or not ready.",
    }
)


def way_home(reached: Sequence[Connected], reading: Reading) -> str:
    """What the page is told of a consent: how many, how many of others, and the ids of a few.

    When it is read is told where that is not at once.
    """
    shared = sum(one.is_shared for one in reached)
    named = reached if len(reached) <= _MOST_NAMED else ()
    told = [("connected", str(len(reached))), *((("already", str(shared)),) if shared else ())]
    told += [] if reading == "at_once" else [("reading", reading)]
    return urlencode([*told, *(("tenant", one.tenant_id) for one in named)])


def thank_you(
    request: Request,
    finished: Finished,
    reading: Reading,
    *,
    home: str | None,
    is_user: bool = False,
) -> Response:
    """What was connected: on the page in Airflow at `home`; without it on a page of its own.

    A user of Airflow whose login reaches more than was chosen reads so before going on.
    """
    if home is None:
        return _thanked(request, finished, then=_GO_BACK if is_user else _NOTHING_MORE)
    back = f"{home}?{way_home(finished.connected, reading)}"
    if finished.not_connected:
        return _not_all(request, finished, back, said=_SAID[reading])
    return RedirectResponse(back, status_code=303)


_NOTHING_MORE = "there is nothing more to do: you may close this window"
_GO_BACK = "the page Xero in Airflow shows it: you may close this window and go back there"


def _thanked(request: Request, finished: Finished, *, then: str) -> Response:
    reached = finished.connected
    what = "This organisation is" if len(reached) == 1 else "These organisations are"
    shared = sum(one.is_shared for one in reached)
    already = " Somebody else had connected it, too: it is read once." if shared else ""
    return notice(
        request,
        title="Thank you",
        message=f"{what} connected, and {then}.{already} You can end the access at any time in"
        " Xero, under Connected apps.",
        is_good=True,
        items=[one.tenant_name for one in reached],
        remark=_also_reachable(finished),
        link=None,
    )


def _not_all(request: Request, finished: Finished, back: str, *, said: str) -> Response:
    return notice(
        request,
        title="Connected",
        message=said,
        is_good=True,
        items=[one.tenant_name for one in finished.connected],
        remark=_also_reachable(finished),
        link=(back, BACK),
    )


def _also_reachable(finished: Finished) -> str:
    """What else the login reaches, in words; empty where there is nothing."""
    names = [shortened(name) for name in finished.not_connected]
    if not names:
        return ""
    more = len(names) - _MOST_NAMED
    listed = ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"Also reachable with this Xero login, not connected here: {listed}."
