"""The two clients: `Client` waits for each answer, `AsyncClient` is for asyncio."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Self, Unpack

import httpx

from .errors import error_from
from .retries import Retries
from .types import (
    BatchForecast,
    DatedForecast,
    Film,
    Forecast,
    FoundName,
    ListedFilm,
    NameField,
    Options,
    Ratings,
    RecordedFilm,
    Sorting,
    State,
    VersionInfo,
)

# The connection broke before the answer. A forecast changes nothing, so it can be asked for again.
_NO_ANSWER: Final = (httpx.NetworkError, httpx.RemoteProtocolError)
_PAGE: Final = 200  # the most films that the API sends at once


class Client:
    """A client that waits for each answer. Use it in a `with` block, or call `close`."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        retries: Retries | None = None,
        timeout: float = 30,
    ) -> None:
        """Prepare requests to a service.

        Args:
            url: The address of the service, such as `http://127.0.0.1:8000`.
            api_key: The key, if the service asks for one.
            retries: How often to repeat a request that failed for a while.
            timeout: The longest silence of the service, in seconds.
        """
        self._retries = retries or Retries()
        self._http = httpx.Client(base_url=url, headers=_headers(api_key), timeout=timeout)

    def forecast(
        self,
        *,
        explain: bool = True,
        at_least: Sequence[float] = (),
        translate: bool = True,
        **film: Unpack[Film],
    ) -> Forecast:
        """Forecast the rating of one film.

        Args:
            explain: Whether to add reasons and similar films, which take most of the time.
            at_least: Ratings; the answer states the probability of each of them or more.
            translate: Whether the service may send the plot to a translation service.
            film: The facts about the film, or its `tmdb_id`, or both.

        Raises:
            InvalidInputError: A fact is not valid; `errors` names it.
            ApiError: The service cannot answer for another reason.
        """
        query = _query(explain=explain, at_least=at_least, translate=translate)
        answer: Forecast = self._json("POST", "/v1/predict", params=query, json=film)
        return answer

    def forecast_batch(self, films: Sequence[Film], *, translate: bool = True) -> BatchForecast:
        """Forecast up to 100 films; an invalid film gets a problem in its row."""
        body, query = {"films": list(films)}, {"translate": str(translate).lower()}
        answer: BatchForecast = self._json("POST", "/v1/predict/batch", params=query, json=body)
        return answer

    def options(self) -> Options:
        """Return the genres and languages that the model knows."""
        answer: Options = self._json("GET", "/v1/options")
        return answer

    def find_names(self, letters: str, field: NameField = "directors") -> list[str]:
        """Return the names that the model knows and that contain the letters."""
        query = {"q": letters, "field": field, "limit": 50}
        return list(self._json("GET", "/v1/people", params=query)["names"])

    def find_films(self, title: str) -> list[ListedFilm]:
        """Return the films of the catalogue with such a title, at most 50, the best match first."""
        query = {"q": title, "limit": 50}
        return list(self._json("GET", "/v1/films", params=query)["films"])

    def find_people(self, letters: str, field: NameField = "directors") -> list[FoundName]:
        """Return people whom the model knows by the letters of any of their names."""
        query = {"q": letters, "field": field, "limit": 50}
        return list(self._json("GET", "/v1/people", params=query)["found"])

    def ratings(self, genre: str | None = None) -> Ratings:
        """Return the distribution of the ratings of a genre's films, or of all films."""
        query = {} if genre is None else {"genre": genre}
        answer: Ratings = self._json("GET", "/v1/ratings", params=query)
        return answer

    def upcoming(self, search: str = "", sort: Sorting = "release_date") -> Iterator[DatedForecast]:
        """Yield the recorded forecasts of upcoming films, from all pages of the list."""
        yield from self._pages("/v1/forecasts", {"search": search, "sort": sort})

    def opened(self, days: str = "last_week", search: str = "") -> Iterator[DatedForecast]:
        """Yield the forecasts of films released in some days, such as `last_week` or `2026-11`."""
        yield from self._pages("/v1/forecasts", {"opened": days, "search": search})

    def record(self, search: str = "", state: State | None = None) -> Iterator[RecordedFilm]:
        """Yield the released films that were forecast, with their rating and score so far."""
        query = {"search": search} if state is None else {"search": search, "state": state}
        yield from self._pages("/v1/track-record/films", query)

    def version(self) -> VersionInfo:
        """Return the version of the model in service, and its origin."""
        answer: VersionInfo = self._json("GET", "/v1/version")
        return answer

    def close(self) -> None:
        """Close the connections to the service."""
        self._http.close()

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections to the service."""
        self.close()

    def _pages(self, path: str, query: dict[str, str]) -> Iterator[Any]:
        page = self._json("GET", path, params=query | {"limit": _PAGE})
        yield from page["films"]
        while page["next"]:
            page = self._json("GET", page["next"])
            yield from page["films"]

    def _json(self, method: str, path: str, **content: Any) -> Any:
        for attempt in range(1, self._retries.attempts + 1):
            try:
                response = self._http.request(method, path, **content)
            except _NO_ANSWER:
                wait = self._retries.wait_after_failure(attempt)
                if wait is None:
                    raise
            else:
                wait = self._retries.wait_after(response, attempt)
                if wait is None:
                    return _content(response)
            time.sleep(wait)
        raise AssertionError("the last attempt has no wait after it")


class AsyncClient:
    """A client for asyncio. Use it in an `async with` block, or await `close`."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        retries: Retries | None = None,
        timeout: float = 30,
    ) -> None:
        """Prepare requests to a service; the arguments are those of `Client`."""
        self._retries = retries or Retries()
        self._http = httpx.AsyncClient(base_url=url, headers=_headers(api_key), timeout=timeout)

    async def forecast(
        self,
        *,
        explain: bool = True,
        at_least: Sequence[float] = (),
        translate: bool = True,
        **film: Unpack[Film],
    ) -> Forecast:
        """Forecast the rating of one film, as `Client.forecast` does."""
        query = _query(explain=explain, at_least=at_least, translate=translate)
        answer: Forecast = await self._json("POST", "/v1/predict", params=query, json=film)
        return answer

    async def forecast_batch(
        self, films: Sequence[Film], *, translate: bool = True
    ) -> BatchForecast:
        """Forecast up to 100 films; an invalid film gets a problem in its row."""
        body, query = {"films": list(films)}, {"translate": str(translate).lower()}
        answer: BatchForecast = await self._json(
            "POST", "/v1/predict/batch", params=query, json=body
        )
        return answer

    async def options(self) -> Options:
        """Return the genres and languages that the model knows."""
        answer: Options = await self._json("GET", "/v1/options")
        return answer

    async def find_names(self, letters: str, field: NameField = "directors") -> list[str]:
        """Return the names that the model knows and that contain the letters."""
        query = {"q": letters, "field": field, "limit": 50}
        return list((await self._json("GET", "/v1/people", params=query))["names"])

    async def find_films(self, title: str) -> list[ListedFilm]:
        """Return the films of the catalogue with such a title, at most 50, the best match first."""
        query = {"q": title, "limit": 50}
        return list((await self._json("GET", "/v1/films", params=query))["films"])

    async def find_people(self, letters: str, field: NameField = "directors") -> list[FoundName]:
        """Return people whom the model knows by the letters of any of their names."""
        query = {"q": letters, "field": field, "limit": 50}
        return list((await self._json("GET", "/v1/people", params=query))["found"])

    async def ratings(self, genre: str | None = None) -> Ratings:
        """Return the distribution of the ratings of a genre's films, or of all films."""
        query = {} if genre is None else {"genre": genre}
        answer: Ratings = await self._json("GET", "/v1/ratings", params=query)
        return answer

    async def upcoming(
        self, search: str = "", sort: Sorting = "release_date"
    ) -> AsyncIterator[DatedForecast]:
        """Yield the recorded forecasts of upcoming films, from all pages of the list."""
        async for film in self._pages("/v1/forecasts", {"search": search, "sort": sort}):
            yield film

    async def opened(
        self, days: str = "last_week", search: str = ""
    ) -> AsyncIterator[DatedForecast]:
        """Yield the forecasts of films released in some days, such as `last_week` or `2026-11`."""
        async for film in self._pages("/v1/forecasts", {"opened": days, "search": search}):
            yield film

    async def record(
        self, search: str = "", state: State | None = None
    ) -> AsyncIterator[RecordedFilm]:
        """Yield the released films that were forecast, with their rating and score so far."""
        query = {"search": search} if state is None else {"search": search, "state": state}
        async for film in self._pages("/v1/track-record/films", query):
            yield film

    async def version(self) -> VersionInfo:
        """Return the version of the model in service, and its origin."""
        answer: VersionInfo = await self._json("GET", "/v1/version")
        return answer

    async def close(self) -> None:
        """Close the connections to the service."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections to the service."""
        await self.close()

    async def _pages(self, path: str, query: dict[str, str]) -> AsyncIterator[Any]:
        page = await self._json("GET", path, params=query | {"limit": _PAGE})
        for film in page["films"]:
            yield film
        while page["next"]:
            page = await self._json("GET", page["next"])
            for film in page["films"]:
                yield film

    async def _json(self, method: str, path: str, **content: Any) -> Any:
        for attempt in range(1, self._retries.attempts + 1):
            try:
                response = await self._http.request(method, path, **content)
            except _NO_ANSWER:
                wait = self._retries.wait_after_failure(attempt)
                if wait is None:
                    raise
            else:
                wait = self._retries.wait_after(response, attempt)
                if wait is None:
                    return _content(response)
            await asyncio.sleep(wait)
        raise AssertionError("the last attempt has no wait after it")


def _headers(api_key: str | None) -> dict[str, str]:
    return {} if api_key is None else {"X-API-Key": api_key}


def _query(*, explain: bool, at_least: Sequence[float], translate: bool) -> dict[str, Any]:
    return {
        "explain": str(explain).lower(),
        "at_least": list(at_least),
        "translate": str(translate).lower(),
    }


def _content(response: httpx.Response) -> Any:
    if not response.is_success:
        raise error_from(response)
    return response.json()
