import asyncio
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import requests
from fastapi.testclient import TestClient
from limits import RateLimitItemPerMinute

from app import tmdb_films as module
from app.field_errors import CODES
from app.film_facts import FilmFacts, read_usable
from app.tmdb_films import FetchedFilm, FetchError, NoSuchFilmError, TmdbFilms
from movierating.catalogue.publication import Catalogues
from movierating.films.source import STAND_IN_HEADER, TMDB, invented_films
from movierating.films.tokens import MAX_CAST
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import ApiSettings, load_settings
from sandbox.s3.process import S3Server
from sandbox.tmdb.process import RunningStandIn
from tests.app.conftest import serving
from tests.support.bundles import Packed, put_into_production
from tests.support.catalogues import catalogue_file, korean_title
from tests.support.films import FILM, moment
from tests.support.running_async import run_async
from tests.support.slow_server import slow_server
from tests.support.stand_in import TMDB_KEY

TOKEN = "eyJhbGciOiJIUzI1NiJ9.a-token"
NEW = FILM | {"id": 900_777, "title": "Newcomer", "adult": False, "video": False}
NOT_FOUND = {"status_code": 34, "status_message": "The resource could not be found."}


@dataclass
class FakeTmdb:
    """A server with some films of TMDB.

    Attributes:
        answers: By path: the status, and what is sent as JSON, or as it is if it is bytes.
        source: The name of the source of the films.
        requested: The paths that were requested, and their headers.
    """

    url: str
    answers: dict[str, tuple[int, Any]]
    source: str = TMDB
    requested: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def add(self, film: dict[str, Any]) -> None:
        self.answers[f"/3/movie/{film['id']}"] = (200, film)


@contextmanager
def fake_tmdb() -> Iterator[FakeTmdb]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            fake.requested.append((self.path, dict(self.headers)))
            status, body = fake.answers.get(self.path.partition("?")[0], (404, NOT_FOUND))
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header(STAND_IN_HEADER, fake.source)
            self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the name in Python
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        fake = FakeTmdb(f"http://127.0.0.1:{server.server_port}/3", {})
        Thread(target=server.serve_forever, daemon=True).start()
        yield fake
        server.shutdown()


@pytest.fixture
def tmdb() -> Iterator[FakeTmdb]:
    with fake_tmdb() as fake:
        fake.add(NEW)
        yield fake


def settings_for(url: str, key: str = TOKEN) -> ApiSettings:
    return load_settings(ApiSettings, tmdb_base_url=url, tmdb_api_key=key, s3_bucket_name="none")


def fetched(url: str, film_id: int, key: str = TOKEN) -> FetchedFilm:
    return run_async(TmdbFilms(settings_for(url, key)).film(film_id))


@contextmanager
def serving_with_key(
    server: S3Server, packed: Packed, folder: Path, tmdb: FakeTmdb, **others: Any
) -> Iterator[TestClient]:
    """Run the API with a model, a catalogue and a key for TMDB."""
    settings = server.settings(
        server.new_bucket(), tmdb_base_url=tmdb.url, tmdb_api_key=TOKEN, **others
    )
    put_into_production(Registry(open_bucket(settings)), packed)
    Catalogues(open_bucket(settings)).publish(catalogue_file(folder), moment())
    with serving(settings, folder / "cache", translate=None) as (client, _):
        yield client


@pytest.fixture
def client(
    s3_server: S3Server, packed: Packed, tmp_path: Path, tmdb: FakeTmdb
) -> Iterator[TestClient]:
    with serving_with_key(s3_server, packed, tmp_path, tmdb) as client:
        yield client


def test_facts_are_those_of_the_film_as_tmdb_sends_it(tmdb_stand_in: RunningStandIn):
    url = tmdb_stand_in.base_url
    listed = requests.get(f"{url}/discover/movie", {"api_key": TMDB_KEY}, timeout=30).json()
    film_id = listed["results"][0]["id"]
    parts = {"append_to_response": "credits,keywords,release_dates", "api_key": TMDB_KEY}
    raw = requests.get(f"{url}/movie/{film_id}", parts, timeout=30).json()
    found = fetched(url, film_id, TMDB_KEY)
    sent = FilmFacts.model_validate(raw)
    facts = FilmFacts.model_validate(found.facts)
    names = set(FilmFacts.model_fields) - {"cast"}
    assert facts.model_dump(include=names) == sent.model_dump(include=names)
    assert facts.cast == sent.cast[:MAX_CAST]
    assert (found.source, found.film.title) == (tmdb_stand_in.source, raw["title"])
    assert found.film.votes == raw["vote_count"]
    assert found.film.rating == (raw["vote_average"] if raw["vote_count"] else None)


def test_film_is_requested_once_with_its_parts_and_kept(tmdb: FakeTmdb):
    part = NEW["keywords"]
    tmdb.add({name: value for name, value in NEW.items() if name != "keywords"})
    tmdb.answers["/3/movie/900777/keywords"] = (200, part)
    films = TmdbFilms(settings_for(tmdb.url))

    async def thrice() -> list[FetchedFilm]:
        together = await asyncio.gather(films.film(900_777), films.film(900_777))
        return [*together, await films.film(900_777)]

    first, second, third = run_async(thrice())
    assert first == second == third
    assert first.facts["keywords"] == [{"id": 5, "name": "lantern"}]
    whole, keywords = [path for path, _ in tmdb.requested]
    assert "append_to_response=credits%2Ckeywords%2Crelease_dates%2Ctranslations" in whole
    assert keywords == "/3/movie/900777/keywords"
    assert tmdb.requested[0][1]["Authorization"] == f"Bearer {TOKEN}"


def test_film_without_an_english_plot_has_its_korean_one(tmdb: FakeTmdb):
    tmdb.add(NEW | {"overview": "", **korean_title("새 영화", "등대지기의 이야기.")})
    found = fetched(tmdb.url, 900_777)
    assert found.facts["overview"] == "등대지기의 이야기."
    assert found.film.korean_title == "새 영화"


def test_film_that_the_catalogue_lacks_is_forecast(client: TestClient, tmdb: FakeTmdb):
    answer = client.post("/v1/predict", json={"tmdb_id": 900_777, "runtime": 61}).json()
    film = answer["film"]
    assert (film["id"], film["title"], film["origin"]) == (900_777, "Newcomer", "tmdb")
    assert film["overridden"] == ["runtime"]
    assert "overview" in film["taken"]
    shown = client.get("/v1/films/900777", params={"at_least": 7.5}).json()
    assert (shown["origin"], shown["title"], shown["forecasts"]) == ("tmdb", "Newcomer", [])
    own = shown["facts"] | {"runtime": 61}
    assert client.post("/v1/predict", json=own).json()["rating"] == answer["rating"]
    body = {"films": [{"tmdb_id": 900_777, "runtime": 61}, {"tmdb_id": 1}, {"tmdb_id": 404}]}
    new, listed, unknown = client.post("/v1/predict/batch", json=body).json()["results"]
    assert new["forecast"] == answer
    assert listed["forecast"]["film"]["origin"] == "catalogue"
    assert unknown["problem"]["errors"][0]["code"] == "unknown_film"
    paths = {path.partition("?")[0] for path, _ in tmdb.requested}
    assert {path for path in paths if path.count("/") == 3} == {"/3/movie/900777", "/3/movie/404"}


def test_film_without_a_release_date_is_to_come(client: TestClient, tmdb: FakeTmdb):
    tmdb.add(NEW | {"release_date": "", "release_dates": {"results": []}, "vote_count": 0})
    film = client.post("/v1/predict", json={"tmdb_id": 900_777}).json()["film"]
    assert (film["release_date"], film["status"]) == (None, "upcoming")
    shown = client.get("/v1/films/900777").json()
    assert (shown["release_date"], shown["rating"], shown["votes"]) == (None, None, 0)


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"adult": True}, "unsuitable_film", "TMDB's film 900777 is an adult film"),
        ({"video": True}, "unsuitable_film", "TMDB's film 900777 is a video"),
        ({"adult": None}, "unsuitable_film", "is an adult film"),
        ({"overview": "", "genres": []}, "plot_or_genre_missing", "TMDB and the request together"),
    ],
)
def test_film_that_is_not_forecast_is_refused(
    client: TestClient, tmdb: FakeTmdb, change: dict[str, Any], code: str, sentence: str
):
    tmdb.add(NEW | change)
    response = client.post("/v1/predict", json={"tmdb_id": 900_777})
    (error,) = response.json()["errors"]
    assert (response.status_code, error["code"]) == (422, code)
    assert sentence in error["message"]
    assert code in CODES
    if code == "unsuitable_film":
        shown = client.get("/v1/films/900777")
        assert (shown.status_code, sentence in shown.json()["detail"]) == (404, True)


def test_id_that_nobody_has_is_said_and_not_asked_again(client: TestClient, tmdb: FakeTmdb):
    responses = [client.post("/v1/predict", json={"tmdb_id": 404}) for _ in range(2)]
    sentence = "neither the film catalogue nor TMDB has a film 404"
    assert [each.json()["errors"][0]["message"] for each in responses] == [
        f"{sentence}; send the facts"
    ] * 2
    assert client.get("/v1/films/404").json()["detail"] == sentence
    assert len(tmdb.requested) == 1


@pytest.mark.parametrize("code", [6, 34])
def test_film_that_tmdb_does_not_have_is_no_outage(tmdb: FakeTmdb, code: int):
    tmdb.answers["/3/movie/404"] = (404, {"status_code": code})
    with pytest.raises(NoSuchFilmError, match="nor TMDB has a film 404"):
        fetched(tmdb.url, 404)


def test_id_that_tmdb_cannot_have_is_not_asked_for(tmdb: FakeTmdb):
    with pytest.raises(NoSuchFilmError, match="nor TMDB has a film 2147483648"):
        fetched(tmdb.url, 2**31)
    assert tmdb.requested == []


def test_pause_of_an_outage_is_stated_as_retry_after(client: TestClient, tmdb: FakeTmdb):
    for film_id in range(800_000, 800_003):
        tmdb.answers[f"/3/movie/{film_id}"] = (500, {})
        client.post("/v1/predict", json={"tmdb_id": film_id})
    response = client.post("/v1/predict", json={"tmdb_id": 900_777})
    assert response.status_code == 503
    seconds = response.headers["Retry-After"]
    assert (
        f"TMDB does not answer at present; send the request again in {seconds} s"
        in (response.json()["detail"])
    )
    assert int(seconds) > 5


def test_one_entry_that_the_api_refuses_takes_no_other_away_and_is_named(
    client: TestClient, tmdb: FakeTmdb
):
    cast = [{"id": 1, "name": "A" * 300, "order": 0}, {"id": 2, "name": "Jo Lindqvist", "order": 1}]
    crew = [{"id": 3, "name": "Ada Novak", "job": "Director", "department": "Directing"}]
    tmdb.add(NEW | {"credits": {"cast": cast, "crew": crew}, "title": "T" * 501})
    facts = client.get("/v1/films/900777").json()["facts"]
    assert facts["cast"] == [{"id": 2, "name": "Jo Lindqvist"}]
    assert facts["directors"] == [{"id": 3, "name": "Ada Novak"}]
    ignored = client.post("/v1/predict", json={"tmdb_id": 900_777}).json()["ignored"]
    reason = "a known value is outside the range that the API accepts; it is left out"
    assert {each["field"] for each in ignored if each["reason"] == reason} == {"cast", "title"}


def test_part_without_tmdbs_form_and_many_refused_entries_are_left_out():
    keywords = ["K" * 300] * 50
    facts, refused = read_usable({"genres": ["Drama"], "credits": [], "keywords": keywords})
    assert (facts.genres, facts.cast, facts.keywords) == (["Drama"], [], [])
    assert refused == {"credits", "keywords"}


@pytest.mark.parametrize("status", [400, 422])
def test_requests_that_tmdb_refuses_do_not_stop_the_others(tmdb: FakeTmdb, status: int):
    films = TmdbFilms(settings_for(tmdb.url))

    async def fetch_after_refusals() -> FetchedFilm:
        for film_id in range(1, 5):
            tmdb.answers[f"/3/movie/{film_id}"] = (status, {"status_code": 5})
            with pytest.raises(FetchError, match=f"TMDB answered HTTP {status} without a film"):
                await films.film(film_id)
        return await films.film(900_777)

    assert run_async(fetch_after_refusals()).film.title == "Newcomer"


@pytest.mark.parametrize("key", [TOKEN, TMDB_KEY])
@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ((500, {"status_code": 11}), "TMDB answered HTTP 500 without a film"),
        ((429, {"status_code": 25}), "TMDB answered HTTP 429 without a film"),
        ((401, {"status_code": 7}), "TMDB refuses the TMDB_API_KEY of this service"),
        ((200, b"<html>portal</html>"), "TMDB answered HTTP 200 without a film"),
        ((200, NEW | {"id": 5}), "TMDB sent another film"),
        ((302, {}), "TMDB answered HTTP 302 without a film"),
        ((200, b"[" * 5_000_000), "TMDB sent more than 4 MB"),
    ],
)
def test_unusable_answer_is_explained_without_the_key(
    tmdb: FakeTmdb,
    caplog: pytest.LogCaptureFixture,
    key: str,
    answer: tuple[int, Any],
    problem: str,
):
    tmdb.answers["/3/movie/900777"] = answer
    with caplog.at_level(logging.DEBUG), pytest.raises(FetchError) as raised:
        fetched(tmdb.url, 900_777, key)
    assert str(raised.value) == f"{problem}; send the request again later, or send the facts"
    assert problem in caplog.text
    assert key not in caplog.text
    assert raised.value.__cause__ is raised.value.__context__ is None


@pytest.mark.parametrize("key", [TOKEN, TMDB_KEY])
def test_tmdb_that_cannot_be_reached_is_explained_and_left_alone(
    caplog: pytest.LogCaptureFixture, key: str
):
    films = TmdbFilms(settings_for("http://127.0.0.1:9/3", key))

    async def problems() -> list[str]:
        found = []
        for film_id in range(1, 5):
            with pytest.raises(FetchError) as raised:
                await films.film(film_id)
            found.append(str(raised.value))
        return found

    with caplog.at_level(logging.DEBUG):
        *unreachable, last = run_async(problems())
    assert all(each.startswith("TMDB cannot be reached (Connect") for each in unreachable)
    assert last.startswith("TMDB does not answer at present; send the request again in ")
    assert key not in caplog.text


def test_request_for_a_film_has_a_time_limit(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SECONDS", 0.2)
    with slow_server() as url, pytest.raises(FetchError, match=r"did not answer within|reached"):
        fetched(f"{url}/3", 900_777)


def test_callers_together_cannot_make_the_service_a_crawler(
    client: TestClient, tmdb: FakeTmdb, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "PER_MINUTE", RateLimitItemPerMinute(3))
    ids = range(800_000, 800_010)
    for film_id in ids:
        tmdb.add(NEW | {"id": film_id})
    body = {"films": [{"tmdb_id": film_id} for film_id in ids]}
    rows = client.post("/v1/predict/batch", json=body).json()["results"]
    assert [row["forecast"] is not None for row in rows] == [True] * 3 + [False] * 7
    assert rows[3]["problem"]["status"] == 503
    assert "fetches at most 3 films a minute from TMDB" in rows[3]["problem"]["detail"]
    refused = client.post("/v1/predict", json={"tmdb_id": 900_777})
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/not-ready")
    assert f"again in {refused.headers['Retry-After']} s" in refused.json()["detail"]
    assert client.post("/v1/predict", json={"tmdb_id": ids[0]}).status_code == 200  # kept
    assert client.post("/v1/predict", json={"tmdb_id": 1}).status_code == 200  # in the catalogue


def test_films_of_another_source_than_the_models_are_refused(client: TestClient, tmdb: FakeTmdb):
    tmdb.source = invented_films("1a2b")
    response = client.post("/v1/predict", json={"tmdb_id": 900_777})
    assert (response.status_code, response.json()["type"]) == (409, "/problems/other-films")
    assert "TMDB_BASE_URL of this service serves invented films" in response.json()["detail"]
