import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.keys import HEADER, hash_of, new_key
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from sandbox.s3.process import S3Server
from tests.app.conftest import serving
from tests.app.test_problems import problem_of
from tests.support.bundles import Packed, put_into_production

ROOT = Path(__file__).parents[2]
KEYS = (new_key(), new_key())


@pytest.fixture(scope="module")
def guarded(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """Yield a client for an API that accepts two keys."""
    settings = s3_server.settings(s3_server.new_bucket(), api_key_hashes=tuple(map(hash_of, KEYS)))
    put_into_production(Registry(open_bucket(settings)), packed)
    with serving(settings, tmp_path_factory.mktemp("cache")) as (client, _):
        yield client


@pytest.mark.parametrize("key", KEYS, ids=["first", "second"])
def test_each_valid_key_is_accepted(guarded: TestClient, key: str):
    assert guarded.get("/v1/options", headers={HEADER: key}).status_code == 200


@pytest.mark.parametrize(
    "key",
    [None, "", "wrong", KEYS[0][:-1], hash_of(KEYS[0]), "키".encode()],
    ids=["none", "empty", "wrong", "too-short", "hash", "korean"],
)
@pytest.mark.parametrize("path", ["/v1/options", "/options", "/v1/predict", "/metrics", "/nowhere"])
def test_invalid_key_is_refused_and_not_repeated(guarded: TestClient, path: str, key: Any):
    headers = {} if key is None else {HEADER: key}
    response = guarded.get(path, headers=headers)
    problem = problem_of(response, 401)
    assert HEADER in problem["detail"]
    assert response.headers["www-authenticate"] == "ApiKey"
    if key:
        assert str(key) not in response.text


@pytest.mark.parametrize(
    "path",
    [
        "/livez",
        "/readyz",
        "/version",
        "/v1/version",
        "/docs",
        "/openapi.json",
        "/problems/unknown-key",
    ],
)
def test_probes_version_and_documentation_need_no_key(guarded: TestClient, path: str):
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/version", "/v1/version"])
def test_stranger_learns_only_the_name_of_the_version(guarded: TestClient, path: str):
    named, told = guarded.get(path), guarded.get(path, headers={HEADER: KEYS[0]})
    assert list(named.json()) == ["version"]
    assert guarded.get(path, headers={HEADER: "wrong"}).json() == named.json()
    assert told.json()["version"] == named.json()["version"]
    assert {"commit", "data", "reason"} <= told.json().keys()


@pytest.mark.parametrize("path", ["//livez", "/livez/../v1/options", "/LIVEZ", "/livez/"])
def test_paths_similar_to_open_ones_need_a_key(guarded: TestClient, path: str):
    assert guarded.get(f"http://testserver{path}", follow_redirects=False).status_code in {401, 404}


def test_all_hashes_are_compared_in_constant_time(
    guarded: TestClient, monkeypatch: pytest.MonkeyPatch
):
    compared: list[str] = []

    def watched(sent: str, known: str) -> bool:
        compared.append(known)
        return hmac.compare_digest(sent, known)

    monkeypatch.setattr("app.middleware.api_keys.hmac.compare_digest", compared_by(watched))
    guarded.get("/v1/options", headers={HEADER: KEYS[0]})
    assert compared == [hash_of(key) for key in KEYS]


def compared_by(watched: Any) -> Any:
    original = hmac.compare_digest
    state = {"inside": False}

    def compare(sent: str, known: str) -> bool:
        if state["inside"]:
            return original(sent, known)
        state["inside"] = True
        try:
            return bool(watched(sent, known))
        finally:
            state["inside"] = False

    return compare
