import csv
import json
import os
import time
from datetime import date
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from movierating.settings import Settings
from sandbox.tmdb.process import RunningStandIn
from scripts import collect as module
from scripts import tmdb as tmdb_module
from scripts.collect import (
    FIELDS,
    MIN_VOTES,
    NothingCollectedError,
    collect,
    film_ids,
    main,
    newest_rated,
    write_films,
)
from scripts.files import DataFileError, RunFiles
from scripts.preprocess import read_raw
from scripts.tmdb import Tmdb, TmdbError, TmdbUnavailableError
from tests.bundles import RUN_DATE
from tests.stand_in import TMDB_KEY, unpaced

FILMS = 30
EARLY = date(2005, 9, 30)  # about a hundred rated films of the synthetic world opened before


@pytest.fixture
def settings(tmdb_stand_in: RunningStandIn, tmp_path: Path) -> Settings:
    tmdb_stand_in.forget()
    return unpaced(tmdb_stand_in.base_url, tmp_path / "data", collect_max_films=FILMS)


@pytest.fixture
def files(settings: Settings) -> RunFiles:
    return RunFiles(settings.data_path, RUN_DATE)


@pytest.fixture
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_file_holds_the_26_fields_of_each_film_as_tmdb_gave_them(
    settings: Settings, tmdb_stand_in: RunningStandIn
):
    path = collect(RUN_DATE, settings)
    assert path.name == "movies_2026-11-23.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    collected = rows(path)
    assert len(FIELDS) == len(set(FIELDS)) == 26
    assert tuple(collected[0]) == FIELDS
    for row in (collected[0], collected[-1]):
        url = f"{tmdb_stand_in.base_url}/movie/{row['id']}"
        film = requests.get(url, params={"api_key": TMDB_KEY}, timeout=10).json()
        assert film.keys() == row.keys()
        assert row["title"] == film["title"]
        assert row["overview"] == film["overview"]
        assert json.loads(row["genres"]) == film["genres"]
        assert float(row["vote_average"]) == film["vote_average"]


def test_as_many_films_as_allowed_and_each_once(settings: Settings):
    ids = [row["id"] for row in rows(collect(RUN_DATE, settings))]
    assert len(ids) == len(set(ids)) == FILMS


def test_popular_films_come_first_then_the_newest_with_enough_votes(settings: Settings):
    with Tmdb(settings) as tmdb:
        ids = list(film_ids(tmdb, RUN_DATE, FILMS))
        popular = [film["id"] for film in tmdb.get("/movie/popular")["results"]]
        later = list(tmdb.details(ids[6:]))
    assert ids[:6] == popular[:6]
    assert all(film["vote_count"] >= MIN_VOTES for film in later)
    opened = [film["release_date"] for film in later]
    assert opened == sorted(opened, reverse=True)
    assert opened[0] <= RUN_DATE.isoformat()


def test_film_in_both_lists_is_taken_once(settings: Settings):
    with Tmdb(settings) as tmdb:
        popular = {film["id"] for film in islice(tmdb.pages("/movie/popular"), 80)}
        newest = {film["id"] for film in islice(newest_rated(tmdb, RUN_DATE), 320)}
        ids = list(film_ids(tmdb, RUN_DATE, 400))
    assert popular & newest
    assert len(ids) == len(set(ids)) == 400


@pytest.mark.parametrize("limit", [1, 2, 5, 21])
def test_small_limits_are_kept(settings: Settings, limit: int):
    with Tmdb(settings) as tmdb:
        assert len(list(film_ids(tmdb, RUN_DATE, limit))) == limit


def test_past_run_collects_no_film_of_its_future_but_popular_ones(settings: Settings):
    with Tmdb(settings) as tmdb:
        newest = next(newest_rated(tmdb, date(2020, 6, 30)))
    assert newest["release_date"] <= "2020-06-30"


def test_rated_films_go_on_by_date_past_the_last_page(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    with Tmdb(settings) as tmdb:
        whole = [film["id"] for film in newest_rated(tmdb, EARLY)]
        monkeypatch.setattr(tmdb_module, "MAX_PAGE", 1)
        monkeypatch.setattr(module, "MAX_PAGE", 1)
        in_parts = [film["id"] for film in newest_rated(tmdb, EARLY)]
    assert len(whole) > 3 * tmdb_module.PAGE_SIZE
    assert list(dict.fromkeys(in_parts)) == whole


def test_more_films_of_one_day_than_pages_end_the_list(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    def one_day(*_: Any, **__: Any) -> Any:
        return ({"id": number, "release_date": "2026-11-23"} for number in range(20))

    monkeypatch.setattr(module, "MAX_PAGE", 1)
    with Tmdb(settings) as tmdb:
        monkeypatch.setattr(tmdb, "pages", one_day)
        assert len(list(newest_rated(tmdb, RUN_DATE))) == 20


def test_rerun_keeps_the_snapshot_and_asks_nothing(
    settings: Settings, tmdb_stand_in: RunningStandIn
):
    before = collect(RUN_DATE, settings).read_bytes()
    tmdb_stand_in.forget()
    assert collect(RUN_DATE, settings).read_bytes() == before
    assert tmdb_stand_in.stats()["requests"] == 0


@pytest.mark.parametrize(
    "change",
    [{"collect_max_films": FILMS + 1}, {"tmdb_catalogue": "others.parquet"}],
    ids=lambda change: next(iter(change)),
)
def test_another_source_is_collected_anew(
    settings: Settings, tmdb_stand_in: RunningStandIn, change: dict[str, Any]
):
    collect(RUN_DATE, settings)
    tmdb_stand_in.forget()
    path = collect(RUN_DATE, settings.model_copy(update=change))
    assert tmdb_stand_in.stats()["requests"] > FILMS
    assert len(rows(path)) == change.get("collect_max_films", FILMS)


def test_snapshot_of_another_date_is_left_alone(settings: Settings, files: RunFiles):
    collect(RUN_DATE, settings)
    before = files.raw.read_bytes()
    collect(date(2026, 11, 22), settings)
    assert files.raw.read_bytes() == before


def test_content_older_than_tmdb_lets_anyone_keep_is_deleted(settings: Settings, files: RunFiles):
    files.folder.mkdir()
    ages = {"movies_2026-05-01.csv": 181, "movies_cleaned_2026-05-01.csv": 181, "b.csv": 181}
    for name, days in (ages | {"movies_2026-06-01.csv": 179}).items():
        (files.folder / name).touch()
        written = time.time() - days * 86_400
        os.utime(files.folder / name, (written, written))
    collect(RUN_DATE, settings)
    left = {path.name for path in files.folder.iterdir()} - {files.raw.name, files.source.name}
    assert left == {"b.csv", "movies_2026-06-01.csv"}


@pytest.mark.usefixtures("_no_waiting")
@pytest.mark.parametrize("kind", ["500", "cut", "not_json"])
def test_failure_midway_leaves_nothing_half_written(
    settings: Settings, files: RunFiles, tmdb_stand_in: RunningStandIn, kind: str
):
    with (
        tmdb_stand_in.faults({"kind": kind, "share": 0.9, "path": "/3/movie/1"}),
        pytest.raises(TmdbUnavailableError),
    ):
        collect(RUN_DATE, settings)
    assert list(files.folder.iterdir()) == []


@pytest.mark.usefixtures("_no_waiting")
def test_failure_midway_keeps_the_snapshot_there_was(
    settings: Settings, files: RunFiles, tmdb_stand_in: RunningStandIn
):
    collect(RUN_DATE, settings)
    before = {path.name: path.read_bytes() for path in files.folder.iterdir()}
    more = settings.model_copy(update={"collect_max_films": FILMS + 1})
    with (
        tmdb_stand_in.faults({"kind": "500", "path": "/3/movie/1"}),
        pytest.raises(TmdbUnavailableError),
    ):
        collect(RUN_DATE, more)
    assert {path.name: path.read_bytes() for path in files.folder.iterdir()} == before


@pytest.mark.usefixtures("_no_waiting")
def test_many_passing_faults_are_survived(settings: Settings, tmdb_stand_in: RunningStandIn):
    kinds = ("429", "429_retry_after", "500", "503", "cut", "truncated", "not_json")
    with tmdb_stand_in.faults(*({"kind": kind, "share": 0.05} for kind in kinds)):
        assert len(rows(collect(RUN_DATE, settings))) == FILMS


@pytest.mark.parametrize("kind", ["missing_field", "wrong_type"])
@pytest.mark.parametrize("field", ["runtime", "genres", "release_date", "overview"])
def test_film_in_another_form_is_collected_as_it_is(
    settings: Settings, tmdb_stand_in: RunningStandIn, kind: str, field: str
):
    with tmdb_stand_in.faults({"kind": kind, "field": field, "path": "/3/movie/1"}):
        collected = rows(collect(RUN_DATE, settings))
    assert len(collected) == FILMS
    assert {row[field] for row in collected} <= {"", "unexpected", '["unexpected"]'}


def test_answer_without_films_is_one_sentence(
    settings: Settings, files: RunFiles, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Tmdb, "pages", lambda *_, **__: iter(()))
    with pytest.raises(NothingCollectedError, match="check TMDB_BASE_URL and the date"):
        collect(RUN_DATE, settings)
    assert list(files.folder.iterdir()) == []


def test_folder_that_cannot_be_written_is_found_before_anything_is_asked(
    settings: Settings, tmdb_stand_in: RunningStandIn, tmp_path: Path
):
    (tmp_path / "a file").touch()
    unwritable = settings.model_copy(update={"data_dir": str(tmp_path / "a file" / "data")})
    with pytest.raises(DataFileError, match=r"cannot be written .*; change DATA_DIR"):
        collect(RUN_DATE, unwritable)
    assert tmdb_stand_in.stats()["requests"] == 0


def test_refused_key_is_one_sentence_without_the_key(
    settings: Settings, tmdb_stand_in: RunningStandIn
):
    with tmdb_stand_in.revoked(TMDB_KEY), pytest.raises(TmdbError, match="check TMDB_API_KEY") as e:
        collect(RUN_DATE, settings)
    assert TMDB_KEY not in str(e.value)


def test_command_line_ends_with_one_sentence_and_not_zero(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
):
    monkeypatch.setattr(module, "get_settings", lambda: unpaced("http://127.0.0.1:1/3", tmp_path))
    monkeypatch.setattr(time, "sleep", lambda _: None)
    assert main(["--date", "2026-11-23"]) == 1
    assert "check TMDB_BASE_URL and the network" in caplog.records[-1].getMessage()
    assert caplog.records[-1].exc_info is None


# A NUL is in no answer of TMDB's: JSON carries it only escaped, and the parser of CSV ends at it.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
texts |= st.sampled_from(["a\rb", "a\r\nb", "\n", '"', ",", "NA", "null", "\u2028", " \t"])


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=4))
def test_every_text_survives_the_file(plots: list[tuple[str, str]]):
    films = [
        {"id": number, "title": title, "overview": overview, "runtime": 100, "genres": []}
        for number, (title, overview) in enumerate(plots, start=1)
    ]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "films.csv"
        write_films(path, films)
        frame = read_raw(path)
    assert list(zip(frame["title"], frame["overview"], strict=True)) == plots
