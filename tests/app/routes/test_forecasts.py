import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import problems
from app.background.catalogue_reader import CatalogueReader
from app.background.forecasts_reader import ForecastsReader
from app.recorded import POSTER_PIXELS
from app.routes import forecasts, track_record
from movierating.ledger.ledger import UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Upcoming, UpcomingFilm
from movierating.posters import poster_base_url
from movierating.s3 import Bucket, open_bucket
from movierating.settings import Settings
from tests.app.conftest import serving as whole_service
from tests.app.test_paging import pages_of
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import VERSION_ERRORS, forecast, stated

NEVER = 3600.0


@pytest.fixture(autouse=True)
def start_waits_for_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the API's start wait until the ledger has been read, even on a slow machine."""
    monkeypatch.setattr("app.background.bucket_reader.START_SECONDS", 60)


@contextmanager
def serving(settings: Settings, reader: ForecastsReader | None = None) -> Iterator[TestClient]:
    reads = reader or ForecastsReader(lambda: open_bucket(settings), NEVER)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        reads.start()
        yield {
            "forecasts_reader": reads,
            "catalogue_reader": CatalogueReader(lambda: open_bucket(settings), Path("unused")),
            "poster_base_url": poster_base_url(settings, POSTER_PIXELS),
        }
        reads.stop()

    app = FastAPI(lifespan=lifespan)
    problems.install(app)
    app.include_router(forecasts.router)
    app.include_router(track_record.router)
    with TestClient(app) as client:
        yield client


@pytest.fixture
def client(ledger_settings: Settings) -> Iterator[TestClient]:
    with serving(ledger_settings) as client:
        yield client


def listed(client: TestClient, **query: Any) -> list[int]:
    response = client.get("/forecasts", params=query)
    assert response.status_code == 200, response.text
    return [film["id"] for film in response.json()["films"]]


def test_forecast_is_returned_as_recorded(client: TestClient):
    answer = client.get("/forecasts").json()
    assert (answer["as_of"], answer["total"]) == ("2026-11-23", 4)
    assert answer["films"][0] == {
        "id": 1,
        "title": "The Lantern",
        "original_title": None,
        "korean_title": None,
        "release_date": "2026-12-03",
        "rating": 6.0,
        "interval": {"low": 5.5, "high": 7.5, "coverage": 0.8},
        "quantiles": None,
        "at_least": [
            {"rating": 6, "probability": 0.75},
            {"rating": 7, "probability": 0.25},
            {"rating": 8, "probability": 0},
        ],
        "change": -0.5,
        "reasons": [{"group": "genre", "points": 0.3}, {"group": "people", "points": -0.1}],
        "genre": "Drama",
        "language": "ko",
        "made_at": "2026-11-23T12:00:00Z",
        "version": "2026-11-23-0123456789ab",
        "poster": None,
        "outcome": None,
    }


def test_distribution_of_a_forecast_is_stated_where_the_ledger_has_it(
    bucket_settings: Settings, bucket: Bucket
):
    known = forecast(1, rating=6.5, distribution=stated(6.5, 0.5))
    made = (known, forecast(2), forecast(3, distribution=None))
    films = tuple(UpcomingFilm(forecast=each, week_ago=None) for each in made)
    upcoming = Upcoming(as_of=RUN_DATE, films=films, errors=VERSION_ERRORS)
    ForecastLedger(bucket).write_view(UPCOMING_KEY, upcoming)
    with serving(bucket_settings) as client:
        answer = client.get("/forecasts?at_least=6.25&at_least=9").json()
        following = client.get("/forecasts?at_least=6.25&at_least=9&limit=1").json()["next"]
        refused = client.get("/forecasts?at_least=11")
    whole, old, oldest = answer["films"]
    # The ratings from 5.5 to 7.5 are equally likely.
    assert whole["quantiles"] == [
        {"level": level, "rating": round(5.5 + 2 * level, 2)}
        for level in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    ]
    assert [(each["rating"], each["probability"]) for each in whole["at_least"]] == [
        (6, 0.75),
        (6.25, 0.625),
        (7, 0.25),
        (8, 0),
        (9, 0),
    ]
    assert old["quantiles"] is None
    assert [each["rating"] for each in old["at_least"]] == [6, 7, 8]
    assert (oldest["quantiles"], oldest["at_least"]) == (None, None)
    assert "at_least=6.25&at_least=9" in following
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"search": "LANTERN"}, [1, 3]),
        ({"search": " 여름 "}, [2]),
        ({"search": "등불"}, [3]),
        ({"search": "ete"}, [3]),
        ({"search": "lántern  ii"}, [3]),
        ({"search": "lantern-ii!"}, [3]),
        ({"search": "정원"}, [4]),
        ({"search": "2"}, [2]),
        ({"search": "🍿"}, []),
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


def test_next_links_lead_through_all_films(client: TestClient):
    assert pages_of(client, "/forecasts?limit=3&sort=title") == [3, 1]
    assert pages_of(client, "/forecasts?search=Lantern&limit=1") == [1, 1]


def test_next_link_keeps_the_other_parameters(client: TestClient):
    following = client.get("/forecasts?search=lantern&sort=-rating&limit=1").json()["next"]
    assert following == "/forecasts?search=lantern&sort=-rating&offset=1&limit=1"


def test_total_counts_the_matches_on_all_pages(client: TestClient):
    assert client.get("/forecasts", params={"search": "lantern", "limit": 1}).json()["total"] == 2


@pytest.mark.parametrize("query", [{"sort": "votes"}, {"limit": 201}, {"offset": -1}])
def test_invalid_query_names_its_field(client: TestClient, query: dict[str, Any]):
    response = client.get("/forecasts", params=query)
    assert response.status_code == 422
    assert response.json()["errors"][0]["field"] == next(iter(query))


@pytest.mark.parametrize(
    ("tmdb", "poster"),
    [
        ("http://127.0.0.1:8090/3", None),
        ("https://api.themoviedb.org/3", "https://image.tmdb.org/t/p/w185/summer.jpg"),
    ],
)
def test_posters_need_films_from_tmdb(ledger_settings: Settings, tmdb: str, poster: str | None):
    values: dict[str, Any] = ledger_settings.model_dump() | {"tmdb_base_url": tmdb}
    with serving(Settings(**values)) as client:
        (film,) = client.get("/forecasts", params={"search": "여름"}).json()["films"]
    assert film["poster"] == poster


@pytest.mark.parametrize(
    ("opened", "expected"),
    [("2026-12-03", [1, 2, 3, 4]), ("2026-W49", [1, 2, 3, 4]), ("2026-12-04", [])],
)
def test_upcoming_films_of_a_span_need_no_catalogue(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, opened: str, expected: list[int]
):
    monkeypatch.setattr("app.clock.today", lambda: RUN_DATE)
    assert listed(client, opened=opened) == expected


def test_span_with_released_films_needs_the_catalogue(client: TestClient):
    response = client.get("/forecasts", params={"opened": "today"})
    assert response.status_code == 503
    assert "film catalogue" in response.json()["detail"]


def test_unknown_span_is_refused_with_the_allowed_ones(client: TestClient):
    response = client.get("/forecasts", params={"opened": "lately"})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert error["field"] == "opened"
    assert error["message"].startswith("send today, yesterday, tomorrow, this_week, last_week")


def test_first_comparison_is_due_30_days_after_the_first_release(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("app.clock.today", lambda: RUN_DATE)
    answer = client.get("/track-record").json()
    assert (answer["next_due"], answer["waiting"]) == ("2027-01-02", None)


def test_track_record_has_the_errors_of_forecasts_and_of_the_baselines(client: TestClient):
    answer = client.get("/track-record").json()
    assert answer["figures"]["rmse"] == 0.5
    assert answer["figures"]["baselines"] == {"genre_mean": 0.0, "mean": 0.0, "recent_mean": 0.0}
    assert [film["film_id"] for film in answer["worst"]] == [1]


def test_empty_ledger_gives_an_empty_page_and_no_track_record(bucket_settings: Settings):
    with serving(bucket_settings) as client:
        assert client.get("/forecasts").json() == {
            "as_of": None,
            "opened": None,
            "total": 0,
            "films": [],
            "next": None,
        }
        assert client.get("/track-record").json() is None


def test_unreadable_ledger_gives_503_that_names_the_setting_to_change(
    bucket_settings: Settings,
):
    lost = bucket_settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})
    with serving(lost) as client:
        for path in ("/forecasts", "/track-record"):
            response = client.get(path)
            assert response.status_code == 503
            assert "S3_BUCKET_NAME" in response.json()["detail"]


def test_silent_s3_keeps_no_request_waiting(
    ledger_settings: Settings, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
):
    released = threading.Event()

    def silent() -> Bucket:
        released.wait()
        return bucket

    monkeypatch.setattr("app.background.bucket_reader.START_SECONDS", 0.01)
    with serving(ledger_settings, ForecastsReader(silent)) as client:
        try:
            response = client.get("/forecasts")
            assert response.status_code == 503
            assert "not read yet" in response.json()["detail"]
        finally:
            released.set()


def test_views_stay_in_service_when_s3_goes_away(ledger_settings: Settings):
    sources = [
        ledger_settings,
        ledger_settings.model_copy(update={"s3_bucket_name": "no-such-bucket"}),
    ]
    reader = ForecastsReader(lambda: open_bucket(sources[0]))
    with serving(ledger_settings, reader) as client:
        sources.pop(0)
        reader.refresh()
        assert reader.problem is not None
        assert listed(client) == [1, 2, 3, 4]


def test_service_without_a_model_still_serves_the_ledger(ledger_settings: Settings, tmp_path: Path):
    with whole_service(ledger_settings, tmp_path) as (client, _):
        assert listed(client) == [1, 2, 3, 4]
        assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 503  # no version is in production
