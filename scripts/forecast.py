"""Forecast the films that have not opened yet, and write it down: the forecast ledger."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Final, Self

import pyarrow as pa
import pyarrow.compute as pc

from movierating.errors import ExplainedError
from movierating.films.film import Film
from movierating.identity import sha256
from movierating.ledger.ledger import UPCOMING_KEY, ForecastLedger
from movierating.ledger.records import Forecast, Upcoming, UpcomingFilm, counting
from movierating.model.predictor import Predictor
from movierating.registry.bundle import Bundle
from movierating.registry.registry import Registry
from movierating.s3 import open_bucket
from movierating.settings import PipelineSettings, pipeline_settings
from scripts.dataset.baselines import NaiveMeans
from scripts.parameters import FEATURE_FILM_MINUTES, MIN_VOTES_TO_MEASURE
from scripts.runtime.cli import run, step_parser
from scripts.runtime.clock import now, today
from scripts.store.film_store import FilmStore, film_store
from scripts.store.parsing import main_genre, parse_film, to_frame

logger = logging.getLogger(__name__)

DAYS_AHEAD: Final = 180
LATELY_DAYS: Final = 90  # since the release, where votes are still few
WEEK: Final = timedelta(days=7)
_LONGEST_GAP: Final = timedelta(days=7)  # so much older may the forecast of last week be


class NoModelError(ExplainedError, RuntimeError):
    """Nothing is in production that could forecast."""


class BackdatedError(ExplainedError, ValueError):
    """A forecast would bear another date than that of the day it is made on."""


@dataclass(frozen=True)
class Subject:
    """A film to forecast."""

    film_id: int
    film: Film
    opens: date
    poster_path: str | None = None
    original_title: str | None = None


@dataclass(frozen=True)
class Forecaster:
    """A version of the model as it forecasts films from what is known of them."""

    version: str
    predictor: Predictor

    @classmethod
    def of(cls, bundle: Bundle) -> Self:
        """What a bundle forecasts with."""
        return cls(bundle.manifest.version, bundle.predictor)

    def forecast(
        self, subjects: Sequence[Subject], means: NaiveMeans | None, made_at: datetime, day: date
    ) -> list[Forecast]:
        """The records of some films for the day on which they are made."""
        predicted = self.predictor.forecast([subject.film for subject in subjects])
        return [
            Forecast(
                film_id=subject.film_id,
                title=subject.film.title,
                release_date=subject.opens,
                day=day,
                made_at=made_at,
                version=self.version,
                inputs_sha256=inputs_sha256(subject.film),
                rating=round(each.rating, 4),
                low=round(each.low, 4),
                high=round(each.high, 4),
                reasons={group: round(points, 3) for group, points in each.reasons.items()},
                baselines=_told(means, subject.film),
                genre=subject.film.main_genre,
                language=subject.film.original_language,
                poster_path=subject.poster_path,
                original_title=subject.original_title,
            )
            for subject, each in zip(subjects, predicted, strict=True)
        ]


def forecast(run_date: date, settings: PipelineSettings) -> int:
    """Forecast the films to come and those of late with few votes, and keep that in the ledger.

    Doing it again on the same day with the same model and the same facts writes nothing new.

    Returns:
        How many films were forecast.

    Raises:
        BackdatedError: The date is not today's.
        NoModelError: No version is in production.
        StoreCorruptError: A file of the film store is damaged.
        S3UnavailableError: S3 cannot be used as it is set up.
    """
    if run_date != today():
        raise BackdatedError(f"a forecast is dated {today()}, the day it is made; leave out --date")
    bucket = open_bucket(settings)
    forecaster = in_production(Registry(bucket))
    subjects, means = look_up(film_store(settings), run_date, settings.forecast_min_votes)
    ledger = ForecastLedger(bucket)
    ledger.say(forecaster.forecast(subjects, means, now(), run_date))
    opens = {subject.film_id: subject.opens for subject in subjects}
    ledger.show(UPCOMING_KEY, upcoming(ledger, run_date, opens))
    logger.info("%s forecasts by %s", len(subjects), forecaster.version)
    return len(subjects)


def in_production(registry: Registry) -> Forecaster:
    """The version in production, verified.

    Raises:
        NoModelError: There is none.
        BundleError: It is not what its manifest says.
    """
    current = registry.production()
    if current is None:
        raise NoModelError("no model is in production yet; run the pipeline first")
    return Forecaster.of(registry.bundle(current.pointer))


def look_up(store: FilmStore, day: date, min_votes: int) -> tuple[list[Subject], NaiveMeans | None]:
    """The films of a store that are to be forecast on a day, and what the others say without model.

    Returns:
        The films by id, and the means; None where no film has the votes to count.
    """
    subjects: list[Subject] = []
    rated: list[pa.Table] = []
    for films in store.as_of(day):
        subjects += _subjects(films.filter(to_forecast(day, min_votes)))
        rated.append(films.filter(_rated(day)).select(["vote_average", "release_date", "genres"]))
    return sorted(subjects, key=lambda each: each.film_id), _means(rated, day)


def to_forecast(day: date, min_votes: int) -> pc.Expression:
    """Films that open within half a year, and those of late that have few votes."""
    opens, votes = pc.field("release_date"), pc.field("vote_count")
    ahead = (opens > day) & (opens <= day + timedelta(DAYS_AHEAD))
    lately = (opens <= day) & (opens > day - timedelta(LATELY_DAYS))
    is_new = ahead | (lately & (votes.is_null() | (votes < min_votes)))
    unfit = pc.field("adult") | pc.field("video") | (pc.field("status") == "Canceled")
    is_known = (pc.field("genres") != "[]") | (pc.field("overview") != "")
    return is_new & _is_feature_film() & is_known & ~pc.coalesce(unfit, pa.scalar(False))


def upcoming(ledger: ForecastLedger, day: date, opens: Mapping[int, date]) -> Upcoming:
    """What was last said on a day of films that had not opened, and its change in a week.

    Args:
        ledger: Where it was written down.
        day: The day.
        opens: When films open, by id, as is known now; what was said of others is out of date.
    """
    newest = counting(ledger.said(day, day), opens)
    week_ago = counting(ledger.said(day - WEEK - _LONGEST_GAP, day - WEEK), opens)
    ahead = sorted(newest.values(), key=lambda each: (each.release_date, each.film_id))
    films = (
        UpcomingFilm(forecast=each, week_ago=before.rating if before else None)
        for each, before in ((each, week_ago.get(each.film_id)) for each in ahead)
    )
    return Upcoming(as_of=day, films=tuple(films))


def inputs_sha256(film: Film) -> str:
    """A hash of all facts that a forecast rests on."""
    return sha256(json.dumps(asdict(film), sort_keys=True, default=str).encode())


def _subjects(films: pa.Table) -> Iterator[Subject]:
    shown = films.select(["poster_path", "original_title"]).to_pylist()
    for row, each in zip(to_frame(films).to_dict("records"), shown, strict=True):
        film = parse_film(row)
        assert film.release_date is not None  # noqa: S101 - or it would not have been chosen
        pages = (each["poster_path"] or None, each["original_title"] or None)
        yield Subject(int(row["id"]), film, film.release_date, *pages)


def _rated(day: date) -> pc.Expression:
    enough = pc.field("vote_count") >= MIN_VOTES_TO_MEASURE
    return enough & (pc.field("release_date") < day) & _is_feature_film()


def _is_feature_film() -> pc.Expression:
    shortest, longest = FEATURE_FILM_MINUTES
    minutes = pc.field("runtime")
    fits = (minutes >= shortest) & (minutes <= longest)
    return minutes.is_null() | (minutes == 0) | fits


def _means(rated: Iterable[pa.Table], day: date) -> NaiveMeans | None:
    films = pa.concat_tables(rated) if rated else None
    if films is None or films.num_rows == 0:
        return None
    return NaiveMeans.of(
        films["vote_average"].to_numpy(),
        films["release_date"].to_numpy().astype("datetime64[D]"),
        [main_genre(genres) for genres in films["genres"].to_pylist()],
        day,
    )


def _told(means: NaiveMeans | None, film: Film) -> dict[str, float]:
    told = means.forecast(film.main_genre) if means else {}
    return {name: round(rating, 4) for name, rating in told.items()}


def main(argv: list[str] | None = None) -> int:
    """Forecast from the command line."""
    arguments = step_parser(__doc__).parse_args(argv)
    return run(lambda: forecast(arguments.date or today(), pipeline_settings()))


if __name__ == "__main__":
    raise SystemExit(main())
