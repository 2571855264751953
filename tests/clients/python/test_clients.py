import inspect
from collections.abc import Iterator
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest
import requests
from movie_rating_client import ApiError, AsyncClient, Client, FieldError, InvalidInputError
from movie_rating_client import clients as clients_module

from app.keys import hash_of
from movierating.catalogue.publication import Catalogues
from movierating.ledger.ledger import UPCOMING_KEY, ForecastLedger
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from sandbox.s3.process import S3Server
from tests.app.conftest import UPCOMING
from tests.support.bundles import RUN_DATE, Packed, put_into_production
from tests.support.catalogues import catalogue_file
from tests.support.films import moment
from tests.support.forecasts import forecast
from tests.support.live_service import service_in_a_thread
from tests.support.running_async import run_async

KEY = "a key"
FILM: dict[str, Any] = {"genres": ["Drama"], "language": "ko", "runtime": 112}
# Of the released film 3 of the catalogue.
BEFORE_RELEASE = forecast(3, date(2026, 9, 30), release_date=date(2026, 10, 1))


@pytest.fixture(scope="module")
def url(
    s3_server: S3Server, packed: Packed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Yield the address of a service that asks for a key and has forecasts of four films."""
    settings = s3_server.settings(s3_server.new_bucket(), api_key_hashes=(hash_of(KEY),))
    bucket = open_bucket(settings)
    put_into_production(Registry(bucket), packed)
    ForecastLedger(bucket).write_view(UPCOMING_KEY, UPCOMING)
    catalogue = catalogue_file(tmp_path_factory.mktemp("films"), forecasts=[BEFORE_RELEASE])
    Catalogues(bucket).publish(catalogue, moment())
    with (
        patch("app.clock.today", lambda: RUN_DATE),
        service_in_a_thread(settings, tmp_path_factory.mktemp("service")) as address,
    ):
        yield address


def test_forecast_is_the_one_of_the_api(url: str):
    with Client(url, api_key=KEY) as client:
        answer = client.forecast(**FILM, at_least=[7.5], explain=False, translate=False)
    query: dict[str, Any] = {"at_least": 7.5, "explain": "false", "translate": "false"}
    headers = {"X-API-Key": KEY}
    sent = requests.post(f"{url}/v1/predict", json=FILM, params=query, headers=headers, timeout=60)
    assert answer == sent.json()
    assert answer["reasons"] == []


def test_every_method_works_in_both_clients(url: str):
    films: Any = [FILM, {"genres": ["Drama"], "runtime": -1}]

    async def all_answers() -> list[Any]:
        async with AsyncClient(url, api_key=KEY) as client:
            return [
                await client.forecast(**FILM),
                await client.forecast_batch(films),
                await client.options(),
                await client.find_names("a"),
                await client.find_films("lantern returns"),
                await client.find_people("a"),
                await client.ratings("Drama"),
                [film async for film in client.upcoming("lantern", "-rating")],
                [film async for film in client.opened("2026-10-01", "lantern")],
                [film async for film in client.record("lantern", "waiting")],
                await client.version(),
            ]

    with Client(url, api_key=KEY) as client:
        answers: list[Any] = [
            client.forecast(**FILM),
            client.forecast_batch(films),
            client.options(),
            client.find_names("a"),
            client.find_films("lantern returns"),
            client.find_people("a"),
            client.ratings("Drama"),
            list(client.upcoming("lantern", "-rating")),
            list(client.opened("2026-10-01", "lantern")),
            list(client.record("lantern", "waiting")),
            client.version(),
        ]
    assert answers == run_async(all_answers())
    assert all(answers)
    assert [row["problem"] is None for row in answers[1]["results"]] == [True, False]


def test_film_of_the_catalogue_is_forecast_by_its_id_with_changes(url: str):
    with Client(url, api_key=KEY) as client:
        (found,) = client.find_films("lantern returns")
        film = client.forecast(tmdb_id=found["id"], overview=None, runtime=90)["film"]
        batch = client.forecast_batch([{"tmdb_id": found["id"]}])
    assert film
    assert (film["title"], film["overridden"]) == ("The Lantern Returns", ["runtime"])
    assert film["removed"] == ["overview"]
    (row,) = batch["results"]
    assert row["forecast"]
    assert row["forecast"]["film"]


def test_both_clients_have_the_same_methods_and_arguments():
    def methods(kind: type) -> dict[str, list[str]]:
        found = inspect.getmembers(kind, inspect.isfunction)
        return {name: list(inspect.signature(each).parameters) for name, each in found}

    renamed = {"__aenter__": "__enter__", "__aexit__": "__exit__"}
    asynchronous = {renamed.get(name, name): each for name, each in methods(AsyncClient).items()}
    assert asynchronous == methods(Client)


def test_all_pages_of_upcoming_films_are_read(url: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(clients_module, "_PAGE", 1)
    with Client(url, api_key=KEY) as client:
        assert [film["id"] for film in client.upcoming(sort="title")] == [3, 1, 2, 4]


MESSAGE = "the number is not above 0; send minutes as a number above 0 and up to 600, such as 112"


def test_invalid_input_is_an_error_that_names_the_fields(url: str):
    with Client(url, api_key=KEY) as client, pytest.raises(InvalidInputError) as caught:
        client.forecast(genres=["Drama"], runtime=-1)
    error = caught.value
    assert error.errors == [FieldError("runtime", "too_small", MESSAGE)]
    assert (error.status, error.type) == (422, "/problems/invalid-input")
    assert error.request_id
    assert str(error) == error.detail == f"runtime: {MESSAGE}"


def test_other_problem_is_an_error_with_its_kind(url: str):
    with Client(url) as client, pytest.raises(ApiError, match="API key") as caught:
        client.options()
    assert (caught.value.status, caught.value.errors) == (401, [])
    assert not isinstance(caught.value, ValueError)
