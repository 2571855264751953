"""Receive alerts (webhooks) and metrics in the container trial (`make trial`).

In a real deployment, services outside this project receive them.

This server answers every POST request. It writes the bodies of requests to a file that is named
after the last part of the request's path.
"""

import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PORT = 8099
FOLDER = Path("/tmp/received")  # inside the container


class Receiver(BaseHTTPRequestHandler):
    """Writes the body of each request to a file, as a line of hexadecimal digits."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        with (FOLDER / self.path.rpartition("/")[2]).open("a") as file:
            file.write(f"{body.hex()}\n")
        answer = json.dumps({}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any, **__: Any) -> None:
        """Log nothing, because a webhook's address may be secret."""


if __name__ == "__main__":
    FOLDER.mkdir()
    ThreadingHTTPServer(("", PORT), Receiver).serve_forever()
