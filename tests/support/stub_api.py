"""A stub of the API: a real HTTP server that sends the responses a test gives it."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

VERSION = "2026-11-23-ab12"
OPTIONS = {
    "version": VERSION,
    "genres": [
        {"code": 0, "name": "Drama"},
        {"code": 1, "name": "Science Fiction"},
        {"code": 2, "name": "Puppetry"},
    ],
    "languages": [
        {"code": 0, "language": "en", "name": "English"},
        {"code": 1, "language": "ko", "name": "Korean"},
        {"code": 2, "language": "cn", "name": "Cantonese"},
        {"code": 3, "language": "xx", "name": "No linguistic content"},
        {"code": 4, "language": "qq", "name": "qq"},
    ],
    "plot_languages": ["en", "ko"],
    "translation": "off",
}
FORECAST = {
    "rating": 6.84,
    "interval": {"low": 5.93, "high": 7.74, "coverage": 0.8},
    "quantiles": [{"level": 0.1, "rating": 5.93}, {"level": 0.9, "rating": 7.74}],
    "at_least": [
        {"rating": 6, "probability": 0.88},
        {"rating": 7, "probability": 0.41},
        {"rating": 8, "probability": 0.06},
    ],
    "average": 6.41,
    "mood": {"score": 0.12, "label": "positive"},
    "translated": True,
    "read_in_korean": False,
    "reasons": [
        {"group": "people", "points": 0.51},
        {"group": "plot", "points": -0.084},
        {"group": "length", "points": 0.004},
    ],
    "comparables": [{"id": 1, "title": "The *Lantern*", "year": 2024, "rating": 7.13}],
    "warnings": [],
    "reliability": [],
    "missing": ["release_date", "budget"],
    "ignored": [],
    "version": VERSION,
}
UNTRANSLATED = FORECAST | {
    "mood": None,
    "translated": False,
    "ignored": [
        {"field": "overview", "reason": "the plot could not be translated; counted as unknown"}
    ],
}
# The response of a model trained on Korean plots when the translation failed.
READ_IN_KOREAN = FORECAST | {"mood": None, "translated": False, "read_in_korean": True}


def _scores(rmse: float) -> dict[str, float]:
    return {"n": 1234, "rmse": rmse, "mae": 0.5, "r2": 0.2, "bias": 0.0}


def _reliability(kind: str, name: str, films: int, **others: Any) -> dict[str, Any]:
    """Return how reliable forecasts are for a kind of film, as the API sends it."""
    reliable = {"bias": 0.02, "coverage": 0.81, "biased": False, "badly_covered": False}
    return {"kind": kind, "name": name, "films": films} | reliable | others


# Korean films, for which forecasts are too high and intervals too narrow.
UNRELIABLE = _reliability(
    "language", "ko", films=61, bias=0.3, coverage=0.71, biased=True, badly_covered=True
)
MODEL = {
    "version": VERSION,
    "since": "2026-11-23T03:00:00Z",
    "reason": "first version",
    "loaded_from": "registry",
    "registry_problem": None,
    "run_date": "2026-11-23",
    "model_type": "xgboost",
    "data": {"sha256": "0" * 64, "films": 9876, "source": "api.themoviedb.org", "faults": {}},
    "split": {
        "split_date": "2025-06-01",
        "until": "2026-05-31",
        "train_films": 5678,
        "holdout_films": 1234,
    },
    "refit": {"until": "2026-05-31", "train_films": 6789, "distance": 0.08},
    "metrics": {"holdout": _scores(0.61), "form": _scores(0.68)},
    "baselines": {"mean": _scores(0.8), "old_model": _scores(0.74)},
    "interval_coverage": 0.81,
    "commit": "0123456789abcdef",
    "wandb_run": None,
}
RATINGS = {
    "genre": None,
    "films": 1300,
    "mean": 6.43,
    "lowest": 0.0,
    "step": 0.5,
    "counts": [*([0] * 10), 100, 300, 500, 300, 100, *([0] * 5)],
}
EVIDENCE = {
    "slices": [
        {"kind": "language", "name": "ko", "scores": _scores(0.71), "coverage": 0.79},
        {"kind": "genre", "name": "Drama", "scores": _scores(0.58), "coverage": 0.83},
        {"kind": "votes", "name": "from 50", "scores": _scores(0.75), "coverage": 0.77},
        {"kind": "year", "name": "2026", "scores": _scores(0.66), "coverage": 0.8},
    ],
    "calibration": [
        {"forecast": 5.6, "rating": 5.5, "films": 600},
        {"forecast": 7.1, "rating": 7.2, "films": 634},
    ],
    "importance": {"people": 0.3, "plot": 0.12},
    "reliability": [
        _reliability("language", "en", films=4321, bias=-0.11, biased=True),
        _reliability("language", "ko", films=61),
        _reliability("genre", "Comedy", films=900),
        _reliability("genre", "Drama", films=1800, bias=0.08),
    ],
    "narrowing": [
        {"field": "budget", "films": 800, "beside_form": 0.12, "beside_all": 0.01},
        {"field": "release_date", "films": 1234, "beside_form": 0.2, "beside_all": 0.06},
        {"field": "title", "films": 1234, "beside_form": 0.3, "beside_all": 0.3},
    ],
}
LISTED_FILM: dict[str, Any] = {
    "id": 7,
    "title": "The *Harbour*",
    "original_title": "항구",
    "korean_title": "항구",
    "release_date": "2026-12-24",
    "status": "upcoming",
    "rating": None,
    "votes": 0,
    "poster": None,
}
FILMS: dict[str, Any] = {
    "as_of": "2026-11-23",
    "films": [LISTED_FILM],
    "next": None,
    "notice": None,
}
FILM: dict[str, Any] = LISTED_FILM | {
    "as_of": "2026-11-23",
    "facts": {
        "title": "The *Harbour*",
        "overview": "A pilot returns to the harbour.",
        "genres": ["Drama"],
        "language": "ko",
        "runtime": 104,
        "release_date": "2026-12-24",
        "directors": [{"id": 8, "name": "Ada Novak"}],
        "countries": ["KR"],
    },
    "forecasts": [],
    "votes_needed": 50,
    "is_training_film": False,
    "tmdb_url": "https://www.themoviedb.org/movie/7",
    "notice": None,
}
FORECASTS: dict[str, Any] = {
    "as_of": "2026-11-23",
    "total": 41,
    "films": [
        {
            "id": 1,
            "title": "The <b>Lantern</b>",
            "original_title": None,
            "korean_title": None,
            "release_date": "2026-12-03",
            "rating": 6.84,
            "interval": {"low": 5.93, "high": 7.74, "coverage": 0.8},
            "change": 0.12,
            "reasons": [{"group": "people", "points": 0.51}],
            "genre": "Drama",
            "language": "ko",
            "made_at": "2026-11-23T05:00:00Z",
            "version": VERSION,
            "poster": None,
            "outcome": None,
        }
    ],
}
_OUTCOME = {"as_of": "2026-11-23", "rating": 6.1, "votes": 8, "votes_needed": 42, "inside": True}
# The answer about last week: a film that opened, and one that is still to come.
OPENED: dict[str, Any] = {
    "as_of": "2026-11-23",
    "opened": {"first": "2026-11-16", "last": "2026-11-22"},
    "total": 2,
    "films": [
        FORECASTS["films"][0]
        | {"id": 8, "title": "The *Pier*", "korean_title": "잔교", "release_date": "2026-11-20"}
        | {"outcome": _OUTCOME},
        FORECASTS["films"][0],
    ],
}
RECORDED: dict[str, Any] = {
    "as_of": "2026-11-23",
    "min_votes": 50,
    "total": 1,
    "films": [
        {
            "id": 9,
            "title": "The Slow Ferry",
            "original_title": "느린 배",
            "korean_title": None,
            "release_date": "2026-10-02",
            "forecast": {
                "day": "2026-10-01",
                "rating": 7.2,
                "interval": {"low": 6.3, "high": 8.1, "coverage": 0.8},
                "version": VERSION,
            },
            "outcome": _OUTCOME | {"rating": None, "votes": 0, "votes_needed": 50},
            "score": None,
            "next_due": "2026-11-01",
            "poster": None,
        }
    ],
    "next": None,
}
_SCORED = {
    "film_id": 7,
    "title": "The Far Shore",
    "release_date": "2026-06-05",
    "rating": 6.5,
    "low": 5.5,
    "high": 7.5,
    "actual": 4.25,
    "votes": 120,
    "error": 2.25,
}
_FIGURES = {
    "films": 40,
    "rmse": 0.61,
    "mae": 0.5,
    "bias": 0.02,
    "coverage": 0.79,
    "baselines": {"mean": 0.8, "genre_mean": 0.74},
}
TRACK_RECORD: dict[str, Any] = {
    "as_of": "2026-11-23",
    "min_votes": 50,
    "figures": _FIGURES,
    "parts": [
        {"kind": "month", "name": "2026-06", "figures": _FIGURES},
        {"kind": "genre", "name": "Drama", "figures": _FIGURES},
        {"kind": "language", "name": "ko", "figures": _FIGURES},
        {"kind": "votes", "name": "from 50", "figures": _FIGURES},
        {"kind": "votes", "name": "from 100", "figures": _FIGURES},
        {"kind": "votes", "name": "from 1000", "figures": _FIGURES},
        {"kind": "mark", "name": "90 days", "figures": _FIGURES},
    ],
    "calibration": [{"forecast": 6.0, "actual": 5.9, "films": 20}],
    "worst": [_SCORED],
    "best": [_SCORED | {"title": "The Quiet Harbour", "actual": 6.5, "error": 0.0}],
    "alerts": [],
    "waiting": 1,
    "next_due": "2026-12-20",
    "distribution": {
        "films": 38,
        "crps": 0.346,
        "at_least": [
            {"rating": 7, "share": 0.26, "brier": 0.127, "base_brier": 0.186, "off": 0.012}
        ],
    },
}
_REFUSED: dict[str, Any] = {
    "action": "refused",
    "version": "2026-11-24-cd34",
    "production": VERSION,
    "at": "2026-11-24T03:10:00Z",
    "by": "airflow",
    "reason": "it is not better than <b>the champion</b> by more than chance",
    "figures": {"holdout_rmse": 0.625, "baseline_mean_rmse": 0.81, "baseline_old_model_rmse": 0.75},
}
HISTORY: dict[str, Any] = {
    "decisions": [
        _REFUSED,
        _REFUSED
        | {"action": "rolled_back", "version": VERSION, "at": "2026-11-23T09:00:00Z", "figures": {}}
        | {"reason": "ratings too high for Korean films"},
        _REFUSED
        | {"action": "promoted", "version": VERSION, "at": "2026-11-23T03:00:00Z"}
        | {"reason": "nothing is in production"},
    ]
}
NAMES = {"version": VERSION, "names": ["Ada Novak", "Adam Lee"]}
CARD = b"# Model card\n\nForecasts the TMDB rating."


def problem(status: int, detail: str, **errors: str) -> tuple[int, dict[str, Any]]:
    """Create an error response: the status and an error document as in RFC 9457.

    Args:
        status: The HTTP status.
        detail: The error message.
        errors: The messages for invalid fields, by field name.
    """
    return status, {
        "type": "about:blank",
        "title": "Title",
        "status": status,
        "detail": detail,
        "errors": [{"field": field, "message": message} for field, message in errors.items()],
    }


NO_MODEL = problem(503, "no model is in service: not loaded yet")


class StubApi:
    """A fake API on a free port, which a test can stop and start again.

    Attributes:
        responses: Status and body by path, with or without its query. A body of bytes is sent
            unchanged, any other as JSON.
        bodies: The bodies of all POST requests; of a batch, the body of each film.
        paths: The paths of all requests, with their queries.
        keys: The value of the header X-API-Key in each GET or POST request.
        silent: While it is set, the stub accepts requests but sends no response.
    """

    def __init__(self) -> None:
        self.responses: dict[str, tuple[int, Any]] = {}
        self.bodies: list[Any] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.silent = threading.Event()
        self._stopped = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        # This socket keeps the port reserved while the API is stopped.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self._port = self._reserved.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start the stub if it is stopped, at the same address; respond as a healthy API does."""
        self.responses = {
            "/options": (200, OPTIONS),
            "/predict": (200, FORECAST),
            "/version": (200, MODEL),
            "/films": (200, FILMS),
            "/films/7": (200, FILM),
            "/films/1": problem(404, "the film catalogue has no film 1"),
            "/people": (200, NAMES),
            "/ratings": (200, RATINGS),
            "/evidence": (200, EVIDENCE),
            "/card": (200, CARD),
            "/forecasts": (200, FORECASTS),
            "/forecasts?opened=last_week&sort=-rating&limit=200": (200, OPENED),
            "/track-record": (200, TRACK_RECORD),
            "/track-record/films": (200, RECORDED),
            "/history": (200, HISTORY),
        }
        if self._server is None:
            self.silent.clear()
            self._stopped.clear()
            self._server = ThreadingHTTPServer(("127.0.0.1", self._port), partial(_Handler, self))
            threading.Thread(target=self._server.serve_forever, args=(0.02,)).start()

    def stop(self) -> None:
        """Refuse connections until `start` is called."""
        if self._server is not None:
            self._stopped.set()
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def close(self) -> None:
        """Stop the stub, and release its port."""
        self.stop()
        self._reserved.close()

    def respond_everywhere(self, response: tuple[int, Any]) -> None:
        """Send this status and body in response to every request from now on."""
        self.responses = dict.fromkeys(self.responses, response)

    def response_to(self, path: str) -> tuple[int, bytes]:
        """Return the status and the body to send for a path; block while `silent` is set."""
        if self.silent.is_set():
            self._stopped.wait()
        known = path if path in self.responses else path.partition("?")[0]
        status, body = self.responses[known]
        return status, body if isinstance(body, bytes) else json.dumps(body).encode()

    def response_to_batch(self, films: list[Any]) -> tuple[int, bytes]:
        """Return the status and the body for a batch: each film gets the response of `/predict`."""
        status, body = self.responses["/predict"]
        row = {200: {"forecast": body, "problem": None}, 422: {"forecast": None, "problem": body}}
        if status not in row:
            return self.response_to("/predict")
        return 200, json.dumps({"results": [row[status]] * len(films)}).encode()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, api: StubApi, *args: Any) -> None:
        self._api = api
        super().__init__(*args)

    def do_GET(self) -> None:
        self._respond()

    def _respond(self, response: tuple[int, bytes] | None = None) -> None:
        self._api.paths.append(self.path)
        self._api.keys.append(self.headers.get("X-API-Key"))
        status, body = response or self._api.response_to(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        films = body["films"] if self.path.startswith("/v1/predict/batch") else None
        self._api.bodies.extend([body] if films is None else films)
        self._respond(None if films is None else self._api.response_to_batch(films))

    def log_message(self, *_: Any, **__: Any) -> None:
        """Do not write to the log."""

    def handle(self) -> None:
        # A client that timed out has closed its connection.
        with suppress(BrokenPipeError, ConnectionResetError):
            super().handle()


@contextmanager
def running_stub_api() -> Iterator[StubApi]:
    """Run a stub that responds as a healthy API does, until the block ends."""
    api = StubApi()
    try:
        yield api
    finally:
        api.close()
