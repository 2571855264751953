"""An HTTP proxy that records what passes, and sends it to a local server, whatever its host."""

import base64
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from movierating.proxies import PROXY_VARIABLES

PASSWORD = "nobody-may-read-this"
_OF_ONE_CONNECTION = {"connection", "content-length", "date", "server", "transfer-encoding"}


@dataclass
class RecordingProxy:
    """A running proxy.

    Attributes:
        url: The proxy's address.
        seen: The method and the target of each request, such as `GET http://films.example/a`.
        refuses: The status with which the proxy refuses each request; None to let it pass.
        wants: The user name and password without which the proxy refuses a request.
    """

    url: str = ""
    seen: list[str] = field(default_factory=list)
    refuses: int | None = None
    wants: str | None = None

    @property
    def with_password(self) -> str:
        """The proxy's address with a user name and a password."""
        return self.url.replace("//", f"//someone:{PASSWORD}@")

    def status_for(self, authorization: str) -> int | None:
        """Return the status with which the proxy refuses a request with this header, or None."""
        if self.wants:
            wanted = f"Basic {base64.b64encode(self.wants.encode()).decode()}"
            return None if authorization == wanted else 407
        return self.refuses


@contextmanager
def recording_proxy(server: str = "http://127.0.0.1:1") -> Iterator[RecordingProxy]:
    """Run a proxy until the `with` block ends.

    Args:
        server: The address of the local server that gets all requests.
    """
    proxy = RecordingProxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            proxy.seen.append(f"{self.command} {self.path}")
            status = proxy.status_for(self.headers.get("Proxy-Authorization", ""))
            if status or self.command == "CONNECT":
                self._reply(status or 502, {}, b"<html>a proxy speaks</html>")
                return
            target = urlsplit(self.path)
            with closing(HTTPConnection(urlsplit(server).netloc)) as connection:
                path = target._replace(scheme="", netloc="").geturl()
                connection.request(self.command, path, body, dict(self.headers.items()))
                answer = connection.getresponse()
                self._reply(answer.status, dict(answer.headers.items()), answer.read())

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_CONNECT = handle_request  # noqa: N815 - http.server's names

        def _reply(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in _OF_ONE_CONNECTION:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any, **__: Any) -> None:
            """Do not print a line for each request."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        Thread(target=running.serve_forever, daemon=True).start()
        proxy.url = f"http://127.0.0.1:{running.server_port}"
        yield proxy
        running.shutdown()


def set_proxy(patch: pytest.MonkeyPatch, variable: str, url: str, no_proxy: str = "") -> None:
    """Let an environment variable name a proxy, and no other variable.

    All variables of proxies are restored after the test, also if the code under test sets them.
    """
    for name in (*PROXY_VARIABLES, *map(str.upper, PROXY_VARIABLES)):
        patch.setenv(name, "")
        patch.delenv(name)
    patch.setenv(variable, url)
    if no_proxy:
        patch.setenv("NO_PROXY", no_proxy)
