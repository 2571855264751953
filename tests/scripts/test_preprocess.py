import json
import pickle
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from movierating.films.codes import Codes
from movierating.films.source import TMDB, invented_films
from movierating.films.tokens import MAX_CAST
from movierating.registry.bundle import CODES_NAME
from movierating.registry.manifest import MANIFEST_NAME
from movierating.registry.registry import Registry
from movierating.s3 import Bucket
from movierating.s3_errors import S3UnavailableError
from movierating.settings import Settings, load_settings
from scripts.collect import collect
from scripts.dataset.fame import FAME_COLUMNS
from scripts.dataset.table import NEW_COLUMNS, OLD_COLUMNS, read_cleaned
from scripts.preprocess import NothingToLearnError, preprocess
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataFileError, data_folder, read_json
from scripts.store.film_store import film_store
from tests.support.bundles import CODES, GENRES, LANGUAGES, RUN_DATE, Packed, put_into_production
from tests.support.films import collected, columns, moment, releases, tmdb_store
from tests.support.pipeline_run import Run


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(Settings, data_dir=str(tmp_path))


def cleaned(settings: Settings, *changes: dict[str, Any]) -> pd.DataFrame:
    """Preprocess a valid film (id 100), and one more film for each of `changes` (ids from 101).

    Args:
        settings: Settings that name the working folder.
        *changes: The fields in which each further film differs from the valid one.

    Returns:
        The preprocessed films as a data frame, indexed by film id.
    """
    differences: tuple[dict[str, Any], ...] = ({}, *changes)
    films = [{"id": 100 + at} | change for at, change in enumerate(differences)]
    collected(settings, *films)
    return read_cleaned(preprocess(RUN_DATE, settings)).set_index("id")


def other(settings: Settings, change: dict[str, Any]) -> dict[str, Any]:
    """Preprocess a film that differs from a valid film by `change`; return its cleaned row.

    Empty values are None.
    """
    row = cleaned(settings, change).loc[101].to_dict()
    return {str(name): None if pd.isna(value) else value for name, value in row.items()}


def report(settings: Settings) -> dict[str, Any]:
    found: dict[str, Any] = read_json(RunFiles(data_folder(settings), RUN_DATE).preprocess_report)
    return found


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [
        ({"release_date": ""}, "no release date"),
        ({"release_date": None}, "no release date"),
        ({"release_date": "2026-02-30"}, "no release date"),
        ({"runtime": 39}, "no feature film"),
        ({"runtime": 601}, "no feature film"),
        ({"runtime": 900}, "no feature film"),
        ({"adult": True}, "adult film"),
        ({"video": True}, "video"),
        ({"vote_count": 0}, "not rated yet"),
        ({"genres": None}, "broken genres"),
        ({"genres": "unexpected"}, "broken genres"),
        ({"genres": ["unexpected"]}, "broken genres"),
        ({"genres": [{"id": 80}]}, "broken genres"),
    ],
)
def test_unusable_film_is_dropped_and_its_reason_counted(
    settings: Settings, flaw: dict[str, Any], reason: str
):
    assert len(cleaned(settings, flaw, {})) == 2
    assert report(settings) == {
        "source": TMDB,
        "collected": 3,
        "kept": 2,
        "dropped": {reason: 1},
    }


def test_film_dropped_for_several_reasons_counts_under_each(settings: Settings):
    cleaned(settings, {"runtime": 5, "vote_count": 0}, {"release_date": "2026-11-24"})
    reasons = {"no feature film": 1, "not rated yet": 1, "not released yet": 1}
    assert report(settings)["dropped"] == reasons


def test_film_that_tmdb_deleted_is_never_trained_on(settings: Settings):
    collected(settings, {"id": 100}, {"id": 101})
    tmdb_store(settings).bury({101: moment(hour=13)})
    films = read_cleaned(preprocess(RUN_DATE, settings))
    assert films["id"].tolist() == [100]
    assert report(settings)["collected"] == 1


@pytest.mark.parametrize("day", ["2026-11-23", "1898-01-01"])
def test_film_released_up_to_the_run_date_is_kept(settings: Settings, day: str):
    assert cleaned(settings, {"release_date": day})["release_date"].tolist().count(day) == 1


def test_release_is_the_first_one_in_any_country(settings: Settings):
    premiere = {"release_dates": releases(("IT", 1, "2026-09-03"), ("KR", 3, "2027-01-15"))}
    frame = cleaned(
        settings,
        premiere | {"release_date": "2027-01-15"},
        premiere | {"release_date": ""},
        {"release_date": "2027-01-15", "release_dates": releases(("KR", 3, "2027-01-15"))},
    )
    assert frame["release_date"].to_dict() == {
        100: "2026-10-01",
        101: "2026-09-03",
        102: "2026-09-03",
    }
    assert report(settings)["dropped"] == {"not released yet": 1}


def test_run_without_usable_films_is_reported(settings: Settings):
    files = RunFiles(data_folder(settings), RUN_DATE)
    collected(settings, {"vote_count": 0})
    with pytest.raises(NothingToLearnError, match=r"rated by 2026-11-23: {'not rated yet': 1}"):
        preprocess(RUN_DATE, settings)
    assert not files.cleaned.exists()


def test_run_before_the_stores_first_ratings_names_the_first_possible_date(settings: Settings):
    past = date(2025, 1, 1)
    collected(settings, {"id": 1}, {"id": 2}, day=date(2026, 11, 20))
    collect(past, settings)  # sends no request for a past date
    sentence = (
        r"no film of the store was rated by 2025-01-01, because the store's ratings begin on "
        r"2026-11-20, and TMDB gives no earlier ones; choose 2026-11-20 or a later date$"
    )
    with pytest.raises(NothingToLearnError, match=sentence):
        preprocess(past, settings)


def test_ratings_are_those_known_on_the_run_date(settings: Settings):
    collected(settings, {"vote_average": 6.0, "vote_count": 20}, day=date(2026, 11, 20))
    later = columns({"vote_average": 9.0, "vote_count": 500}, day=date(2026, 11, 24))
    tmdb_store(settings).add(later)
    row = read_cleaned(preprocess(RUN_DATE, settings)).iloc[0]
    assert (row["vote_average"], row["vote_count"]) == (6.0, 20)


def test_film_not_yet_known_on_the_run_date_is_dropped(settings: Settings):
    collected(settings, {"id": 1})
    tmdb_store(settings).add(columns({"id": 2}, day=date(2026, 11, 24)))
    assert read_cleaned(preprocess(RUN_DATE, settings))["id"].tolist() == [1]
    assert report(settings)["dropped"] == {"not rated yet": 1}


def test_missing_file_names_the_step_to_run_first(settings: Settings):
    with pytest.raises(DataFileError, match="is missing; run collect for 2026-11-23 first"):
        preprocess(RUN_DATE, settings)


@pytest.mark.parametrize(
    ("translations", "told"),
    [
        ([{"iso_639_1": "ko", "data": {"overview": " 등대지기의 편지. "}}], "등대지기의 편지."),
        ([{"iso_639_1": "ja", "data": {"overview": "手紙"}}], None),
        ([{"iso_639_1": "ko", "data": {"overview": ""}}], None),
        ([{"iso_639_1": "ko"}, "ko"], None),
        ([], None),
    ],
)
def test_korean_plot_is_a_column_of_its_own(
    settings: Settings, translations: list[Any], told: str | None
):
    row = other(settings, {"translations": {"translations": translations}})
    assert row["overview_ko"] == told
    assert row["overview"]


def test_fame_is_the_last_one_from_before_the_release(settings: Settings):
    store = tmdb_store(settings)
    for day, popularity in ((date(2026, 9, 20), 4.0), (date(2026, 9, 30), 9.0)):
        store.add(columns({"id": 1, "popularity": popularity}, day=day))
    collected(settings, {"id": 1, "popularity": 99.0})
    row = cleaned(settings).loc[1]
    assert (row["fame_recorded_on"], row["fame_popularity"]) == ("2026-09-30", 9.0)
    assert (row["fame_votes"], row["fame_countries"]) == (60, 0)


def test_columns_of_the_old_system_come_first(settings: Settings):
    cleaned(settings)
    path = RunFiles(data_folder(settings), RUN_DATE).cleaned
    assert path.name == "movies_cleaned_2026-11-23.csv"
    frame = pd.read_csv(path, encoding="utf-8-sig")
    assert tuple(frame.columns) == OLD_COLUMNS + NEW_COLUMNS
    assert len(OLD_COLUMNS) == 12


def test_row_has_the_facts_of_its_film(settings: Settings):
    row = other(settings, {})
    assert row.pop("overview_sentiment") > 0.1
    assert row.pop("overview_subjectivity") > 0.5
    assert row.pop("overview_ko") is None
    assert {row.pop(name) for name in FAME_COLUMNS} == {None}
    assert row == {
        "title": "The Lantern",
        "budget": 5_000_000,
        "revenue": 7_000_000,
        "runtime": 101,
        "vote_count": 60,
        "vote_average": 7.25,
        "release_year": 2026,
        "genre_encoded": 0,
        "lang_encoded": 0,
        "overview_len": 30,
        "release_date": "2026-10-01",
        "original_language": "ko",
        "franchise": None,
        "franchise_id": None,
        "overview": "A wonderful tale of a lantern.",
        "genres": '["Crime", "Drama"]',
        "countries": '["KR"]',
        "directors": "[]",
        "writers": "[]",
        "cast": '[[3, "Kim"]]',
        "companies": '[[7, "Lantern Films"]]',
        "keywords": '[[5, "lantern"]]',
    }


def test_people_are_directors_writers_and_lead_actors(settings: Settings):
    crew = [
        {"id": 1, "name": "Ada Novak", "department": "Directing", "job": "Director"},
        {"id": 2, "name": "Jo Lindqvist", "department": "Directing", "job": "Script Supervisor"},
        {"id": 3, "name": "Kim Minseo", "department": "Writing", "job": "Screenplay"},
        {"id": 1, "name": "Ada Novak", "department": "Writing", "job": "Story"},
        {"id": 3, "name": "Kim Minseo", "department": "Writing", "job": "Novel"},
        {"id": 4, "name": "Pat Moreau", "department": "Sound", "job": "Mixer"},
    ]
    order = [3, 0, 5, 1, 6, 2, 4]
    cast = [{"id": 10 + at, "name": f"Lead {at}", "order": at} for at in order]
    credits_ = {"cast": cast, "crew": crew}
    row = other(settings, {"credits": credits_})
    assert json.loads(row["directors"]) == [[1, "Ada Novak"]]
    assert json.loads(row["writers"]) == [[3, "Kim Minseo"], [1, "Ada Novak"]]
    assert json.loads(row["cast"]) == [[10 + at, f"Lead {at}"] for at in range(MAX_CAST)]


def test_companies_collection_and_keywords_have_ids_and_countries_are_codes(settings: Settings):
    row = other(
        settings,
        {
            "production_companies": [{"id": 1, "name": "One"}, {"id": 2, "name": "Two"}],
            "production_countries": [
                {"iso_3166_1": "FR", "name": "France"},
                {"iso_3166_1": "KR", "name": "South Korea"},
            ],
            "belongs_to_collection": {"id": 9, "name": "The Lanterns", "poster_path": None},
            "keywords": {"keywords": [{"id": 1, "name": "island"}, {"id": 2, "name": "storm"}]},
        },
    )
    assert json.loads(row["companies"]) == [[1, "One"], [2, "Two"]]
    assert json.loads(row["countries"]) == ["FR", "KR"]
    assert (row["franchise"], row["franchise_id"]) == ("The Lanterns", 9)
    assert json.loads(row["keywords"]) == [[1, "island"], [2, "storm"]]


@pytest.mark.parametrize(
    ("fact", "value", "columns"),
    [
        ("credits", None, ["directors", "writers", "cast"]),
        ("credits", {"cast": [], "crew": []}, ["directors", "writers", "cast"]),
        ("credits", [], ["directors", "writers", "cast"]),
        ("production_companies", None, ["companies"]),
        ("production_companies", [], ["companies"]),
        ("production_companies", "unexpected", ["companies"]),
        ("production_companies", [{"id": 7, "name": ""}], ["companies"]),
        ("production_countries", [{"name": "Nowhere"}], ["countries"]),
        ("keywords", None, ["keywords"]),
        ("keywords", {"keywords": []}, ["keywords"]),
    ],
)
def test_unknown_names_are_an_empty_list(
    settings: Settings, fact: str, value: Any, columns: list[str]
):
    row = other(settings, {fact: value})
    assert [row[column] for column in columns] == ["[]"] * len(columns)


def test_names_are_stripped_as_in_the_service(settings: Settings):
    row = other(
        settings,
        {
            "title": " The Lantern\n",
            "production_companies": [{"id": 1, "name": "\u00a0Check Entertainment"}],
            "keywords": {"keywords": [{"id": 1, "name": "archeology\u00a0"}]},
            "belongs_to_collection": {"id": 1, "name": "Lanterns "},
        },
    )
    assert json.loads(row["companies"]) == [[1, "Check Entertainment"]]
    assert json.loads(row["keywords"]) == [[1, "archeology"]]
    assert (row["title"], row["franchise"]) == ("The Lantern", "Lanterns")


@pytest.mark.parametrize(
    "cast",
    [
        [{"name": "A"}, {"name": "B"}],
        [{"name": "B", "order": None}, {"name": "A", "order": 0}],
        [{"name": "B", "order": "first"}, {"name": "A", "order": 0}],
        [None, {"name": "A"}, 7, {"name": None}],
    ],
)
def test_malformed_cast_drops_no_film(settings: Settings, cast: list[Any]):
    row = other(settings, {"credits": {"cast": cast, "crew": []}})
    assert "A" in json.loads(row["cast"])


@pytest.mark.parametrize(
    "change",
    [
        {"credits": {"cast": [], "crew": None}},
        {"credits": {"cast": [], "crew": "unexpected"}},
        {"credits": {"cast": [], "crew": [None]}},
        {"keywords": {"keywords": [None, "unexpected"]}},
        {"production_companies": [None, "unexpected"]},
        {"belongs_to_collection": {"id": 1, "name": ""}},
    ],
)
def test_malformed_names_drop_no_film(settings: Settings, change: dict[str, Any]):
    assert len(cleaned(settings, change)) == 2


@pytest.mark.parametrize(
    ("fact", "unknown", "columns"),
    [
        ("runtime", 0, ["runtime"]),
        ("runtime", None, ["runtime"]),
        ("budget", 0, ["budget"]),
        ("revenue", 0, ["revenue"]),
        ("overview", "", ["overview", "overview_len", "overview_sentiment"]),
        ("overview", "등불 이야기", ["overview", "overview_len", "overview_subjectivity"]),
        ("original_language", "", ["original_language"]),
    ],
)
def test_unknown_fact_is_empty_and_not_zero(
    settings: Settings, fact: str, unknown: Any, columns: list[str]
):
    frame = cleaned(settings, {fact: unknown})
    assert frame.loc[101, columns].isna().all()
    assert frame.loc[100, columns].notna().all()


def test_unknown_genre_and_language_have_the_code_minus_one(settings: Settings):
    row = cleaned(settings, {"genres": [], "original_language": ""}).loc[101]
    assert (row["genre_encoded"], row["lang_encoded"]) == (-1, -1)


def test_new_code_tables_list_the_most_frequent_first(settings: Settings):
    horror = {"genres": [{"id": 27, "name": "Horror"}], "original_language": "en"}
    cleaned(settings, horror, horror)
    codes = Codes.from_json(read_json(RunFiles(data_folder(settings), RUN_DATE).codes))
    assert codes.genres.names == ("Horror", "Crime", "Drama")  # main genres come first
    assert codes.languages.names == ("en", "ko")


def test_code_tables_extend_those_in_production(
    bucket_settings: Settings, registry: Registry, packed: Packed
):
    put_into_production(registry, packed)
    frame = cleaned(bucket_settings, {"original_language": "fr"})
    codes = Codes.from_json(read_json(RunFiles(data_folder(bucket_settings), RUN_DATE).codes))
    assert codes.genres.names == (*GENRES, "Crime")
    assert codes.languages.names == (*LANGUAGES, "fr")
    assert frame["lang_encoded"].to_dict() == {100: CODES.languages.code("ko"), 101: 3}


@pytest.mark.parametrize("damaged", [CODES_NAME, MANIFEST_NAME])
def test_champion_that_cannot_be_read_does_not_stop_a_run(
    bucket_settings: Settings,
    registry: Registry,
    bucket: Bucket,
    packed: Packed,
    newer: Packed,
    caplog: pytest.LogCaptureFixture,
    damaged: str,
):
    put_into_production(registry, newer, over=put_into_production(registry, packed))
    bucket.put(f"models/versions/{newer.manifest.version}/{damaged}", b"altered")
    cleaned(bucket_settings)
    codes = Codes.from_json(read_json(RunFiles(data_folder(bucket_settings), RUN_DATE).codes))
    assert codes.languages.names == LANGUAGES
    assert "the codes of the model in production cannot be read" in caplog.text


def test_films_are_those_of_the_source_that_the_run_collected(settings: Settings):
    film_store(settings, invented_films("1a2b")).add(columns({"id": 7}))
    frame = cleaned(settings)
    assert frame.index.tolist() == [100]
    assert report(settings)["source"] == TMDB


def test_report_of_another_version_names_what_to_do(settings: Settings):
    collected(settings, {"id": 1})
    files = RunFiles(data_folder(settings), RUN_DATE)
    for raw, problem in ((b"{}", "does not have 'source'"), (b"{", "is damaged")):
        files.collect_report.write_bytes(raw)
        with pytest.raises(DataFileError, match=f"{problem}; run collect for 2026-11-23 again"):
            preprocess(RUN_DATE, settings)


def test_failed_run_leaves_no_cleaned_file_of_other_films(settings: Settings):
    cleaned(settings)
    collected(settings, *({"id": film_id, "adult": True} for film_id in (100,)))
    tmdb_store(settings).add(columns({"id": 100, "adult": True}, hour=13))
    with pytest.raises(NothingToLearnError):
        preprocess(RUN_DATE, settings)
    assert not RunFiles(data_folder(settings), RUN_DATE).cleaned.exists()


def test_unusable_bucket_leaves_no_cleaned_file(bucket_settings: Settings):
    missing = bucket_settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})
    with pytest.raises(S3UnavailableError, match="S3_BUCKET_NAME"):
        cleaned(missing)
    assert not RunFiles(data_folder(missing), RUN_DATE).cleaned.exists()


def test_encoders_give_the_codes_of_the_cleaned_file(
    settings: Settings,
):
    frame = cleaned(settings, {"original_language": "fr"}, {"original_language": "en"})
    pickled = (data_folder(settings) / "original_language_encoder.pkl").read_bytes()
    encoder = pickle.loads(pickled)
    names = frame[["original_language"]].to_numpy(dtype=object)
    assert encoder.transform(names).ravel().tolist() == frame["lang_encoded"].tolist()
    assert encoder.transform([["tlh"]]).tolist() == [[-1]]
    genres = pickle.loads((data_folder(settings) / "main_genre_encoder.pkl").read_bytes())
    assert genres.transform([["Crime"], ["Puppetry"]]).tolist() == [[0], [-1]]


def test_code_table_without_names_has_an_encoder(settings: Settings):
    collected(settings, {"genres": [], "original_language": ""})
    preprocess(RUN_DATE, settings)
    encoder = pickle.loads((data_folder(settings) / "main_genre_encoder.pkl").read_bytes())
    assert encoder.transform([["Crime"]]).tolist() == [[-1]]


def test_text_with_a_bare_carriage_return_stays_in_its_row_and_gets_a_space(settings: Settings):
    frame = cleaned(settings, {"title": "The\rLantern", "overview": "Lovely.\rNice."})
    assert frame.loc[101, "title"] == "The Lantern"
    assert frame.loc[101, "overview_len"] == 13
    assert frame.loc[101, "overview"] == "Lovely. Nice."


def test_gaps_of_the_synthetic_films_are_handled(run: Run):
    counted = read_json(run.files.preprocess_report)
    assert counted["collected"] == run.settings.collect_max_films == 1000
    assert counted["kept"] + sum(counted["dropped"].values()) >= 1000
    assert counted["kept"] > 870
    frame = read_cleaned(run.files.cleaned)
    for column in ("runtime", "overview_len", "budget"):
        assert frame[column].isna().any(), f"no film of the world lacks {column}"
        assert frame[column].min() > 0
    for column in ("genres", "companies", "keywords"):
        assert frame[column].eq("[]").any(), f"every film of the world has {column}"
    for column in ("directors", "writers", "cast", "companies", "countries", "keywords"):
        assert frame[column].ne("[]").mean() > 0.5
    assert frame["franchise"].notna().any()
    assert json.loads(run.files.codes.read_bytes())["genres"]
