"""What the feeds say about a film, in plain text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from app.recorded import ListedFilm
from movierating.films.source import film_page
from movierating.ledger.records import Forecast, Upcoming

NOTICE: Final = "This product uses the TMDB API but is not endorsed or certified by TMDB."
_STATED_RATING: Final = 7.0  # the feeds state the probability of this rating or more
_LONGEST_TITLE: Final = 200  # characters
# The characters that XML cannot contain, and controls that calendars cannot contain.
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class FeedEntry:
    """A film in a feed.

    Attributes:
        uid: The entry's identity. It depends on the film only, so a new forecast changes the entry
            and adds none.
        opens: The release date.
        title: The film's title and its forecast, in one line.
        text: The forecast in sentences.
        updated: When the forecast was made.
        link: The film's page at TMDB; None for an invented film.
    """

    uid: UUID
    opens: date
    title: str
    text: str
    updated: datetime
    link: str | None

    @classmethod
    def of(cls, listed: ListedFilm, source: str | None) -> Self:
        """Describe a film of a list.

        Args:
            listed: The film.
            source: The source of the films (see `movierating.films.source`); None if unknown.
        """
        forecast = listed.film.forecast
        return cls(
            uid=uid(source, f"film/{forecast.film_id}"),
            opens=forecast.release_date,
            title=f"{_named(forecast)}: {forecast.rating:.1f} ({_interval(forecast)})",
            text="\n".join(_sentences(listed)),
            updated=forecast.made_at.astimezone(UTC),
            link=film_page(source, forecast.film_id) if source else None,
        )


@dataclass(frozen=True)
class Feed:
    """Films with their forecasts.

    Attributes:
        uid: The feed's identity.
        name: The feed's name.
        about: What the feed contains, in sentences.
        updated: When the newest of its forecasts was made.
        entries: The films, in the order of their release.
        address: The feed's own address, relative to its folder.
    """

    uid: UUID
    name: str
    about: str
    updated: datetime
    entries: Sequence[FeedEntry]
    address: str

    @classmethod
    def of(
        cls, films: Sequence[ListedFilm], limit: int, view: Upcoming | None, address: str
    ) -> Self:
        """Describe the first films of a list.

        Args:
            films: All films of the list.
            limit: The largest number of entries.
            view: The films to come; None before the first forecasts.
            address: The feed's own address, relative to its folder.
        """
        source = view.source if view else None
        entries = [FeedEntry.of(each, source) for each in films[:limit]]
        # Without forecasts, any date that does not change is right.
        day = datetime.combine(view.as_of if view else date(1970, 1, 1), time(), UTC)
        left_out = len(films) - len(entries)
        count = f" The first {limit} of {len(films)} films." if left_out else ""
        return cls(
            uid=uid(source, f"feed/{address}"),
            name="Film forecasts",
            about=f"Forecasts of the ratings that films will have at TMDB.{count} {NOTICE}",
            updated=max((each.updated for each in entries), default=day),
            entries=entries,
            address=address,
        )


def uid(source: str | None, name: str) -> UUID:
    """Return the identity of a thing with this name; two sources may use the same ids."""
    return uuid5(NAMESPACE_URL, f"{source or 'unknown'}/{name}")


def _named(forecast: Forecast) -> str:
    title = forecast.title or forecast.original_title or f"Film {forecast.film_id}"
    original = forecast.original_title
    return _line(f"{title} ({original})" if original and original != title else title)


def _line(text: str) -> str:
    """Return a title as one line of printable characters."""
    line = " ".join(_UNPRINTABLE.sub(" ", text).split())
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"


def _interval(forecast: Forecast) -> str:
    return f"{forecast.low:.1f} to {forecast.high:.1f}"


def _sentences(listed: ListedFilm) -> Iterator[str]:
    forecast, outcome = listed.film.forecast, listed.outcome
    yield f"Forecast: {forecast.rating:.1f}. 8 of 10 such films get {_interval(forecast)}."
    chances = forecast.distribution.at_least if forecast.distribution else {}
    if _STATED_RATING in chances:
        yield f"Probability of {_STATED_RATING:.1f} or more: {chances[_STATED_RATING]:.0%}."
    if listed.film.change is not None:
        yield f"Change in a week: {listed.film.change:+.1f}."
    if outcome and outcome.rating is not None:
        yield f"Rating so far: {outcome.rating:.1f} from {outcome.votes} votes."
    yield f"Made on {forecast.day} by the model {forecast.version}."
