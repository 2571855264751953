import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import problems
from app.routes.forecasts import POSTER_PIXELS, LedgerReader, records
from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Upcoming, UpcomingFilm
from movierating.posters import poster_base_url
from movierating.s3 import Bucket, open_bucket
from movierating.settings import Settings
from scripts.ledger.track_record import track_record
from tests.app.conftest import serving as whole_service
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import forecast, scored

NEVER = 3600.0
FILMS = Upcoming(
    as_of=RUN_DATE,
    films=(
        UpcomingFilm(forecast=forecast(1, title="The Lantern", rating=6.0), week_ago=6.5),
        UpcomingFilm(
            forecast=forecast(2, title="여름의 끝", rating=8.0, poster_path="/summer.jpg"),
            week_ago=None,
        ),
        UpcomingFilm(
            forecast=forecast(
                3, title="Lantern II", original_title="등불 Été", rating=7.0, low=4.0
            ),
            week_ago=6.0,
        ),
        UpcomingFilm(forecast=forecast(4, title=None, rating=5.0), week_ago=5.0),
    ),
)


@pytest.fixture(autouse=True)
def start_waits_for_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is."""
    monkeypatch.setattr("app.background.bucket_reader.START_SECONDS", 60)


@pytest.fixture
def settings(bucket_settings: Settings, bucket: Bucket) -> Settings:
    """A bucket with a view of four films to come, and a track record of one."""
    ledger = ForecastLedger(bucket)
    ledger.show(UPCOMING_KEY, FILMS)
    ledger.show(TRACK_RECORD_KEY, track_record([scored(1)], RUN_DATE, 50))
    return bucket_settings


@contextmanager
def serving(settings: Settings, reader: LedgerReader | None = None) -> Iterator[TestClient]:
    reads = reader or LedgerReader(lambda: open_bucket(settings), NEVER)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        reads.start()
        yield {"ledger": reads, "posters": poster_base_url(settings, POSTER_PIXELS)}
        reads.stop()

    app = FastAPI(lifespan=lifespan)
    problems.install(app)
    app.include_router(records)
    with TestClient(app) as client:
        yield client


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with serving(settings) as client:
        yield client


def listed(client: TestClient, **query: Any) -> list[int]:
    response = client.get("/forecasts", params=query)
    assert response.status_code == 200, response.text
    return [film["id"] for film in response.json()["films"]]


def test_forecast_is_shown_as_it_was_written_down(client: TestClient):
    answer = client.get("/forecasts").json()
    assert (answer["as_of"], answer["total"]) == ("2026-11-23", 4)
    assert answer["films"][0] == {
        "id": 1,
        "title": "The Lantern",
        "original_title": None,
        "release_date": "2026-12-03",
        "rating": 6.0,
        "interval": {"low": 5.5, "high": 7.5, "coverage": 0.8},
        "change": -0.5,
        "reasons": [{"group": "genre", "points": 0.3}, {"group": "people", "points": -0.1}],
        "genre": "Drama",
        "language": "ko",
        "made_at": "2026-11-23T12:00:00Z",
        "version": "2026-11-23-0123456789ab",
        "poster": None,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"search": "LANTERN"}, [1, 3]),
        ({"search": " 여름 "}, [2]),
        ({"search": "등불"}, [3]),
        ({"search": "ete"}, [3]),
        ({"search": "lántern  ii"}, [3]),
        ({"search": ""}, [1, 2, 3, 4]),
        ({"search": "nothing"}, []),
        ({"sort": "release_date"}, [1, 2, 3, 4]),
        ({"sort": "rating"}, [4, 1, 3, 2]),
        ({"sort": "-rating"}, [2, 3, 1, 4]),
        ({"sort": "title"}, [3, 1, 2, 4]),
        ({"sort": "change"}, [1, 4, 3, 2]),
        ({"sort": "-change"}, [3, 4, 1, 2]),
        ({"sort": "-width"}, [3, 1, 2, 4]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "offset": 3}, [4]),
        ({"offset": 9}, []),
    ],
)
def test_films_are_searched_sorted_and_paged(
    client: TestClient, query: dict[str, Any], expected: list[int]
):
    assert listed(client, **query) == expected


def test_total_counts_what_matches_on_all_pages(client: TestClient):
    assert client.get("/forecasts", params={"search": "lantern", "limit": 1}).json()["total"] == 2


@pytest.mark.parametrize("query", [{"sort": "votes"}, {"limit": 201}, {"offset": -1}])
def test_bad_query_names_its_field(client: TestClient, query: dict[str, Any]):
    response = client.get("/forecasts", params=query)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == next(iter(query))


@pytest.mark.parametrize(
    ("key", "poster"), [(None, None), ("a key", "https://image.tmdb.org/t/p/w185/summer.jpg")]
)
def test_posters_are_shown_where_a_key_is_set(
    settings: Settings, key: str | None, poster: str | None
):
    with serving(Settings(**settings.model_dump() | {"tmdb_api_key": key})) as client:
        (film,) = client.get("/forecasts", params={"search": "여름"}).json()["films"]
    assert film["poster"] == poster


def test_track_record_shows_figures_beside_those_of_the_means(client: TestClient):
    answer = client.get("/track-record").json()
    assert answer["figures"]["rmse"] == 0.5
    assert answer["figures"]["baselines"] == {"genre_mean": 0.0, "mean": 0.0, "recent_mean": 0.0}
    assert [film["film_id"] for film in answer["worst"]] == [1]


def test_empty_ledger_is_no_error(bucket_settings: Settings):
    with serving(bucket_settings) as client:
        assert client.get("/forecasts").json() == {"as_of": None, "total": 0, "films": []}
        assert client.get("/track-record").json() is None


def test_ledger_that_cannot_be_read_is_told_with_the_setting_to_change(
    bucket_settings: Settings,
):
    lost = bucket_settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})
    with serving(lost) as client:
        for path in ("/forecasts", "/track-record"):
            response = client.get(path)
            assert response.status_code == 503
            assert "S3_BUCKET_NAME" in response.json()["detail"]


def test_s3_that_does_not_answer_keeps_nobody_waiting(
    settings: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    awake = threading.Event()

    def asleep() -> Bucket:
        awake.wait()
        return bucket

    monkeypatch.setattr("app.background.bucket_reader.START_SECONDS", 0.01)
    with serving(settings, LedgerReader(asleep)) as client:
        try:
            response = client.get("/forecasts")
            assert response.status_code == 503
            assert "not read yet" in response.json()["detail"]
        finally:
            awake.set()


def test_what_was_read_stays_when_s3_goes_away(settings: Settings):
    places = [settings, settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})]
    reader = LedgerReader(lambda: open_bucket(places[0]))
    with serving(settings, reader) as client:
        places.pop(0)
        reader.refresh()
        assert reader.problem is not None
        assert listed(client) == [1, 2, 3, 4]


@pytest.mark.usefixtures("settings")
def test_new_view_is_read_and_an_unchanged_one_is_not_read_again(bucket: Bucket):
    reader = LedgerReader(lambda: bucket)
    reader.refresh()
    before, record = reader.upcoming, reader.track_record
    later = FILMS.model_copy(update={"as_of": RUN_DATE + timedelta(1)})
    ForecastLedger(bucket).show(UPCOMING_KEY, later)
    reader.refresh()
    assert (before, reader.upcoming) == (FILMS, later)
    assert reader.track_record is record


@pytest.mark.usefixtures("settings")
def test_unreadable_view_is_told_and_the_one_before_it_kept(bucket: Bucket):
    reader = LedgerReader(lambda: bucket)
    reader.refresh()
    bucket.put(UPCOMING_KEY, b"{}")
    reader.refresh()
    assert reader.problem == "the forecast ledger is not readable"
    assert reader.upcoming == FILMS


def test_service_answers_from_the_ledger_beside_the_model(settings: Settings, tmp_path: Path):
    with whole_service(settings, tmp_path) as (client, _):
        assert listed(client) == [1, 2, 3, 4]
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503  # no model is in production
