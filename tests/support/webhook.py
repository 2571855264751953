"""Run a local webhook that stands in for Slack's."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET_PATH = "/services/T0AAA/B0BBB/nobody-may-read-this"


class Receiver(BaseHTTPRequestHandler):
    """Handler of a local webhook, which keeps the messages that it answers with status 200.

    Attributes:
        statuses: HTTP statuses to answer with, one per request; then it answers with 200.
        received: Path and JSON body of each kept message.
    """

    statuses: list[int]
    received: list[dict[str, Any]]

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            self.received.append({"path": self.path, "body": body})
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "/sign-in")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self):
        """Answer as the page does to which a redirected message goes."""
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any, **__: Any) -> None:
        """Do not print a line for each request."""


@contextmanager
def webhook(*statuses: int) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Run a local webhook that answers with `statuses`; yield its address and received messages."""

    class Handler(Receiver):
        pass

    Handler.statuses, Handler.received = list(statuses), []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{SECRET_PATH}", Handler.received
        server.shutdown()
