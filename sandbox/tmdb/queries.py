"""Filter and sort films for the film lists of the TMDB stand-in (a local imitation of TMDB).

The filters and sort orders are those of TMDB's routes, such as `/discover/movie`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from sandbox.tmdb import errors
from sandbox.tmdb.errors import TmdbError
from sandbox.tmdb.films import Columns, Positions, genre_mask
from sandbox.tmdb.releases import IN_CINEMAS

DAY = np.timedelta64(1, "D")
# The same limits and date ranges as in TMDB.
MAX_PAGE = 500
MAX_CHANGES_DAYS = 14
TOP_RATED_VOTES = 200
NOW_PLAYING_DAYS = 42
UPCOMING_DAYS = 28
DEFAULT_SORT = "popularity.desc"
SORT_COLUMNS = {
    "popularity": "popularity",
    "vote_count": "vote_count",
    "vote_average": "vote_average",
    "primary_release_date": "released",
    "release_date": "released",
    "revenue": "revenue",
    "title": "title_rank",
    "original_title": "title_rank",
}
# As in TMDB, films change often near their release and rarely at other times: every 3 days up to 60
# days before or after the release, otherwise every 90 days.
YOUNG_DAYS, YOUNG_PERIOD, OLD_PERIOD = 60, 3, 90


def parse_date(text: str) -> np.datetime64:
    """Parse a date in a request. TMDB's format for dates is YYYY-MM-DD.

    Raises:
        TmdbError: The text is not a date in this format.
    """
    try:
        return np.datetime64(date.fromisoformat(text), "D")
    except ValueError:
        raise TmdbError(errors.BAD_DATE) from None


def parse_number(text: str) -> float:
    """Parse the number in a filter, such as the 50 in `vote_count.gte=50`.

    Raises:
        TmdbError: The text is not a number.
    """
    try:
        return float(text)
    except ValueError:
        raise TmdbError(errors.BAD_INPUT) from None


def parse_code(text: str) -> int:
    """Parse the whole number that stands for a year, a genre or a type of release in a request.

    Raises:
        TmdbError: The text is not a whole number.
    """
    if not (text.isascii() and text.isdigit()):
        raise TmdbError(errors.BAD_INPUT)
    return int(text)


def parse_page(text: str) -> int:
    """Parse the number of the page that a request asks for.

    Raises:
        TmdbError: The text is not a whole number from 1 to 500.
    """
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_PAGE):
        raise TmdbError(errors.BAD_PAGE)
    return int(text)


def _years(days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    """Return the year of each date. For a missing date (NaT), this is a year far in the past."""
    return days.astype("datetime64[Y]").astype(np.int64) + 1970


Mask = npt.NDArray[np.bool_]

RANGES: dict[str, tuple[str, Callable[[str], object]]] = {
    "primary_release_date": ("released", parse_date),
    "vote_count": ("vote_count", parse_number),
    "vote_average": ("vote_average", parse_number),
    "with_runtime": ("runtime", parse_number),
}
RELEASE_FILTERS = ("region", "with_release_type", "release_date.gte", "release_date.lte", "year")


@dataclass
class Lists:
    """Creates the film lists of the TMDB stand-in, such as the list of popular films.

    The methods return the positions of the listed films. A position is a film's index in the arrays
    of `columns`.

    Attributes:
        columns: The values by which films are filtered and sorted.
        today: The current date of the stand-in.
    """

    columns: Columns
    today: date
    _orders: dict[str, Positions] = field(default_factory=dict)

    def discover(self, params: Mapping[str, str]) -> Positions:
        """Return the list for `/discover/movie` with these query parameters.

        Unknown parameters are ignored, as in TMDB.

        Raises:
            TmdbError: A date or a number in the parameters is not valid.
        """
        keep = self._kept(params) & self._within_ranges(params)
        if languages := params.get("with_original_language"):
            keep &= np.isin(self.columns.language, languages.split("|"))
        if genres := params.get("with_genres"):
            keep &= self._with_genres(genres)
        return self._select(keep, params.get("sort_by", DEFAULT_SORT))

    def popular(self, region: str) -> Positions:
        """Return the list for `/movie/popular`: all films, the most popular first.

        Args:
            region: A country code, or "" for all countries. The list only has films with a release
                in this country. The same is true for the other lists.
        """
        return self.discover({"region": region})

    def top_rated(self, region: str) -> Positions:
        """Return the list for `/movie/top_rated`: films with at least 200 votes, the best first."""
        votes = {"vote_count.gte": str(TOP_RATED_VOTES), "sort_by": "vote_average.desc"}
        return self.discover({"region": region} | votes)

    def in_cinemas(self, first: date, last: date, region: str) -> Positions:
        """Return films with a release in cinemas from `first` to `last`, the most popular first.

        As in TMDB, this can be a film's second or later release, in the same or another country. So
        the list can contain old films.
        """
        return self.discover(
            {
                "region": region,
                "with_release_type": "|".join(map(str, IN_CINEMAS)),
                "release_date.gte": first.isoformat(),
                "release_date.lte": last.isoformat(),
            }
        )

    def search(self, names: Sequence[str], params: Mapping[str, str]) -> Positions:
        """Return the list for `/search/movie`: films whose titles contain all words of a query.

        Args:
            names: For each film, a text with all its titles in lower case.
            params: The parameters of the request; `query` has the words to find.

        Raises:
            TmdbError: A year is not valid.
        """
        words = params.get("query", "").casefold().split()
        named = [bool(words) and all(word in name for word in words) for name in names]
        return self._select(self._kept({**params, "include_video": "true"}) & named, DEFAULT_SORT)

    def now_playing(self) -> tuple[date, date]:
        """Return the first and last release date for the list `/movie/now_playing`.

        They are 42 days ago and today.
        """
        return self.today - timedelta(NOW_PLAYING_DAYS), self.today

    def upcoming(self) -> tuple[date, date]:
        """Return the first and last release date for the list `/movie/upcoming`.

        They are tomorrow and 28 days from today.
        """
        return self.today + timedelta(1), self.today + timedelta(UPCOMING_DAYS)

    def changes(self, params: Mapping[str, str]) -> Positions:
        """Return the list for `/movie/changes`: films changed from `start_date` to `end_date`.

        Without these two parameters, the list has the films changed yesterday or today. The days on
        which a film changes are computed from its id and its release date. So the list is the same
        every time.

        Raises:
            TmdbError: A date is not valid, or the range is longer than 14 days.
        """
        days = self.changed_days(params)
        changed = np.zeros(len(self.columns.ids), np.bool_)
        for day in days:
            changed |= self._changed_on(day)
        return np.flatnonzero(changed)

    def changed_days(self, params: Mapping[str, str]) -> npt.NDArray[np.datetime64]:
        """Return the days for which a request to `/movie/changes` asks which films have changed.

        Days after today are left out.

        Args:
            params: The query parameters of the request, such as `start_date`.

        Raises:
            TmdbError: A date is not valid, or the range is longer than 14 days.
        """
        today = np.datetime64(self.today, "D")
        first, last = params.get("start_date"), params.get("end_date")
        end = parse_date(last) if last else today
        start = parse_date(first) if first else end - DAY
        if not 0 <= (end - start).astype(int) <= MAX_CHANGES_DAYS:
            raise TmdbError(errors.BAD_DATE_RANGE)
        return np.arange(start, min(end, today) + DAY)

    def _changed_on(self, day: np.datetime64) -> Mask:
        released = self.columns.released
        young = (released >= day - YOUNG_DAYS * DAY) & (released <= day + YOUNG_DAYS * DAY)
        period = np.where(young, YOUNG_PERIOD, OLD_PERIOD)
        # The multiplier spreads consecutive ids over the days; its exact value does not matter.
        phase = (self.columns.ids * 2_654_435_761 >> 7) + int(day.astype(np.int64))
        changed: Mask = (phase % period == 0) | (released == day)
        return changed

    def _within_ranges(self, params: Mapping[str, str]) -> Mask:
        keep = np.ones(len(self.columns.ids), np.bool_)
        for name, (column, parse) in RANGES.items():
            values = getattr(self.columns, column)
            if bound := params.get(f"{name}.gte"):
                keep &= values >= parse(bound)
            if bound := params.get(f"{name}.lte"):
                keep &= values <= parse(bound)
        return keep

    def _kept(self, params: Mapping[str, str]) -> Mask:
        """Return which films match the filters that `/discover/movie` and `/search/movie` share.

        Films for adults do not match, unless the request has `include_adult=true`. Videos (films
        not made for cinemas) do not match, unless it has `include_video=true`.
        """
        keep = self._with_release(params)
        for name in ("adult", "video"):
            if params.get(f"include_{name}", "false").casefold() != "true":
                keep &= ~getattr(self.columns, name)
        if year := params.get("primary_release_year"):
            keep &= _years(self.columns.released) == parse_code(year)
        return keep

    def _with_release(self, params: Mapping[str, str]) -> Mask:
        """Return which films have at least one release that matches all filters for releases.

        Raises:
            TmdbError: A date, a year or a type of release is not valid.
        """
        if not any(params.get(name) for name in RELEASE_FILTERS):
            return np.ones(len(self.columns.ids), np.bool_)  # also films without any release
        releases = self.columns.releases
        found = np.ones(len(releases.film), np.bool_)
        if region := params.get("region"):
            found &= releases.country == region
        if kinds := params.get("with_release_type"):
            found &= np.isin(releases.kind, [parse_code(each) for each in re.split("[|,]", kinds)])
        if bound := params.get("release_date.gte"):
            found &= releases.day >= parse_date(bound)
        if bound := params.get("release_date.lte"):
            found &= releases.day <= parse_date(bound)
        if year := params.get("year"):
            found &= _years(releases.day) == parse_code(year)
        keep = np.zeros(len(self.columns.ids), np.bool_)
        keep[releases.film[found]] = True
        return keep

    def _with_genres(self, text: str) -> Mask:
        """Return which films match a genre filter.

        The filter "18,35" matches films with both genres, "18|35" films with at least one of them.

        Raises:
            TmdbError: A genre code is not a number.
        """
        either = "|" in text
        codes = text.split("|" if either else ",")
        mask = genre_mask(parse_code(code) for code in codes)
        shared = self.columns.genres & mask
        found: Mask = shared != 0 if either else shared == mask
        return found

    def _select(self, keep: Mask, sort_by: str) -> Positions:
        # Filter the sorted positions instead of sorting the filtered ones: each order is cached.
        order = self._order(sort_by)
        selected: Positions = order[keep[order]]
        return selected

    def _order(self, sort_by: str) -> Positions:
        """Return all films in a sort order such as "revenue.desc".

        An unknown sort order is replaced by the default order. Each order is computed only once and
        then stored, because to sort all films for each request would be slow.
        """
        column, _, direction = sort_by.partition(".")
        if column not in SORT_COLUMNS or direction not in ("asc", "desc"):
            return self._order(DEFAULT_SORT)
        if sort_by not in self._orders:
            self._orders[sort_by] = self._sorted(SORT_COLUMNS[column], direction)
        return self._orders[sort_by]

    def _sorted(self, column: str, direction: str) -> Positions:
        """Sort all films by one column. Films with equal values in this column are sorted by id.

        Films without a release date are treated as the oldest.
        """
        keys = getattr(self.columns, column)
        if keys.dtype.kind == "M":
            # NaT is stored as the smallest int64. Its negative would overflow, so add 1.
            keys = np.maximum(keys.astype(np.int64), np.iinfo(np.int64).min + 1)
        return np.lexsort((self.columns.ids, keys if direction == "asc" else -keys))
