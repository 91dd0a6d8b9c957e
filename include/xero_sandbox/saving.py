"""When the world is written to its state file.

Knows at once, soon, and at the end. Must not know what is written, or where.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from xero_sandbox.world import World

SOON_SECONDS = 1.0

logger = logging.getLogger("xero_sandbox")


class Saving:
    """Calls `save` at once for what a client may rely on, and once a second for the rest."""

    def __init__(self, world: World, save: Callable[[World], None] | None) -> None:
        self._world = world
        self._save = save
        self._later: asyncio.TimerHandle | None = None

    def now(self) -> None:
        """Save before the next line, also what was due soon. Raises what `save` raises."""
        if self._save is not None:
            self._save(self._world)
            self._forget()

    def soon(self) -> None:
        """Save within a second, once for all who ask meanwhile."""
        if self._save is not None and self._later is None:
            self._later = asyncio.get_running_loop().call_later(SOON_SECONDS, self.end)

    def end(self) -> None:
        """Save what is still due; nobody waits for it, so that a failure is only logged."""
        if self._later is None:
            return
        try:
            self.now()
        except Exception:
            logger.exception("event=not_saved")
            self._forget()

    def _forget(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
