"""Servers that only listen: a mail server, a webhook and a StatsD, on ports of this machine."""

from __future__ import annotations

import email
import email.policy
import json
import socket
import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Mail:
    to: list[str]
    subject: str
    html: str


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail; `with MailServer() as server`, then `server.mails`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MailSession)
        self.mails: list[Mail] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def __enter__(self) -> MailServer:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _MailSession(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self._say("220 listening")
        to: list[str] = []
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                to.append(line.partition("<")[2].partition(">")[0])
            if verb == "DATA":
                self._say("354 go on")
                self._take(to)
                to = []
            self._say("250 yes" if verb != "QUIT" else "221 bye")
            if verb == "QUIT":
                return

    def _take(self, to: list[str]) -> None:
        lines: list[bytes] = []
        while (line := self.rfile.readline().rstrip(b"\r\n")) != b".":
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = email.message_from_bytes(b"\n".join(lines), policy=email.policy.default)
        body: Any = message.get_body(("html",))
        self.server.mails.append(Mail(to, message["subject"], body.get_content()))

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class Webhook(ThreadingHTTPServer):
    """Takes posts at a secret address; `texts` are those it took, `status` what it answers."""

    daemon_threads = True
    secret = "T0PS3CRET-hook"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.status = 200
        self.texts: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/services/{self.secret}"

    def __enter__(self) -> Webhook:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Hook(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.texts.append(body["text"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        return None


@dataclass
class StatsD:
    """Collects what arrives by UDP; `with StatsD() as statsd`, then `read()`."""

    lines: list[str] = field(default_factory=list)

    def __enter__(self) -> StatsD:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.port = int(self._socket.getsockname()[1])
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def read(self) -> dict[str, float]:
        """The sum of each counter, the last value of each gauge and timer, by full name."""
        found: dict[str, float] = {}
        # Datagrams of the same machine are there when their sender has gone on.
        while True:
            try:
                line = self._socket.recv(65_536).decode()
            except TimeoutError:
                return found
            name, _, rest = line.partition(":")
            value, _, kind = rest.partition("|")
            if kind.startswith("c"):
                found[name] = found.get(name, 0.0) + float(value)
            else:
                found[name] = float(value)
