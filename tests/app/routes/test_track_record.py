from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from movierating.catalogue.publication import Catalogues
from movierating.films.source import TMDB, invented_films
from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Forecast, Upcoming, UpcomingFilm
from movierating.s3 import open_bucket
from sandbox.s3.process import S3Server
from scripts.ledger.track_record import track_record
from tests.app.conftest import serving
from tests.app.test_paging import pages_of
from tests.support.bundles import RUN_DATE
from tests.support.catalogues import VOTES_TO_SCORE, catalogue_file, korean_title
from tests.support.films import moment
from tests.support.forecasts import forecast, scored

DAY = timedelta(days=1)
# RUN_DATE is a Monday.
FRIDAY, MONTH_AGO = RUN_DATE - 3 * DAY, RUN_DATE - 31 * DAY


@contextmanager
def serving_record(
    server: S3Server,
    folder: Path,
    path: Path,
    source: str = TMDB,
    forecasts: Sequence[Forecast] = (),
) -> Iterator[TestClient]:
    """Run the API with a catalogue, and with films to come of a source."""
    settings = server.settings(server.new_bucket())
    bucket = open_bucket(settings)
    Catalogues(bucket).publish(path, moment())
    ledger = ForecastLedger(bucket)
    films = tuple(UpcomingFilm(forecast=each, week_ago=None) for each in forecasts)
    ledger.write_view(UPCOMING_KEY, Upcoming(as_of=RUN_DATE, source=source, films=films))
    record = track_record([], RUN_DATE, VOTES_TO_SCORE).model_copy(update={"source": source})
    ledger.write_view(TRACK_RECORD_KEY, record)
    with serving(settings, folder / "cache") as (client, _):
        yield client


@pytest.fixture(scope="module")
def client(s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("record")
    stored = [
        {"id": 1, "title": "Harbour", "vote_count": 8, "vote_average": 6.0}
        | {"release_date": f"{FRIDAY}"}
        | korean_title("항구"),
        {"id": 2, "title": "Quay", "vote_count": 90, "vote_average": 8.5}
        | {"release_date": f"{MONTH_AGO}"},
    ]
    made = [forecast(2, MONTH_AGO - DAY), forecast(1, FRIDAY - DAY, rating=6.444)]
    scores = [scored(2, actual=8.25, release_date=MONTH_AGO, mark="30 days", day=RUN_DATE - DAY)]
    with serving_record(s3_server, folder, catalogue_file(folder, stored, made, scores)) as client:
        yield client


def get(client: TestClient, path: str, **query: Any) -> Any:
    response = client.get(path, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def test_films_that_opened_last_week_have_their_forecast_and_the_rating_so_far(
    client: TestClient,
):
    answer = get(client, "/v1/forecasts", opened="last_week")
    assert answer["opened"] == {"first": "2026-11-16", "last": "2026-11-22"}
    (film,) = answer["films"]
    assert (film["id"], film["title"], film["korean_title"]) == (1, "Harbour", "항구")
    assert (film["rating"], film["release_date"]) == (6.44, FRIDAY.isoformat())
    assert film["outcome"] == {
        "as_of": RUN_DATE.isoformat(),
        "rating": 6.0,
        "votes": 8,
        "votes_needed": 42,
        "inside": True,
    }


def test_films_of_two_sources_are_never_in_one_answer(s3_server: S3Server, tmp_path: Path):
    stored = [{"id": 1, "title": "Harbour", "release_date": f"{FRIDAY}"}]
    made = [forecast(1, FRIDAY - DAY)]
    path = catalogue_file(tmp_path, stored, made, source=invented_films("1a2b"))
    # TMDB's film with the same id comes out on the run date.
    coming = [forecast(1, release_date=RUN_DATE)]
    with serving_record(s3_server, tmp_path, path, TMDB, coming) as client:
        refused = client.get("/v1/forecasts", params={"opened": f"{FRIDAY}..{RUN_DATE}"})
        assert refused.status_code == 503
        assert refused.json()["detail"] == (
            "the film catalogue has invented films (invented-films@1a2b), but the forecasts are of "
            "TMDB's films (api.themoviedb.org); the next run of the pipeline's DAG "
            "tmdb_movie_forecast publishes a catalogue of the same films"
        )
        # Answers that need only one of the two files are complete.
        assert get(client, "/v1/forecasts")["total"] == 1
        assert get(client, "/v1/track-record/films")["total"] == 1
        assert get(client, "/v1/track-record")["waiting"] is None


def test_span_without_films_is_an_empty_list(client: TestClient):
    assert get(client, "/v1/forecasts", opened="yesterday")["films"] == []


def test_films_of_a_span_are_searched_and_sorted(client: TestClient):
    def listed(**query: Any) -> list[int]:
        answer = get(client, "/v1/forecasts", opened="2026-10-01..2026-11-23", **query)
        return [film["id"] for film in answer["films"]]

    assert listed() == [2, 1]
    assert listed(sort="rating") == [1, 2]
    assert listed(search="항구") == [1]
    assert listed(search="2") == [2]


def test_film_in_the_record_has_its_forecast_and_how_it_came_out(client: TestClient):
    (film,) = get(client, "/v1/track-record/films", search="quay")["films"]
    assert film["forecast"] == {
        "day": f"{MONTH_AGO - DAY}",
        "rating": 6.5,
        "interval": {"low": 5.5, "high": 7.5, "coverage": 0.8},
        "version": "2026-11-23-0123456789ab",
    }
    assert film["score"] == {
        "mark": "30 days",
        "day": f"{RUN_DATE - DAY}",
        "rating": 8.25,
        "votes": 120,
        "error": -1.75,
        "inside": False,
    }
    assert (film["outcome"]["votes_needed"], film["outcome"]["inside"]) == (0, False)
    assert film["next_due"] == f"{MONTH_AGO + 90 * DAY}"


def test_films_that_wait_for_votes_say_how_many_they_need(client: TestClient):
    answer = get(client, "/v1/track-record/films", state="waiting")
    assert (answer["total"], answer["min_votes"]) == (1, VOTES_TO_SCORE)
    assert [(film["id"], film["outcome"]["votes_needed"]) for film in answer["films"]] == [(1, 42)]


def test_record_says_how_many_films_wait_and_when_the_next_comparison_is_due(client: TestClient):
    answer = get(client, "/v1/track-record")
    assert (answer["figures"], answer["waiting"]) == (None, 1)
    assert answer["next_due"] == f"{FRIDAY + 30 * DAY}"


def test_next_links_lead_through_the_record(client: TestClient):
    assert pages_of(client, "/v1/track-record/films?limit=1") == [1, 1]


def test_unknown_state_is_refused_with_the_allowed_ones(client: TestClient):
    response = client.get("/v1/track-record/films", params={"state": "open"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["message"] == "send one of: 'waiting' or 'scored'"


def test_catalogue_that_cannot_be_read_is_a_problem_only_where_it_is_needed(
    s3_server: S3Server, tmp_path: Path
):
    with serving_record(s3_server, tmp_path, catalogue_file(tmp_path)) as client:
        (copy,) = (tmp_path / "cache").glob("films-*.sqlite")
        copy.write_bytes(b"damaged" * 1_000)
        assert get(client, "/v1/track-record")["waiting"] is None
        for path in ("/v1/forecasts", "/v1/forecasts?opened=tomorrow", "/v1/forecasts.atom"):
            assert client.get(path).status_code == 200
        for path in (
            "/v1/track-record/films",
            "/v1/forecasts?opened=today",
            "/v1/forecasts.ics?opened=today",
            "/v1/films",
            "/v1/films/1",
        ):
            response = client.get(path)
            assert (response.status_code, response.json()["type"]) == (503, "/problems/not-ready")
            assert response.json()["detail"] == "the film catalogue is damaged; publish it again"
