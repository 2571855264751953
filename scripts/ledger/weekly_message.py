"""Compose the weekly message: what opens this week, and how the films of last month came out."""

from calendar import month_name
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from movierating.ledger.ledger import ForecastLedger
from movierating.ledger.records import Forecast, Score, last_before_release
from movierating.registry.reading import RegistryReader
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings
from scripts.ledger.sources import open_ledger, production_source
from scripts.ledger.track_record import figures, newest_per_film

LISTED_FILMS: Final = 15
LONGEST: Final = 3_500  # characters; Slack cuts longer messages
_LONGEST_TITLE: Final = 80
# Slack's own escapes; after the marks of bold text and the like, a space that nobody sees.
_NEUTRALISED: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | {mark: f"{mark}\u200b" for mark in "*_~`"}
)
_DAY: Final = timedelta(days=1)
_WEEK: Final = 7 * _DAY


def weekly_message(day: date, settings: PipelineSettings) -> str | None:
    """Compose the message of a day's week; None if nothing opens and nothing was scored.

    Args:
        day: The run date, in the pipeline's time zone. Its week is Monday to Sunday.
        settings: The settings, with the bucket.

    Raises:
        LedgerError: A record cannot be read.
        S3UnavailableError: S3 cannot be used with these settings.
    """
    bucket = open_bucket(settings)
    ledger = open_ledger(bucket, production_source(RegistryReader(bucket)))
    opening = openings(ledger, day)
    scores = scores_of_last_month(ledger.scores(), day, settings.forecast_min_votes)
    return compose(opening, scores, day, settings.forecast_min_votes)


def week_of(day: date) -> str:
    """Return the name of a day's week, such as `2026-W49` (ISO 8601)."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def openings(ledger: ForecastLedger, day: date) -> list[Forecast]:
    """Return the last forecast before its release of each film that opens in a day's week.

    The newest forecast knows the release date best: a film that was moved to another week is left
    out. So is a film without a forecast on the last day of forecasts before its release: it was
    postponed for a long time, cancelled or deleted.
    """
    monday = day - day.weekday() * _DAY
    first = monday - _WEEK  # without a run on Sunday, an older forecast of Monday's films is used
    days: set[date] = set()
    releases: dict[int, date] = {}
    for each in ledger.read(first, day):
        days.add(each.day)
        releases[each.film_id] = each.release_date
    in_week = {
        film_id: release
        for film_id, release in releases.items()
        if monday <= release < monday + _WEEK
    }
    last = last_before_release(ledger.read(first, day), in_week)
    found = [
        each.model_copy(update={"release_date": in_week[each.film_id]})
        for each in last.values()
        if each.day == max(known for known in days if known < in_week[each.film_id])
    ]
    return sorted(found, key=lambda each: (-each.rating, each.film_id))


def scores_of_last_month(scores: Iterable[Score], day: date, min_votes: int) -> list[Score]:
    """Return the newest score of each film released in the calendar month before a day."""
    last = day.replace(day=1) - _DAY
    return newest_per_film(
        each
        for each in scores
        if each.votes >= min_votes
        and (each.release_date.year, each.release_date.month) == (last.year, last.month)
    )


def compose(
    opening: Sequence[Forecast], scores: Sequence[Score], day: date, min_votes: int
) -> str | None:
    """Write the message; None if there is nothing to say.

    Args:
        opening: The films of the week, the highest forecast first.
        scores: The scores of last month's films, at most one per film.
        day: A day of the week.
        min_votes: Films with fewer votes have no score.
    """
    if not opening and not scores:
        return None
    monday = day - day.weekday() * _DAY
    head = f"Film forecasts for the week from {monday} to {monday + 6 * _DAY}"
    films, others = list(_opening(opening)), list(_last_month(scores, day, min_votes))
    while len(text := "\n".join([head, *films, *others])) > LONGEST:
        films.pop()  # titles of many special characters
    return text


def _opening(films: Sequence[Forecast]) -> Iterator[str]:
    if not films:
        yield "No film with a forecast opens this week."
        return
    more = ". The highest forecasts:" if films[LISTED_FILMS:] else ""
    yield f"Films that open: {len(films)}{more}"
    for each in films[:LISTED_FILMS]:
        yield (
            f"• {_title(each)}, {each.release_date:%a} {each.release_date}: "
            f"{each.rating:.1f} ({each.low:.1f} to {each.high:.1f})"
        )


def _last_month(scores: Sequence[Score], day: date, min_votes: int) -> Iterator[str]:
    last = day.replace(day=1) - _DAY
    month = f"{month_name[last.month]} {last.year}"
    if not scores:
        yield f"No film of {month} has been compared yet; this needs {min_votes} votes."
        return
    found = figures(scores)
    worst = max(scores, key=lambda each: abs(each.error))
    yield (
        f"Films of {month} with {min_votes} votes or more: {found.films}. Inside the interval: "
        f"{sum(each.inside for each in scores)}. Mean absolute error: {found.mae:.2f} points; "
        f"{_bias(found.bias)}."
    )
    yield (
        f"Largest error: {_title(worst)}, forecast {worst.rating:.1f}, rating {worst.actual:.1f}."
    )


def _bias(bias: float) -> str:
    size = f"{abs(bias):.2f}"
    if float(size) == 0:
        return "no bias"
    return f"on average {size} too {'high' if bias > 0 else 'low'}"


def _title(film: Forecast | Score) -> str:
    """Return a film's title in one line, without the characters that Slack reads as markup."""
    original = film.original_title if isinstance(film, Forecast) else None
    title = " ".join((film.title or original or f"Film {film.film_id}").split())
    short = title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…"
    return short.translate(_NEUTRALISED)
