import re
from pathlib import Path

import pytest

from movierating.ledger.ledger import TRACK_RECORD_KEY, UPCOMING_KEY, ForecastLedger, LedgerError
from movierating.ledger.records import Upcoming, UpcomingFilm
from movierating.s3 import open_bucket
from movierating.settings import Settings
from scripts.export import NothingForecastError, coming_soon_page, export, main, track_record_page
from scripts.ledger.track_record import track_record
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import forecast, scored

SVG = "http://www.w3.org/2000/svg"  # a name, not an address
POSTERS = "https://pictures.example"


def upcoming(*films: UpcomingFilm) -> Upcoming:
    return Upcoming(as_of=RUN_DATE, films=films)


def read(page: str) -> str:
    """What a person reads."""
    text = re.sub("<style>.*?</style>|<[^>]+>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", text)


def test_film_to_come_stands_with_interval_reasons_and_change():
    page = coming_soon_page(upcoming(UpcomingFilm(forecast=forecast(), week_ago=6.0)), None)
    assert "Film 1 2026-12-03 6.50 5.50 – 7.50 +0.50 genre +0.30, people -0.10" in read(page)


def test_film_without_a_forecast_last_week_is_new():
    page = coming_soon_page(upcoming(UpcomingFilm(forecast=forecast(), week_ago=None)), None)
    assert "new genre" in read(page)


@pytest.mark.parametrize(("posters", "shown"), [(None, False), (POSTERS, True)])
def test_poster_is_shown_by_its_address_where_there_is_one(posters: str | None, shown: bool):
    film = UpcomingFilm(forecast=forecast(poster_path="/lantern.jpg"), week_ago=None)
    page = coming_soon_page(upcoming(film), posters)
    assert (f"{POSTERS}/lantern.jpg" in page) == shown
    assert ("<img" in page) == shown


def test_title_is_text_and_nothing_else():
    film = UpcomingFilm(forecast=forecast(title="<script>alert(1)</script>"), week_ago=None)
    page = coming_soon_page(upcoming(film), None)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_track_record_shows_misses_hits_and_baselines():
    scores = [scored(at, actual=6.5 + at / 10) for at in range(20)]
    page = read(track_record_page(track_record(scores, RUN_DATE, 50)))
    assert "20 films: RMSE 1.11, bias -0.95" in page
    assert page.index("The worst misses") < page.index("Film 19 ") < page.index("The best hits")
    assert page.index("The best hits") < page.index("Film 0 ")
    assert "recent mean" in page


def test_curve_has_a_line_for_the_forecasts_and_each_baseline():
    scores = [scored(at, release_date=RUN_DATE.replace(month=6 + at)) for at in range(4)]
    page = track_record_page(track_record(scores, RUN_DATE, 50))
    assert page.count("<polyline") == 4


def test_alerts_stand_on_the_track_record():
    record = track_record([scored(1)], RUN_DATE, 50)
    page = track_record_page(record.model_copy(update={"alerts": ("genres changed",)}))
    assert "Alert: genres changed" in read(page)


def test_pages_without_films_say_so():
    assert "No film with a known release date" in coming_soon_page(upcoming(), None)
    assert "No forecast has come due" in track_record_page(track_record([], RUN_DATE, 50))


@pytest.fixture
def settings(bucket_settings: Settings) -> Settings:
    ledger = ForecastLedger(open_bucket(bucket_settings))
    ledger.show(UPCOMING_KEY, upcoming(UpcomingFilm(forecast=forecast(), week_ago=None)))
    ledger.show(TRACK_RECORD_KEY, track_record([scored(1)], RUN_DATE, 50))
    return bucket_settings


def test_both_pages_are_written_and_need_nothing_else(settings: Settings, tmp_path: Path):
    export(tmp_path / "site", settings)
    pages = {path.name: path.read_text("utf-8") for path in (tmp_path / "site").iterdir()}
    assert set(pages) == {"coming_soon.html", "track_record.html"}
    for page in pages.values():
        links = re.findall(r'(?:href|src)="([^"]+)"', page)
        assert set(links) == set(pages)
        assert "not endorsed or certified by TMDB" in page
        assert not re.search(r"https?://|@import|url\(|<script|<link", page.replace(SVG, ""))


def test_empty_ledger_is_told_in_one_sentence(bucket_settings: Settings, tmp_path: Path):
    with pytest.raises(NothingForecastError, match="run forecast and score first"):
        export(tmp_path, bucket_settings)


def test_unreadable_view_is_named(settings: Settings, tmp_path: Path):
    open_bucket(settings).put(UPCOMING_KEY, b"{}")
    with pytest.raises(LedgerError, match=r"views/upcoming.json"):
        export(tmp_path, settings)


def test_command_line_writes_where_it_is_told(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("scripts.export.pipeline_settings", lambda: settings)
    assert main(["--folder", str(tmp_path / "site")]) == 0
    assert (tmp_path / "site" / "coming_soon.html").is_file()
