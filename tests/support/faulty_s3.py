"""An HTTP proxy in front of an S3 server. A test can make it send wrong responses."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final
from urllib.parse import urlparse

Answer = tuple[int, dict[str, str], bytes]


def refusal(status: int, code: str) -> Answer:
    """Return the response with which S3 refuses a request."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>"
    return status, {"Content-Type": "application/xml"}, body.encode()


SERVER_ERROR: Final = refusal(500, "InternalError")
GARBAGE: Final[Answer] = (200, {"Content-Type": "text/html"}, b"<html>Sign in to the network")


@contextmanager
def answering(
    answer: Callable[[str, str, Callable[[], Answer]], Answer],
    url: str,
    seen: list[dict[str, str]] | None = None,
) -> Iterator[str]:
    """Run a proxy in front of the S3 server at `url`, and yield the proxy's address.

    Args:
        answer: Called with the method, the path, and a function that sends the request to the real
            server. Returns the response: status, headers and body.
        url: The address of the real S3 server.
        seen: Gets the headers of each request, with their names in small letters.
    """
    real = urlparse(url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if seen is not None:
                seen.append({name.lower(): value for name, value in self.headers.items()})

            def ask() -> Answer:
                kept = {name: value for name, value in self.headers.items() if name != "Expect"}
                with closing(HTTPConnection(real)) as connection:
                    connection.request(self.command, self.path, body, kept)
                    return _taken(connection.getresponse())

            status, headers, content = answer(self.command, self.path, ask)
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = handle_request  # noqa: N815 - http.server's names

        def log_message(self, *_: Any, **__: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _taken(response: HTTPResponse) -> Answer:
    body = response.read()
    skipped = {"content-length", "transfer-encoding", "connection", "date", "server"}
    headers = {
        name: value for name, value in response.headers.items() if name.lower() not in skipped
    }
    return response.status, headers, body
