from datetime import date, timedelta

import pytest

from movierating.ledger.ledger import ForecastLedger
from movierating.s3 import Bucket
from movierating.settings import Settings
from scripts.ledger.weekly_message import (
    LISTED_FILMS,
    LONGEST,
    compose,
    openings,
    scores_of_last_month,
    week_of,
    weekly_message,
)
from tests.support.bundles import RUN_DATE
from tests.support.forecasts import forecast, scored

DAY = timedelta(days=1)
MONDAY = date(2026, 11, 23)


def test_message_says_what_opens_and_how_last_month_came_out():
    opening = [
        forecast(1, title="Harbour", release_date=MONDAY + 2 * DAY, rating=7.25, low=6.2, high=8.1)
    ]
    scores = [
        scored(2, title="Quay", actual=4.5, error=2.0, inside=False),
        scored(3, actual=6.5, error=0.0, inside=True),
    ]
    text = compose(opening, scores, MONDAY + 3 * DAY, 50)
    assert text
    assert text.splitlines() == [
        "Film forecasts for the week from 2026-11-23 to 2026-11-29",
        "Films that open: 1",
        "• Harbour, Wed 2026-11-25: 7.2 (6.2 to 8.1)",
        "Films of October 2026 with 50 votes or more: 2. Inside the interval: 1. "
        "Mean absolute error: 1.00 points; on average 1.00 too high.",
        "Largest error: Quay, forecast 6.5, rating 4.5.",
    ]


def test_part_without_films_says_so():
    only_scores = compose([], [scored()], MONDAY, 50)
    assert only_scores
    assert "No film with a forecast opens this week." in only_scores
    only_openings = compose([forecast()], [], MONDAY, 50)
    assert only_openings
    assert "No film of October 2026 has been compared yet; this needs 50 votes." in only_openings


def test_without_films_there_is_no_message():
    assert compose([], [], MONDAY, 50) is None


def test_long_list_is_cut_and_says_so():
    films = [forecast(each, title="🍿 Long title " * 40) for each in range(400)]
    text = compose(films, [scored(title="<" * 500)], MONDAY, 50)
    assert text
    assert len(text) <= LONGEST
    assert "Films that open: 400. The highest forecasts:" in text
    assert text.count("•") == LISTED_FILMS


def test_message_with_long_titles_of_special_characters_keeps_its_end():
    films = [forecast(each, title="<&>" * 100) for each in range(LISTED_FILMS)]
    text = compose(films, [scored(title="Quay")], MONDAY, 50)
    assert text
    assert len(text) <= LONGEST
    assert text.splitlines()[-1].startswith("Largest error: Quay")


def test_title_cannot_call_people_or_add_lines():
    text = compose([forecast(title="<!channel> &\n• Fake")], [], MONDAY, 50)
    assert text
    assert "• &lt;!channel&gt; &amp; • Fake, " in text


def test_title_keeps_the_characters_that_slack_would_read_as_markup():
    text = compose([forecast(title="*M*_A_~S~`H`")], [], MONDAY, 50)
    assert text
    assert "• *\u200bM*\u200b_\u200bA_\u200b~\u200bS~\u200b`\u200bH`\u200b, " in text


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(0.004, "no bias"), (-0.004, "no bias"), (-0.006, "on average 0.01 too low")],
)
def test_bias_that_rounds_to_nothing_has_no_direction(error: float, sentence: str):
    text = compose([], [scored(error=error)], MONDAY, 50)
    assert text
    assert f"points; {sentence}." in text


@pytest.mark.parametrize(("day", "week"), [("2026-12-28", "2026-W53"), ("2027-01-03", "2026-W53")])
def test_week_is_named_by_iso_8601(day: str, week: str):
    assert week_of(date.fromisoformat(day)) == week


def test_films_of_the_week_have_their_last_forecast_before_the_release(bucket: Bucket):
    ledger = ForecastLedger(bucket)
    ledger.append(
        [
            forecast(1, MONDAY - DAY, release_date=MONDAY, rating=6.0),
            forecast(2, MONDAY - DAY, release_date=MONDAY + 6 * DAY, rating=7.0),
            forecast(3, MONDAY - DAY, release_date=MONDAY + DAY),  # moved to another week
            forecast(4, MONDAY - DAY, release_date=MONDAY - DAY),
        ]
    )
    ledger.append(
        [
            forecast(1, MONDAY, release_date=MONDAY, rating=9.0),  # on the day of the release
            forecast(2, MONDAY, release_date=MONDAY + 6 * DAY, rating=7.5),
            forecast(3, MONDAY, release_date=MONDAY + 9 * DAY),
        ]
    )
    found = openings(ledger, MONDAY + 2 * DAY)
    assert [(each.film_id, each.rating) for each in found] == [(2, 7.5), (1, 6.0)]


def test_film_that_is_no_longer_forecast_does_not_open(bucket: Bucket):
    ledger = ForecastLedger(bucket)
    ledger.append(
        [
            forecast(1, MONDAY - 2 * DAY, release_date=MONDAY),  # cancelled on Sunday
            forecast(2, MONDAY - 2 * DAY, release_date=MONDAY + 3 * DAY),
            forecast(3, MONDAY - 2 * DAY, release_date=MONDAY + 3 * DAY),
        ]
    )
    ledger.append(
        [
            forecast(2, MONDAY - DAY, release_date=MONDAY + 3 * DAY),  # cancelled on Monday
            forecast(3, MONDAY - DAY, release_date=MONDAY + 3 * DAY),
        ]
    )
    ledger.append([forecast(3, MONDAY, release_date=MONDAY + 4 * DAY)])  # moved by a day
    found = openings(ledger, MONDAY)
    assert [(each.film_id, each.release_date) for each in found] == [(3, MONDAY + 4 * DAY)]


@pytest.mark.parametrize("day", [date(2026, 11, 1), date(2026, 11, 30)])
def test_last_month_is_the_calendar_month_before(day: date):
    scores = [
        scored(1, release_date=date(2026, 10, 1)),
        scored(2, release_date=date(2026, 10, 31)),
        scored(3, release_date=date(2026, 9, 30)),
        scored(4, release_date=date(2026, 11, 1)),
        scored(5, release_date=date(2025, 10, 1)),
        scored(6, release_date=date(2026, 10, 2), votes=49),
    ]
    assert [each.film_id for each in scores_of_last_month(scores, day, 50)] == [1, 2]


def test_message_is_made_of_the_ledger(bucket_settings: Settings, bucket: Bucket):
    assert weekly_message(RUN_DATE, bucket_settings) is None
    ForecastLedger(bucket).append([forecast(title="Harbour", release_date=RUN_DATE + DAY)])
    text = weekly_message(RUN_DATE, bucket_settings)
    assert text
    assert "Harbour" in text
