"""Generate clients of the API with three generators, and call every route with each of them."""

import importlib
import json
import re
import shutil
from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from pydantic import TypeAdapter

from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY, ForecastLedger
from movierating.registry.decisions import DecisionLog
from movierating.s3 import open_bucket
from sandbox.s3.process import S3Server
from scripts.ledger.track_record import track_record
from tests.app.background.test_decisions_reader import decision
from tests.app.conftest import UPCOMING, settings_of_a_whole_service
from tests.support.bundles import RUN_DATE, Packed
from tests.support.forecasts import scored
from tests.support.live_service import service_in_a_thread
from tests.support.node import GENERATORS, NPM_TOOLS, needs_npm_tools, run_with_node
from tests.support.pipeline_run import Run

pytestmark = [pytest.mark.generators, needs_npm_tools]

ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = ROOT / "tests" / "support" / "every_route.mts"
FILM: Final[dict[str, Any]] = {"genres": ["Drama"], "runtime": 112}
CODES: Final[dict[str, Any]] = {
    "runtime": 112,
    "genre_encoded": 0,
    "lang_encoded": 0,
    "sentiment": 0.1,
    "overview_len": 240,
}
# The arguments of each operation: a body for POST, otherwise parts of the query or path.
CALLS: Final[dict[str, dict[str, Any]]] = {
    "predict": FILM,
    "predict_unversioned": FILM,
    "predict_from_codes": CODES,
    "predict_from_codes_unversioned": CODES,
    "predict_batch": {"films": [FILM, {"genres": ["Horror"]}]},
    "options": {},
    "people": {"q": "a"},
    "films": {"q": "lantern"},
    "film": {"film_id": 1},
    "ratings": {"genre": "Drama"},
    "evidence": {},
    "card": {},
    "version": {},
    "forecasts": {"limit": 2, "opened": "last_week"},
    "atom_feed": {"limit": 2},
    "calendar_feed": {"opened": "next_month"},
    "track_record": {},
    "recorded_films": {"search": "lantern", "state": "waiting"},
    "history": {},
    "metrics": {},
    "livez": {},
    "readyz": {},
}
TEXTS: Final = frozenset({"card", "atom_feed", "calendar_feed"})  # answers that are no JSON


@pytest.fixture(scope="module")
def url(s3_server: S3Server, run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of an API that can answer every route."""
    folder = tmp_path_factory.mktemp("films")
    settings = settings_of_a_whole_service(s3_server, Packed(run.bundle, run.manifest), folder)
    bucket = open_bucket(settings)
    ledger = ForecastLedger(bucket)
    ledger.write_view(UPCOMING_KEY, UPCOMING)
    ledger.write_view(TRACK_RECORD_KEY, track_record([scored(1)], RUN_DATE, 50))
    DecisionLog(bucket).record(decision(21))
    with service_in_a_thread(settings, tmp_path_factory.mktemp("service")) as address:
        yield address


@pytest.fixture(scope="module")
def folder(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the API's description, for what is generated from it."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_bytes(requests.get(f"{url}/openapi.json", timeout=60).content)
    return folder


@pytest.fixture(scope="module")
def operations(folder: Path) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return the method, path and description of each operation, by its id."""
    paths = json.loads((folder / "openapi.json").read_text())["paths"]
    return {
        operation["operationId"]: (method, path, operation)
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def test_every_operation_is_called(operations: dict[str, Any]):
    assert operations.keys() == CALLS.keys()


def test_client_of_openapi_python_client_calls_every_route(
    folder: Path, url: str, operations: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    package = folder / "generated_client"
    command = [GENERATORS / "openapi-python-client", "generate", "--meta", "none"]
    run_with_node(folder, *command, "--path", "openapi.json", "--output-path", package)
    monkeypatch.syspath_prepend(folder)
    models = importlib.import_module("generated_client.models")
    with importlib.import_module("generated_client").Client(base_url=url, timeout=60) as client:
        for name, (method, _, operation) in operations.items():
            route = importlib.import_module(f"generated_client.api.{operation['tags'][0]}.{name}")
            arguments = CALLS[name]
            if name == "predict_batch":
                films = [models.FilmFacts(**film) for film in arguments["films"]]
                arguments = {"body": models.Batch(films=films)}
            elif method == "post":
                arguments = {"body": models.FilmFacts(**arguments)}
            answer = route.sync_detailed(client=client, **arguments)
            assert answer.status_code == 200, (name, answer)
            assert not isinstance(answer.parsed, models.Problem), name
            assert answer.parsed is not None or name in TEXTS, name


def test_models_of_datamodel_codegen_fit_every_route(
    folder: Path, url: str, operations: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    command = [GENERATORS / "datamodel-codegen", "--input", "openapi.json"]
    options = ["--input-file-type", "openapi", "--output-model-type", "pydantic_v2.BaseModel"]
    run_with_node(folder, *command, *options, "--output", "generated_models.py")
    monkeypatch.syspath_prepend(folder)
    models = importlib.import_module("generated_models")
    for name, (method, path, operation) in operations.items():
        sent: dict[str, Any] = {"params": CALLS[name]}
        if method == "post":
            model = model_of(models, operation["requestBody"]["content"]["application/json"])
            sent = {"json": model.validate_python(CALLS[name]).model_dump(exclude_unset=True)}
            sent["json"] = json.loads(json.dumps(sent["json"], default=lambda each: each.root))
        address = url + path.format(**CALLS[name])
        answer = requests.request(method, address, **sent, timeout=60)
        assert answer.status_code == 200, (name, answer.text)
        (media_type,) = operation["responses"]["200"]["content"]
        assert answer.headers["content-type"].startswith(media_type)
        if media_type == "application/json":
            model = model_of(models, operation["responses"]["200"]["content"][media_type])
            assert model.validate_json(answer.content) is not None, name


def model_of(models: Any, content: dict[str, Any]) -> TypeAdapter[Any]:
    """Return the generated model, or the union of models, for the content of a message."""
    names = re.findall(r"#/components/schemas/(\w+)", str(content["schema"]))
    union: Any = reduce(or_, (getattr(models, name) for name in names))
    return TypeAdapter(union)


def test_types_of_openapi_typescript_fit_every_route(
    folder: Path, url: str, operations: dict[str, Any]
):
    (folder / "node_modules").symlink_to(NPM_TOOLS)
    tools = NPM_TOOLS / ".bin"
    run_with_node(folder, tools / "openapi-typescript", "openapi.json", "--output", "api.d.ts")
    shutil.copy(PROGRAM, folder)
    options = "--noEmit --strict --target es2022 --module nodenext --allowImportingTsExtensions"
    run_with_node(folder, tools / "tsc", *options.split(), "--lib", "es2022,dom", PROGRAM.name)
    *calls, refused, rating = run_with_node(folder, "node", PROGRAM.name, url).splitlines()
    expected = {f"{method.upper()} {path} 200" for method, path, _ in operations.values()}
    assert set(calls) == expected
    assert refused == "refused too_small"
    assert re.fullmatch(r"rating \d\.\d+", rating)
