"""What the person at the terminal sees: short lines with the seconds since the start.

Knows nothing of what is being done. Text that comes from Xero or a log loses its control
characters, so that a name cannot move the cursor.
"""

from __future__ import annotations

import sys
import time
import unicodedata


class Progress:
    """Prints one line per step, `[ 12 s] …`, at once also where output is a pipe."""

    def __init__(self) -> None:
        """Start counting now."""
        self._started = time.monotonic()
        for stream in (sys.stdout, sys.stderr):
            # A terminal without UTF-8 shows a question mark instead of ending the command.
            reconfigure = getattr(stream, "reconfigure", None)
            if reconfigure is not None:
                reconfigure(errors="replace")

    @property
    def seconds(self) -> float:
        """Seconds since the command started."""
        return time.monotonic() - self._started

    def step(self, text: str) -> None:
        """Say what happens now."""
        print(f"[{self.seconds:4.0f} s] {printable(text)}", flush=True)

    def text(self, text: str = "") -> None:
        """Print a line as it is: tables and addresses."""
        print(text, flush=True)


def printable(text: str) -> str:
    """Return the text on one line, with control characters replaced by spaces."""
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)
