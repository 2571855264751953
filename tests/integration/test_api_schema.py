"""Send random requests, generated from the API's OpenAPI description, over real HTTP."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.keys import HEADER, hash_of, new_key
from movierating.catalogue.publication import Catalogues
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from sandbox.s3.process import S3Server
from tests.support.bundles import Packed, put_into_production
from tests.support.catalogues import catalogue_file
from tests.support.films import moment
from tests.support.live_service import service_in_a_thread

KEY = new_key()
# Without `positive_data_acceptance`: the API refuses some requests that match the schema, because a
# schema cannot say "a plot or a genre is required", nor which genre codes exist.
CHECKS = [
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
EXAMPLES = 20
FEW_EXAMPLES = 4  # for refusals; the answers of the routes are tried out on the open API
OPERATIONS = 22  # methods and paths that the API describes


@pytest.fixture(scope="module")
def serve(s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory) -> Any:
    def described(**changes: Any) -> Iterator[Any]:
        chosen = s3_server.settings(s3_server.new_bucket(), **changes)
        bucket = open_bucket(chosen)
        put_into_production(Registry(bucket), packed)
        Catalogues(bucket).publish(catalogue_file(tmp_path_factory.mktemp("films")), moment())
        with service_in_a_thread(chosen, tmp_path_factory.mktemp("service")) as url:
            yield schemathesis.openapi.from_url(f"{url}/openapi.json")

    return described


@pytest.fixture(scope="module")
def open_api(serve: Any) -> Iterator[Any]:
    yield from serve()


@pytest.fixture(scope="module")
def guarded_api(serve: Any) -> Iterator[Any]:
    yield from serve(api_key_hashes=(hash_of(KEY),), max_request_kb=1)


@pytest.fixture(scope="module")
def limited_api(serve: Any) -> Iterator[Any]:
    yield from serve(rate_limit_per_minute=1)


def fuzz(
    api: Any, mode: GenerationMode, try_out: Callable[[Any], None], examples: int = EXAMPLES
) -> int:
    """Run a check with many generated requests for each operation in the API's description.

    Args:
        api: The API's OpenAPI description, as loaded by schemathesis.
        mode: Whether to generate valid or invalid requests.
        try_out: The check, called with one generated request.
        examples: The number of requests for each operation.

    Returns:
        The number of operations.
    """
    operations = [found.ok() for found in api.get_all_operations()]
    fuzzing = settings(
        max_examples=examples,
        suppress_health_check=list(HealthCheck),
        deadline=None,
        derandomize=True,
    )
    for operation in operations:

        @fuzzing
        @given(case=operation.as_strategy(generation_mode=mode))
        def tried_out(case: Any) -> None:
            try_out(case)

        tried_out()
    return len(operations)


def test_answers_to_valid_requests_match_the_description(open_api: Any):
    def try_out(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=60)

    assert fuzz(open_api, GenerationMode.POSITIVE, try_out) == OPERATIONS


def test_invalid_requests_are_refused_as_described(open_api: Any):
    def try_out(case: Any) -> None:
        # A batch with an invalid film is not refused: this film gets a problem in its row.
        is_batch = case.path.endswith("/batch")
        checks = CHECKS if is_batch else [*CHECKS, negative_data_rejection]
        case.call_and_validate(checks=checks, timeout=60)

    taking = open_api.include(path_regex="predict|people|ratings|forecasts|films")
    assert fuzz(taking, GenerationMode.NEGATIVE, try_out) == 13


def test_missing_keys_and_large_bodies_are_refused_as_described(guarded_api: Any):
    def try_out(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=60)
        case.call_and_validate(checks=CHECKS, headers={HEADER: KEY}, timeout=60)

    assert fuzz(guarded_api, GenerationMode.POSITIVE, try_out, FEW_EXAMPLES) == OPERATIONS


def test_too_many_requests_are_refused_as_described(limited_api: Any):
    def try_out(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, timeout=60)

    assert fuzz(limited_api, GenerationMode.POSITIVE, try_out, FEW_EXAMPLES) == OPERATIONS


def test_described_refusals_really_happen(guarded_api: Any, limited_api: Any):
    guarded, limited = (api.get_base_url() for api in (guarded_api, limited_api))
    statuses = {
        requests.post(f"{guarded}/v1/predict", json={}, timeout=60).status_code,
        requests.post(
            f"{guarded}/v1/predict", data=b" " * 2000, headers={HEADER: KEY}, timeout=60
        ).status_code,
        *(requests.get(f"{limited}/v1/version", timeout=60).status_code for _ in range(3)),
    }
    assert statuses >= {401, 413, 429}
