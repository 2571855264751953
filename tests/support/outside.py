"""What stands outside of both instances in a trial: a webhook, and a receiver of metrics.

It answers every POST, and keeps the bodies of those that came to one address in one file.
"""

import gzip
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT = 8099
FOLDER = Path("/tmp/received")  # a file system of the container's own


class Receiver(BaseHTTPRequestHandler):
    """Writes each body as a line of hexadecimal digits."""

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

    def log_message(self, *_: object) -> None:
        """Say nothing: an address may be a secret."""


if __name__ == "__main__":
    FOLDER.mkdir()
    ThreadingHTTPServer(("", PORT), Receiver).serve_forever()
