"""The synthetic world: 6,000 invented films, which the TMDB stand-in serves by default.

The same seed and date always give the same films. The seed determines each film's facts (module
`facts`) and its true quality (module `quality`). The date determines which films are already
released, and how many votes they have.

The number of votes for a film is `final * (1 - exp(-age / 120 days))`. `final` has a log-normal
distribution. It grows with the film's fame, a random number that does not depend on the film's
quality. So a test can select films by their votes or their popularity without a selection by
quality. Then the best possible RMSE changes only because of the numbers of votes.

A film before its release has no votes and the rating 0.0. As in TMDB, some facts are missing. Then
the running time is 0, the plot is empty, there is no genre or no company, or the language is "xx".
Most budgets are 0, which means unknown.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import cached_property
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from movierating.films.source import invented_films
from sandbox.tmdb import quality
from sandbox.tmdb.crews import crew
from sandbox.tmdb.facts import Facts, draw_facts
from sandbox.tmdb.films import (
    Columns,
    Company,
    Film,
    Named,
    Person,
    Translation,
    genre_mask,
)
from sandbox.tmdb.hashing import FIRST_INVENTED_ID, invented_id, stable_hash
from sandbox.tmdb.names import image_path, invent, invented_person
from sandbox.tmdb.plots import overview_languages
from sandbox.tmdb.releases import Releases, draw_releases

SEED = 7
SIZE = 6000
FIRST_FILM_ID = 10_000_000
VOTES_DAYS = 120.0
COUNTRIES = {
    "en": "US",
    "ko": "KR",
    "ja": "JP",
    "fr": "FR",
    "es": "ES",
    "hi": "IN",
    "de": "DE",
    "zh": "CN",
    "it": "IT",
}
TRANSLATED_SHARE = 0.4
ALSO_ENGLISH_SHARE = 0.3
# Each job has its own range of person ids, so no person has two jobs.
FIRST_PERSON_IDS = {
    "director": FIRST_INVENTED_ID,
    "writer": FIRST_INVENTED_ID + 1_000_000,
    "actor": FIRST_INVENTED_ID + 2_000_000,
}
STUDIO_WORDS = ("Pictures", "Films", "Filmworks", "Studios")
POST_PRODUCTION_DAYS = 240
TAKINGS_DAYS = 60
NAMED_BY = 50  # films whose titles are in the digest of the world's name
SOURCE_DIGITS = 8
# For each field, the fraction of films without it. A release date is only missing while the film is
# more than 240 days before its release.
HOLES: dict[str, float] = {
    "runtime": 0.025,
    "original_language": 0.005,
    "overview": 0.015,
    "genres": 0.01,
    "production_companies": 0.1,
    "release_date": 0.08,
    "tagline": 0.35,
    "homepage": 0.7,
    "imdb_id": 0.03,
    "poster_path": 0.06,
    "backdrop_path": 0.15,
    "keywords": 0.25,
}


class World:
    """The invented films for one seed, as they are on one date; with the methods of `FilmStore`."""

    def __init__(
        self,
        today: date,
        seed: int = SEED,
        size: int = SIZE,
        *,
        first_id: int = FIRST_FILM_ID,
        id_offset: int = 0,
    ) -> None:
        """Invent the films of the world.

        Args:
            today: The date that determines which films are released and how many votes they have.
            seed: The seed of the random generator. The same seed gives the same films.
            size: The number of films.
            first_id: All ids of films are larger than this number.
            id_offset: A number that is added to all ids of people, companies and collections.
        """
        self.seed = seed
        self._id_offset = id_offset
        self.today = today
        self.facts: Facts = draw_facts(seed, size)
        # There are gaps between ids, as in TMDB. A film's id does not depend on the world's size.
        steps = [1 + stable_hash(seed, "id", at) % 40 for at in range(size)]
        self._ids = first_id + np.cumsum(steps)
        # Gaps, budgets and revenues have separate generators, so a change of one changes no other.
        rng = np.random.default_rng((seed, 1))
        self._holes = {name: rng.random(size) < share for name, share in HOLES.items()}

    @cached_property
    def source(self) -> str:
        """The name of these films; another seed, size or rule of invention gives another name."""
        titles = "\n".join(plot.title("en") for plot in self.facts.plots[:NAMED_BY])
        facts = (self._ids, self.facts.released, self.facts.runtime)
        digest = sha256(f"{self.seed} {titles}".encode())
        for values in facts:
            digest.update(np.ascontiguousarray(values).tobytes())
        return invented_films(digest.hexdigest()[:SOURCE_DIGITS])

    @cached_property
    def columns(self) -> Columns:
        """The values by which film lists are filtered and sorted: one array per field."""
        facts = self.facts
        return Columns(
            ids=self._ids,
            released=np.where(self._undated, np.datetime64("NaT", "D"), facts.released),
            vote_count=self._vote_counts,
            vote_average=self._vote_averages,
            popularity=self._popularity,
            revenue=self._revenues,
            runtime=np.where(self._holes["runtime"], 0, facts.runtime),
            language=np.where(self._holes["original_language"], "xx", facts.language),
            genres=np.array([genre_mask(self._genres(at)) for at in range(len(self._ids))]),
            titles=[plot.title("en") for plot in facts.plots],
            adult=np.zeros(len(self._ids), np.bool_),
            video=np.zeros(len(self._ids), np.bool_),
            releases=self._releases,
        )

    @cached_property
    def original_titles(self) -> list[str]:
        """The title of each film in the film's original language."""
        languages = self.facts.language.tolist()
        return [plot.title(code) for plot, code in zip(self.facts.plots, languages, strict=True)]

    @cached_property
    def imdb_ids(self) -> list[str | None]:
        """The id of each film in IMDb; None if it is unknown."""
        unknown = self._holes["imdb_id"].tolist()
        ids = zip(self._ids.tolist(), unknown, strict=True)
        return [None if is_unknown else f"tt9{film_id}" for film_id, is_unknown in ids]

    def film(self, position: int) -> Film:
        """Return all facts about one film, given its index in the arrays of `columns`."""
        facts, columns = self.facts, self.columns
        film_id = int(self._ids[position])
        language = str(facts.language[position])
        plot = facts.plots[position]
        no_plot = self._holes["overview"][position]
        return Film(
            id=film_id,
            title=columns.titles[position],
            original_title=plot.title(language),
            adult=bool(columns.adult[position]),
            video=bool(columns.video[position]),
            original_language=str(columns.language[position]),
            overview="" if no_plot else plot.overview("en"),
            tagline="" if self._holes["tagline"][position] else plot.tagline(),
            homepage=self._homepage(position),
            imdb_id=self.imdb_ids[position],
            status=self._status(position),
            released=None if self._undated[position] else facts.released[position].item(),
            runtime=int(columns.runtime[position]),
            budget=int(self._budgets[position]),
            revenue=int(columns.revenue[position]),
            popularity=float(columns.popularity[position]),
            vote_average=float(columns.vote_average[position]),
            vote_count=int(columns.vote_count[position]),
            poster_path=self._image(position, "poster"),
            backdrop_path=self._image(position, "backdrop"),
            genres=self._genres(position),
            origin_countries=(COUNTRIES[language],),
            countries=(COUNTRIES[language],),
            spoken_languages=self._spoken(position),
            collection=self._collection(position),
            companies=self._companies(position),
            directors=self._people("director", facts.directors[position], language),
            writers=self._people("writer", facts.writers[position], language),
            cast=self._people("actor", facts.cast[position], language),
            crew=crew(film_id, language),
            keywords=self._keywords(position),
            translations=() if no_plot else self._translations(position),
            releases=columns.releases.of_film(position, film_id),
        )

    def people(self, position: int) -> Iterator[Person]:
        """Return the cast and crew of one film; this is faster than to build the whole `film`."""
        facts, language = self.facts, str(self.facts.language[position])
        jobs = {"director": facts.directors, "writer": facts.writers, "actor": facts.cast}
        for job, groups in jobs.items():
            yield from self._people(job, groups[position], language)
        yield from (member.person for member in crew(int(self._ids[position]), language))

    def expected_rating(self, film_id: int) -> float:
        """Return the best possible forecast of a film's rating from the facts before its release.

        It includes the talents of the film's people, which a real forecaster cannot know.
        """
        at = self.columns.position_of[film_id]
        return float(self.facts.visible[at] + self.facts.histories[at])

    def noise_floor(self, film_ids: Sequence[int], *, histories: bool = True) -> float:
        """Return the RMSE of the best possible forecast for some films.

        This forecast uses each fact about a film, even if the TMDB stand-in's response lacks it.

        Args:
            film_ids: The ids of the films. They must have votes.
            histories: Whether the forecast also uses the talents of people, companies and
                collections.
        """
        at = [self.columns.position_of[film_id] for film_id in film_ids]
        unseen = 0.0 if histories else self.facts.histories[at]
        return quality.noise_floor(self._vote_counts[at], unseen=unseen)

    @cached_property
    def _ages(self) -> npt.NDArray[np.int64]:
        """The number of days since each film's release; below zero for an unreleased film."""
        ages: npt.NDArray[np.int64] = (np.datetime64(self.today, "D") - self.facts.released).astype(
            np.int64
        )
        return ages

    @property
    def _vote_ages(self) -> npt.NDArray[np.int64]:
        """For how many days people could vote for each film; below zero if nobody could."""
        return self._ages

    @cached_property
    def _vote_counts(self) -> npt.NDArray[np.int64]:
        final = np.exp(5.0 + 1.4 * self.facts.fame)
        grown = 1 - np.exp(-np.maximum(self._vote_ages, 0) / VOTES_DAYS)
        return np.where(self._undated, 0, np.floor(final * grown)).astype(np.int64)

    @cached_property
    def _vote_averages(self) -> npt.NDArray[np.float64]:
        facts, votes = self.facts, self._vote_counts
        true_quality = facts.visible + facts.histories + facts.luck
        noise = quality.VOTE_SD * facts.vote_luck / np.sqrt(np.maximum(votes, 1))
        shown = np.clip(np.round(true_quality + noise, 3), 1.0, 10.0)
        return np.where(votes > 0, shown, 0.0).astype(np.float64)

    @cached_property
    def _popularity(self) -> npt.NDArray[np.float64]:
        # Popularity is highest at the release, and falls before and after it.
        news = 1 + 12 * np.exp(-np.abs(self._ages) / 45)
        fame: npt.NDArray[np.float64] = 1.2 * np.exp(0.8 * self.facts.fame)
        popularity: npt.NDArray[np.float64] = np.round(fame * news, 4)
        return popularity

    @cached_property
    def _budgets(self) -> npt.NDArray[np.int64]:
        rng = np.random.default_rng((self.seed, 2))
        size = len(self._ids)
        dollars = np.exp(16.2 + 0.9 * self.facts.fame + rng.normal(0, 0.7, size))
        known = rng.random(size) < np.clip(0.3 + 0.12 * self.facts.fame, 0.05, 0.9)
        return np.where(known, np.round(dollars, -5), 0).astype(np.int64)

    @cached_property
    def _revenues(self) -> npt.NDArray[np.int64]:
        rng = np.random.default_rng((self.seed, 3))
        takings = self._budgets * np.exp(rng.normal(0.6, 0.8, len(self._ids)))
        return np.where(self._ages > TAKINGS_DAYS, takings, 0).astype(np.int64)

    @cached_property
    def _releases(self) -> Releases:
        homes = [COUNTRIES[code] for code in self.facts.language.tolist()]
        released = np.where(self._undated, np.datetime64("NaT", "D"), self.facts.released)
        return draw_releases(np.random.default_rng((self.seed, 4)), homes, released)

    @cached_property
    def _undated(self) -> npt.NDArray[np.bool_]:
        """For each film, whether its release is so far in the future that no date is known yet."""
        return self._holes["release_date"] & (self._ages < -POST_PRODUCTION_DAYS)

    def _status(self, position: int) -> str:
        if self._ages[position] >= 0:
            return "Released"
        near = self._ages[position] >= -POST_PRODUCTION_DAYS
        return "Post Production" if near else "Planned"

    def _genres(self, position: int) -> tuple[int, ...]:
        return () if self._holes["genres"][position] else self.facts.genres[position]

    def _homepage(self, position: int) -> str:
        if self._holes["homepage"][position]:
            return ""
        return f"https://{self.facts.plots[position].place.spelled('latin')}.example/"

    def _image(self, position: int, kind: str) -> str | None:
        if self._holes[f"{kind}_path"][position]:
            return None
        return image_path(int(self._ids[position]), kind)

    def _spoken(self, position: int) -> tuple[str, ...]:
        language = str(self.facts.language[position])
        also_english = (
            language != "en" and stable_hash(position, "spoken") % 100 < 100 * ALSO_ENGLISH_SHARE
        )
        return (language, "en") if also_english else (language,)

    def _collection(self, position: int) -> Named | None:
        number = int(self.facts.collection[position])
        if number < 0:
            return None
        title = self.facts.plots[position].series_title()
        return Named(FIRST_INVENTED_ID + self._id_offset + number, f"{title} Collection")

    def _companies(self, position: int) -> tuple[Company, ...]:
        if self._holes["production_companies"][position]:
            return ()
        country = COUNTRIES[str(self.facts.language[position])]
        return tuple(self._company(number, country) for number in self.facts.companies[position])

    def _company(self, number: int, country: str) -> Company:
        name = invent(3, self.seed, "company", number).spelled("")
        word = STUDIO_WORDS[number % len(STUDIO_WORDS)]
        return Company(FIRST_INVENTED_ID + self._id_offset + number, f"{name} {word}", country)

    def _people(self, job: str, numbers: tuple[int, ...], language: str) -> tuple[Person, ...]:
        first = FIRST_PERSON_IDS[job] + self._id_offset
        return tuple(invented_person(first + number, language) for number in numbers)

    def _keywords(self, position: int) -> tuple[Named, ...]:
        if self._holes["keywords"][position]:
            return ()
        plot = self.facts.plots[position]
        return tuple(Named(invented_id("keyword", word), word) for word in plot.keywords())

    def _translations(self, position: int) -> tuple[Translation, ...]:
        plot = self.facts.plots[position]
        own = self.facts.language[position]
        film_id = int(self._ids[position])
        return tuple(
            Translation(code, COUNTRIES[code], plot.title(code), plot.overview(code))
            for code in overview_languages()
            if code in ("en", own) or stable_hash(film_id, code) % 100 < 100 * TRANSLATED_SHARE
        )
