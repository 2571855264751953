"""An imitation of W&B: a local HTTP server that accepts what the real W&B client sends."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

ENTITY = "studio"


@dataclass
class WandbServer:
    """What a client has sent to the imitation of W&B, and how the imitation misbehaves.

    Attributes:
        url: The address of the server.
        asked: Names of the requested GraphQL operations, in order.
        files: The files that runs uploaded, by path.
        reports: The variables of each request that stores a report.
        refused: The name of the operation to refuse with "permission denied"; None for none.
        ends_after: The name of the operation after which each request gets `fault`; None for none.
        fault: The HTTP status of these answers; None for no answer at all.
    """

    url: str = ""
    asked: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    refused: str | None = None
    ends_after: str | None = None
    fault: int | None = None
    closed: Event = field(default_factory=Event)

    @property
    def is_faulty(self) -> bool:
        """Whether the operation `ends_after` was requested."""
        return self.ends_after in self.asked

    def answer(self, query: str, given: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a GraphQL operation with the variables `given`.

        An unknown operation gets an empty answer, because the client does not need it.
        """
        found = re.search(r"(?:query|mutation)\s+(\w+)", query)
        operation = found[1] if found else ""
        self.asked.append(operation)
        if operation == self.refused:
            return {"errors": [{"message": "permission denied"}]}
        answers = {
            "Viewer": _viewer,
            "UpsertBucket": _run,
            "CreateRunFiles": self._upload,
            "GetProjects": _projects,
            "upsertView": self._report,
        }
        return {"data": answers[operation](given) if operation in answers else {}}

    def _upload(self, given: dict[str, Any]) -> dict[str, Any]:
        files = [{"name": name, "uploadUrl": f"{self.url}/{name}"} for name in given["files"]]
        return {"createRunFiles": {"runID": given["run"], "uploadHeaders": [], "files": files}}

    def _report(self, given: dict[str, Any]) -> dict[str, Any]:
        self.reports.append(given)
        told = {name: given[name] for name in ("name", "displayName", "description", "spec")}
        project = {"id": "P", "name": given["projectName"], "entityName": given["entityName"]}
        return {"upsertView": {"view": {"id": "V1", **told, "project": project}, "inserted": True}}


def _viewer(_: dict[str, Any]) -> dict[str, Any]:
    person = {"id": "U", "entity": ENTITY, "username": "ada", "flags": "{}"}
    return {"viewer": person | {"teams": {"edges": []}}}


def _run(given: dict[str, Any]) -> dict[str, Any]:
    project = {"id": "P", "name": given["project"], "entity": {"id": "E", "name": ENTITY}}
    run = {"id": "R", "name": given["name"], "displayName": given["displayName"], "config": "{}"}
    return {"upsertBucket": {"bucket": run | {"project": project}, "inserted": True}}


def _projects(_: dict[str, Any]) -> dict[str, Any]:
    project = {
        "__typename": "Project",
        "id": "P",
        "name": "movie-rating-predictor",
        "entityName": ENTITY,
        "createdAt": "2026-11-23T00:00:00",
        "isBenchmark": False,
        "user": None,
    }
    page = {"__typename": "PageInfo", "endCursor": None, "hasNextPage": False}
    return {"models": {"pageInfo": page, "edges": [{"node": project}]}}


@contextmanager
def running_wandb() -> Iterator[WandbServer]:
    """Run the imitation of W&B on a free port during the block."""
    told = WandbServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer: dict[str, Any] = {}
            if told.is_faulty and told.fault is None:
                told.closed.wait()
                return
            status = told.fault if told.is_faulty and told.fault else 200
            if self.path == "/graphql":
                asked = json.loads(body)
                answer = told.answer(asked["query"], asked.get("variables") or {})
            elif self.command == "PUT":
                told.files[self.path.removeprefix("/")] = body
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = take  # noqa: N815 - http.server's names

        def log_message(self, *_: Any, **__: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any, **__: Any) -> None:
            """Ignore connection errors, which occur when the client's process ends."""

    with Server(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        yield told
        told.closed.set()
        server.shutdown()
