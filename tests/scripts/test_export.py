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

SVG = "http://www.w3.org/2000/svg"  # an XML namespace; browsers load nothing from this address
POSTERS = "https://pictures.example"


def upcoming(*films: UpcomingFilm) -> Upcoming:
    return Upcoming(as_of=RUN_DATE, films=films)


def visible_text(page: str) -> str:
    """Return the text of an HTML page without tags and styles, with single spaces."""
    text = re.sub("<style>.*?</style>|<[^>]+>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", text)


def test_upcoming_film_is_listed_with_interval_change_and_reasons():
    page = coming_soon_page(upcoming(UpcomingFilm(forecast=forecast(), week_ago=6.0)), None)
    assert "Film 1 2026-12-03 6.50 5.50 – 7.50 +0.50 genre +0.30, people -0.10" in visible_text(
        page
    )


def test_film_without_a_forecast_a_week_ago_is_new():
    page = coming_soon_page(upcoming(UpcomingFilm(forecast=forecast(), week_ago=None)), None)
    assert "new genre" in visible_text(page)


@pytest.mark.parametrize(("posters", "shown"), [(None, False), (POSTERS, True)])
def test_poster_is_shown_only_with_a_base_url(posters: str | None, shown: bool):
    film = UpcomingFilm(forecast=forecast(poster_path="/lantern.jpg"), week_ago=None)
    page = coming_soon_page(upcoming(film), posters)
    assert (f"{POSTERS}/lantern.jpg" in page) == shown
    assert ("<img" in page) == shown


def test_markup_in_a_title_is_escaped():
    film = UpcomingFilm(forecast=forecast(title="<script>alert(1)</script>"), week_ago=None)
    page = coming_soon_page(upcoming(film), None)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_track_record_lists_worst_and_best_forecasts_and_baselines():
    scores = [scored(at, actual=6.5 + at / 10) for at in range(20)]
    page = visible_text(track_record_page(track_record(scores, RUN_DATE, 50)))
    assert "20 films: RMSE 1.11, bias -0.95" in page
    assert page.index("Worst forecasts") < page.index("Film 19 ") < page.index("Best forecasts")
    assert page.index("Best forecasts") < page.index("Film 0 ")
    assert "recent mean" in page


def test_chart_has_a_line_for_the_forecasts_and_each_baseline():
    scores = [scored(at, release_date=RUN_DATE.replace(month=6 + at)) for at in range(4)]
    page = track_record_page(track_record(scores, RUN_DATE, 50))
    assert page.count("<polyline") == 4


def test_track_record_shows_alerts():
    record = track_record([scored(1)], RUN_DATE, 50)
    page = track_record_page(record.model_copy(update={"alerts": ("genres changed",)}))
    assert "Alert: genres changed" in visible_text(page)


def test_pages_without_films_say_so():
    assert "No film with a known release date" in coming_soon_page(upcoming(), None)
    assert "No forecast was scored yet" in track_record_page(track_record([], RUN_DATE, 50))


@pytest.fixture
def settings(bucket_settings: Settings) -> Settings:
    ledger = ForecastLedger(open_bucket(bucket_settings))
    ledger.write_view(UPCOMING_KEY, upcoming(UpcomingFilm(forecast=forecast(), week_ago=None)))
    ledger.write_view(TRACK_RECORD_KEY, track_record([scored(1)], RUN_DATE, 50))
    return bucket_settings


def test_both_pages_are_written_and_load_no_other_file(settings: Settings, tmp_path: Path):
    export(tmp_path / "site", settings)
    pages = {path.name: path.read_text("utf-8") for path in (tmp_path / "site").iterdir()}
    assert set(pages) == {"coming_soon.html", "track_record.html"}
    for page in pages.values():
        links = re.findall(r'(?:href|src)="([^"]+)"', page)
        assert set(links) == set(pages)
        assert "not endorsed or certified by TMDB" in page
        assert not re.search(r"https?://|@import|url\(|<script|<link", page.replace(SVG, ""))


def test_error_for_an_empty_ledger_says_what_to_do(bucket_settings: Settings, tmp_path: Path):
    with pytest.raises(NothingForecastError, match="run forecast and score first"):
        export(tmp_path, bucket_settings)


def test_error_for_a_damaged_view_names_it(settings: Settings, tmp_path: Path):
    open_bucket(settings).put(UPCOMING_KEY, b"{}")
    with pytest.raises(LedgerError, match=r"views/upcoming.json"):
        export(tmp_path, settings)


def test_command_line_writes_to_the_given_folder(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("scripts.export.pipeline_settings", lambda: settings)
    assert main(["--folder", str(tmp_path / "site")]) == 0
    assert (tmp_path / "site" / "coming_soon.html").is_file()
