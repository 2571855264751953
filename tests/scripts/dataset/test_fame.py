from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from movierating.films.codes import Codes
from movierating.films.film import Film
from scripts.dataset.fame import LateFameError, fame_columns
from scripts.dataset.table import read_cleaned, row_of, write_cleaned

OPENED = date(2026, 10, 1)
LATE = "film 603 \\(The Lantern\\) has fame with {}, and was released on 2026-10-01; .* preprocess"


def entry(day: date) -> dict[str, object]:
    return {"date": day, "popularity": 3.5, "votes": 2, "languages": 4, "countries": 5}


def written(folder: Path, fame: dict[str, object] | None, **planted: object) -> Path:
    path = folder / "cleaned.csv"
    outcomes = pd.DataFrame([{"id": 603, "revenue": None, "vote_count": 60.0, "vote_average": 7.0}])
    film = Film(title="The Lantern", release_date=OPENED)
    write_cleaned(path, outcomes, [row_of(film, Codes(), fame=fame) | planted])
    return path


def test_fame_from_before_the_release_is_read(tmp_path: Path):
    row = read_cleaned(written(tmp_path, entry(date(2026, 9, 30)))).iloc[0]
    assert row["fame_recorded_on"] == "2026-09-30"
    assert [row[f"fame_{name}"] for name in ("popularity", "votes", "languages", "countries")] == [
        3.5,
        2,
        4,
        5,
    ]


@pytest.mark.parametrize("day", [OPENED, date(2026, 10, 2), date(2027, 1, 1)])
def test_fame_from_the_release_or_later_is_refused_by_name(tmp_path: Path, day: date):
    with pytest.raises(LateFameError, match=LATE.format(f"the day {day}")):
        read_cleaned(written(tmp_path, entry(day)))


def test_fame_without_a_day_is_refused_by_name(tmp_path: Path):
    with pytest.raises(LateFameError, match=LATE.format("no day")):
        read_cleaned(written(tmp_path, None, fame_popularity=99.0))


def test_fame_of_a_film_without_any_is_unknown():
    assert set(fame_columns(None).values()) == {None}
