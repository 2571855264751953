"""Invent the facts about films with a random generator.

The same seed always gives the same facts. They do not depend on the current date.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import numpy.typing as npt

from sandbox.tmdb import quality
from sandbox.tmdb.plots import Plot, draw_plot

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Groups = list[tuple[int, ...]]
# One pair per kind (directors, writers, ...): for each film, the people who affect its rating; and
# the standard deviation of their talents.
Talents = list[tuple[Groups, float]]

DAYS = np.dtype("datetime64[D]")

# Films per year: growing until 2026; after that, only announced films.
FIRST_YEAR = 2005
FILMS_PER_YEAR = (*np.linspace(190, 300, 22), 220, 140, 80, 45, 25)

LANGUAGE_SHARES: dict[str, float] = {
    "en": 0.54,
    "ko": 0.12,
    "ja": 0.08,
    "fr": 0.07,
    "es": 0.06,
    "hi": 0.04,
    "de": 0.03,
    "zh": 0.04,
    "it": 0.02,
}
GENRE_SHARES: dict[int, float] = {
    18: 0.24,
    35: 0.16,
    28: 0.10,
    27: 0.10,
    53: 0.08,
    16: 0.05,
    99: 0.06,
    80: 0.03,
    12: 0.03,
    878: 0.03,
    14: 0.02,
    10749: 0.03,
    10751: 0.02,
    9648: 0.01,
    36: 0.01,
    10402: 0.01,
    10770: 0.01,
    10752: 0.005,
    37: 0.005,
}
COLLECTION_SHARE = 0.05


@dataclass(frozen=True)
class Facts:
    """The facts about all invented films.

    Each list has one entry per film; the films are ordered by release date. People, companies and
    collections are numbers from 0. The four attributes below determine a film's rating: see the
    module `quality`.

    Attributes:
        visible: The rating to expect from the film's own facts, such as its genre.
        histories: The rating points that the talents of the film's people and companies add.
        luck: The rating points that nobody can know before the release.
        vote_luck: The random error of the votes, in standard deviations.
    """

    released: npt.NDArray[np.datetime64]
    language: npt.NDArray[np.str_]
    genres: Groups
    runtime: Ints
    fame: Floats
    directors: Groups
    writers: Groups
    cast: Groups
    companies: Groups
    collection: Ints
    plots: list[Plot]
    visible: Floats
    histories: Floats
    luck: Floats
    vote_luck: Floats

    @property
    def talents(self) -> Talents:
        """The people whose talents affect the ratings, for each kind of people.

        For each kind, such as directors, this is a pair. It has the people of this kind for each
        film, and the standard deviation of their talents in rating points.
        """
        return _talents(self.directors, self.writers, self.cast, self.companies, self.collection)


def draw_facts(seed: int, size: int) -> Facts:
    """Invent the facts about `size` films, with a random generator that has this seed."""
    rng = np.random.default_rng(seed)
    released = _release_dates(rng, size)
    language = np.array(list(LANGUAGE_SHARES))[_pick(rng, LANGUAGE_SHARES.values(), size)]
    genres = _genres(rng, size)
    runtime = _runtimes(rng, genres)
    collection = _collections(rng, language, genres)
    directors = _careers(rng, language, 1 + rng.binomial(1, 0.06, size), films_each=4.0)
    writers = _careers(rng, language, rng.integers(1, 3, size), films_each=4.5)
    cast = _careers(rng, language, rng.integers(4, 9, size), films_each=5.0)
    companies = _careers(rng, language, rng.integers(1, 4, size), films_each=25.0)
    plots = _plots(rng, seed, collection)
    talents = _talents(directors, writers, cast, companies, collection)
    histories: Floats = np.sum([_effect(rng, groups, sd) for groups, sd in talents], axis=0)
    return Facts(
        released=released,
        language=language,
        genres=genres,
        runtime=runtime,
        # Films of a series and English films are better known, so they get more votes.
        fame=rng.normal(size=size) + 0.8 * (collection >= 0) + 0.5 * (language == "en"),
        directors=directors,
        writers=writers,
        cast=cast,
        companies=companies,
        collection=collection,
        plots=plots,
        visible=_visible(released, language, genres, runtime, plots),
        histories=histories,
        luck=rng.normal(0, quality.IRREDUCIBLE_SD, size),
        vote_luck=rng.normal(size=size),
    )


def _release_dates(rng: np.random.Generator, size: int) -> npt.NDArray[np.datetime64]:
    years = _pick(rng, FILMS_PER_YEAR, size)
    first_days = (np.datetime64(str(FIRST_YEAR)) + years.astype("timedelta64[Y]")).astype(DAYS)
    # Sorted, because `_careers` and `_collections` use the order of the films as their order in
    # time.
    return np.sort(first_days + rng.integers(0, 365, size).astype("timedelta64[D]"))


def _pick(rng: np.random.Generator, shares: Iterable[float], size: int) -> Ints:
    """Draw `size` random indices; `shares` has the relative frequency of each index."""
    weights = np.fromiter(shares, np.float64)
    return rng.choice(len(weights), size, p=weights / weights.sum())


def _genres(rng: np.random.Generator, size: int) -> Groups:
    """Draw one to three random genres for each film; the first one is the main genre."""
    codes = np.array(list(GENRE_SHARES))
    columns = [codes[_pick(rng, GENRE_SHARES.values(), size)] for _ in range(3)]
    counts = rng.choice((1, 2, 3), size, p=(0.35, 0.4, 0.25))
    rows = zip(*(column.tolist() for column in columns), counts.tolist(), strict=True)
    return [tuple(dict.fromkeys(row[:count])) for *row, count in rows]


def _runtimes(rng: np.random.Generator, genres: Groups) -> Ints:
    # Animations, documentaries, family and TV films are shorter.
    short = np.array([group[0] in (16, 99, 10751, 10770) for group in genres])
    minutes: Floats = np.where(short, 88, 105) * np.exp(rng.normal(0, 0.17, len(genres)))
    return np.round(minutes).astype(np.int64)


def _careers(
    rng: np.random.Generator, language: npt.NDArray[np.str_], counts: Ints, *, films_each: float
) -> Groups:
    """Draw random people for each film, for one kind of people such as directors.

    Each person makes films in one language only, and only for some years.

    Args:
        rng: The random generator.
        language: Each film's language.
        counts: The number of people in each film.
        films_each: How many films a person makes on average.

    Returns:
        For each film, the numbers of its people.
    """
    groups: list[tuple[int, ...]] = [()] * len(language)
    first = 0
    for code in LANGUAGE_SHARES:
        films = np.flatnonzero(language == code)
        people = max(3, round(counts[films].sum() / films_each))
        # Each person works around one point in time: the later the film, the higher the number.
        middles = np.repeat(people * np.arange(len(films)) / len(films), counts[films])
        drawn = np.abs(np.round(rng.normal(middles, 0.1 * people))).astype(int)
        # Reflected at both ends of the range, so that no number lies outside.
        mirrored = np.where(drawn >= people, 2 * people - 1 - drawn, drawn) % people
        numbers = iter((first + mirrored).tolist())
        for film in films:
            groups[film] = tuple(dict.fromkeys(islice(numbers, int(counts[film]))))
        first += people
    return groups


def _collections(rng: np.random.Generator, language: npt.NDArray[np.str_], genres: Groups) -> Ints:
    """Draw random collections (film series).

    All films in a collection have the same language and the same main genre.

    Returns:
        For each film, the number of its collection, or -1 if it belongs to none.
    """
    collection = np.full(len(genres), -1)
    main_genre = np.array([group[0] for group in genres])
    for number in range(round(COLLECTION_SHARE * len(genres))):
        first = rng.integers(len(genres))
        alike = (language == language[first]) & (main_genre == main_genre[first]) & (collection < 0)
        # Only from the next few similar films, so that the parts of a series follow one another.
        later = np.flatnonzero(alike)
        later = later[later >= first][: rng.integers(4, 12)]
        members = rng.permutation(later)[: rng.integers(2, 5)]
        if len(members) > 1:
            collection[members] = number
    return collection


def _plots(rng: np.random.Generator, seed: int, collection: Ints) -> list[Plot]:
    """Draw a random plot for each film.

    The films in a collection have the same hero, place and title.
    """
    firsts: dict[int, Plot] = {}
    parts: dict[int, int] = {}
    plots = []
    for number in collection.tolist():
        plot = draw_plot(rng, seed)
        if number >= 0:
            parts[number] = parts.get(number, 0) + 1
            plot = plot.sequel_of(firsts.setdefault(number, plot), parts[number])
        plots.append(plot)
    return plots


def _talents(
    directors: Groups, writers: Groups, cast: Groups, companies: Groups, collection: Ints
) -> Talents:
    return [
        (directors, quality.DIRECTOR_SD),
        (writers, quality.WRITER_SD),
        ([group[:3] for group in cast], quality.CAST_SD),
        ([group[:1] for group in companies], quality.COMPANY_SD),
        ([(at,) if at >= 0 else () for at in collection.tolist()], quality.COLLECTION_SD),
    ]


def _effect(rng: np.random.Generator, groups: Sequence[tuple[int, ...]], sd: float) -> Floats:
    """Draw a random talent for each person, and return the mean talent in each film.

    Args:
        rng: The random generator.
        groups: For each film, the numbers of its people of one kind, such as directors.
        sd: The standard deviation of the talents, in rating points.

    Returns:
        For each film, the mean talent of these people in rating points; 0 if it has none of them.
    """
    talents = rng.normal(0, sd, 1 + max(max(group, default=0) for group in groups))
    sizes = np.array([len(group) for group in groups])
    film_of = np.repeat(np.arange(len(groups)), sizes)
    drawn = talents[np.fromiter(chain.from_iterable(groups), np.int64)]
    sums = np.bincount(film_of, weights=drawn, minlength=len(groups))
    means: Floats = sums / np.maximum(sizes, 1)
    return means


def _visible(
    released: npt.NDArray[np.datetime64],
    language: npt.NDArray[np.str_],
    genres: Groups,
    runtime: Ints,
    plots: list[Plot],
) -> Floats:
    months = released.astype("datetime64[M]").astype(int)
    visible: Floats = (
        quality.BASE
        + np.array([quality.GENRE_EFFECTS[group[0]] for group in genres])
        + np.array([quality.LANGUAGE_EFFECTS.get(code, 0.0) for code in language.tolist()])
        + quality.runtime_effect(runtime)
        + quality.mood_effect([plot.tone for plot in plots])
        + quality.season_effect(months % 12 + 1)
        + quality.drift(1970 + months // 12)
    )
    return visible
