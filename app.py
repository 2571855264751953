"""The page: a form about a film, and a picture of the forecast that the API gives for it.

Run it with `streamlit run app.py`. It imports nothing of the project: what it shows of the model
it asks over HTTP, anew each time, so that nothing on it grows stale. Its texts are in `page/`.
"""

import logging
import math
import os
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final, TypeVar

import requests
import streamlit as st
from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

logger = logging.getLogger("page")

DEFAULT_API_URL: Final = "http://127.0.0.1:8000"
# Reading takes longer than the API allows itself for a translation.
CONNECT_AND_READ_SECONDS: Final = (3, 15)
PAGE: Final = Path(__file__).parent / "page"
PAGE_LANGUAGES: Final = {"ko": "한국어", "en": "English"}
# TMDB's own codes that are no ISO 639-1.
TMDB_LANGUAGES: Final = {"cn": "yue", "xx": "zxx"}
UNKNOWN: Final = ""
RUNTIME_MINUTES: Final = (1, 600)
PLOT_CHARACTERS: Final = 10_000
SCALE: Final = 10

Answer = TypeVar("Answer")


class Words:
    """The texts of the page in one language, and how it writes numbers, dates and names."""

    def __init__(self, language: str) -> None:
        path = PAGE / f"{language}.toml"
        self._tables: dict[str, dict[str, str]] = tomllib.loads(path.read_text("utf-8"))
        self.locale = Locale(language)

    def __call__(self, key: str, **values: str) -> str:
        """The text under `section.key`, its placeholders filled in."""
        section, name = key.split(".")
        return self._tables[section][name].format(**values)

    def section(self, section: str, **values: str) -> dict[str, str]:
        """All texts of a section, their placeholders filled in."""
        return {name: text.format(**values) for name, text in self._tables[section].items()}

    def name(self, section: str, name: str, otherwise: str | None = None) -> str:
        """What something of the API is called here; by its own name where nothing is known."""
        return self._tables[section].get(name, name if otherwise is None else otherwise)

    def language(self, code: str) -> str:
        """The name of a language by TMDB's code."""
        return str(self.locale.languages.get(TMDB_LANGUAGES.get(code, code), code))

    def number(self, value: float, pattern: str = "#,##0") -> str:
        """A number in a pattern of Unicode's CLDR."""
        return format_decimal(value, pattern, locale=self.locale)


class ApiError(Exception):
    """The API gave no answer that can be shown.

    Attributes:
        kind: The key of the texts' section `problem` that says why.
        detail: The API's own words.
        errors: Pairs of a field and what is wrong with it.
    """

    def __init__(self, kind: str, detail: str = "", errors: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(kind, detail)
        self.kind, self.detail, self.errors = kind, detail, list(errors)


@dataclass(frozen=True)
class Choices:
    """Names of genres and TMDB's codes of languages that the model in service tells apart."""

    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @classmethod
    def read(cls, answer: Any) -> "Choices":
        """Take them from an answer of `GET /options`."""
        return cls(
            tuple(str(genre["name"]) for genre in answer["genres"]),
            tuple(str(language["language"]) for language in answer["languages"]),
        )


@dataclass(frozen=True)
class Forecast:
    """A forecast.

    Attributes:
        mood: Label and score.
        ignored: Fields that were sent and did not enter the forecast.
    """

    rating: float
    low: float
    high: float
    coverage: float
    average: float
    mood: tuple[str, float] | None
    translated: bool
    missing: tuple[str, ...]
    ignored: tuple[str, ...]
    version: str

    @classmethod
    def read(cls, answer: Any) -> "Forecast":
        """Take it from an answer of `POST /predict`."""
        interval, mood = answer["interval"], answer["mood"]
        return cls(
            rating=_finite(answer["rating"]),
            low=_finite(interval["low"]),
            high=_finite(interval["high"]),
            coverage=_finite(interval["coverage"]),
            average=_finite(answer["average"]),
            mood=None if mood is None else (str(mood["label"]), _finite(mood["score"])),
            translated=bool(answer["translated"]),
            missing=tuple(str(field) for field in answer["missing"]),
            ignored=tuple(dict.fromkeys(str(entry["field"]) for entry in answer["ignored"])),
            version=str(answer["version"]),
        )


@dataclass(frozen=True)
class Model:
    """The model in service: what it learned from, and its error where only this form is known."""

    version: str
    rmse: float
    mean_rmse: float
    measured_films: int
    train_films: int
    split_date: date
    registry_away: bool

    @classmethod
    def read(cls, answer: Any) -> "Model":
        """Take it from an answer of `GET /version`."""
        scores, split = answer["metrics"]["form"], answer["split"]
        return cls(
            version=str(answer["version"]),
            rmse=_finite(scores["rmse"]),
            mean_rmse=_finite(answer["baselines"]["mean"]["rmse"]),
            measured_films=int(scores["n"]),
            train_films=int(split["train_films"]),
            split_date=date.fromisoformat(split["split_date"]),
            registry_away=bool(answer["loaded_from"] == "cache" or answer["registry_problem"]),
        )


def _finite(value: Any) -> float:
    if math.isfinite(number := float(value)):
        return number
    raise ValueError(f"{number} cannot be shown")


def _ask(read: Callable[[Any], Answer], path: str, facts: dict[str, Any] | None = None) -> Answer:
    """Send facts to the API, or get what it has under a path, and read its answer.

    Raises:
        ApiError: There is no answer, or none that can be read.
    """
    url = (os.environ.get("API_URL") or DEFAULT_API_URL).rstrip("/") + path
    method = "GET" if facts is None else "POST"
    try:
        answer = requests.request(method, url, json=facts, timeout=CONNECT_AND_READ_SECONDS)
    except requests.RequestException as error:
        # The type alone: the text may hold the URL, and the URL a password.
        logger.warning("no answer to %s: %s", path, type(error).__name__)
        kind = "slow" if isinstance(error, requests.Timeout) else "away"
        raise ApiError(kind) from None
    if not answer.ok:
        raise _refusal(answer)
    try:
        return read(answer.json())
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        logger.warning("the answer to %s cannot be read: %s", path, type(error).__name__)
        raise ApiError("unexpected") from None


def _refusal(answer: requests.Response) -> ApiError:
    """What a problem document of RFC 9457 tells, or the bare status where there is none."""
    kind = {503: "no_model", 422: "refused"}.get(answer.status_code, "unexpected")
    try:
        body = answer.json()
        errors = [(str(error["field"]), str(error["message"])) for error in body["errors"]]
        return ApiError(kind, str(body["detail"]), errors)
    except (KeyError, TypeError, ValueError):
        return ApiError(kind, f"HTTP {answer.status_code}")


def _header() -> Words:
    """The switch of the page's language, which `?lang=` presets, and what the page is for."""
    wanted = st.query_params.get("lang")
    preset = wanted if wanted in PAGE_LANGUAGES else next(iter(PAGE_LANGUAGES))
    words = Words(st.session_state.setdefault("ui", preset))
    st.set_page_config(page_title=words("page.title"), page_icon="🎬")
    st.container(horizontal_alignment="right").segmented_control(
        words("page.switch"),
        list(PAGE_LANGUAGES),
        format_func=PAGE_LANGUAGES.__getitem__,
        key="ui",
        on_change=_switch_language,
        required=True,
        label_visibility="collapsed",
    )
    st.title(words("page.title"), anchor=False)
    st.markdown(words("page.lead"))
    return words


def _switch_language() -> None:
    """Keep what is chosen: the browser sends it by labels, which are about to change."""
    state = st.session_state
    st.query_params["lang"] = state.ui
    for key in ("language", "genre"):
        state[key] = state.get(key, UNKNOWN)
    untouched = not any(state.get(key) for key in ("runtime", "genre", "plot"))
    if untouched and state.language in PAGE_LANGUAGES:
        state.language = state.ui


def _form(words: Words, choices: Choices) -> dict[str, Any]:
    """The fields; gives what is filled in as `POST /predict` takes it."""
    preset = st.session_state.ui
    offered = preset in choices.languages or not choices.languages
    st.session_state.setdefault("language", preset if offered else UNKNOWN)
    first, second, third = st.columns(3)
    runtime = first.number_input(
        words("form.runtime"),
        *RUNTIME_MINUTES,
        value=None,
        placeholder=words("form.runtime_example"),
        key="runtime",
        on_change="ignore",
    )
    with second:
        language = _choice(words, "language", choices.languages, words.language)
    with third:
        genre = _choice(words, "genre", choices.genres, lambda name: words.name("genres", name))
    plot = st.text_area(
        words("form.plot"),
        height=140,
        max_chars=PLOT_CHARACTERS,
        placeholder=words("form.plot_example"),
        key="plot",
        on_change="ignore",
    )
    st.caption(words("form.plot_note"))
    genres = [genre] if genre else []
    facts = {"overview": plot.strip(), "genres": genres, "language": language, "runtime": runtime}
    return {name: value for name, value in facts.items() if value}


def _choice(words: Words, key: str, options: Iterable[str], called: Callable[[str], str]) -> str:
    """One of the options in the order of their names, or `UNKNOWN`; what is chosen stays."""
    chosen = st.session_state.get(key, UNKNOWN)
    names = {option: called(option) for option in {*options, chosen} - {UNKNOWN}}
    choice: str = st.selectbox(
        words(f"form.{key}"),
        [UNKNOWN, *sorted(names, key=names.__getitem__)],
        format_func=lambda option: names.get(option, words("form.unknown")),
        key=key,
        on_change="ignore",
    )
    return choice


def _show_problem(words: Words, problem: ApiError) -> None:
    """Say why there is no answer; what the API says itself is plain text, no Markdown."""
    st.error(words(f"problem.{problem.kind}"), icon=":material/error:")
    for field, message in problem.errors:
        field_name = words.name("fields", field.split(".")[0])
        st.text(words.name("faults", field, f"{field_name}: {message}"))
    if problem.detail and not problem.errors:
        st.text(words("page.detail", detail=problem.detail))


def _show_forecast(words: Words, forecast: Forecast, model: Model | None) -> None:
    for field in forecast.ignored:
        unused = words("page.ignored", name=words.name("fields", field))
        st.warning(words.name("ignored", field, unused), icon=":material/warning:")
    st.container(border=True).html(_picture(words, forecast))
    st.header(words("basis.title"), anchor=False)
    st.markdown("\n".join(f"- {line}" for line in _basis(words, forecast, model)))


def _picture(words: Words, forecast: Forecast) -> str:
    """The figures and their place on the scale, filled into `page/forecast.html`.

    No chart: Streamlit's load pandas and pyarrow, 100 MB on a serving machine of 1 GiB.
    """
    label, score = forecast.mood or ("unknown", None)
    points = {name: getattr(forecast, name) for name in ("rating", "low", "high", "average")}
    shown = {name: words.number(point, "0.0") for name, point in points.items()}
    shown["coverage"] = format_percent(forecast.coverage, locale=words.locale)
    shown["score"] = "" if score is None else words.number(score, "+0.00;−0.00")
    shares = {name: min(max(point / SCALE, 0), 1) for name, point in points.items()}
    shares["interval"] = shares["high"] - shares["low"]
    texts = words.section("forecast", **shown)
    filled = {
        **{f"{name}_text": text for name, text in texts.items()},
        **{f"{name}_share": f"{share:.1%}" for name, share in shares.items()},
        "rating": shown["rating"],
        "mood": words.name("moods", label),
        "score": texts["no_score" if score is None else "score"],
        "translated": texts["translated"] if forecast.translated else "",
    }
    return _fill("forecast.html", filled)


def _fill(template: str, values: dict[str, str]) -> str:
    """A file of `page/` with values, any text, in place of its `$names`."""
    escaped = {name: escape(value) for name, value in values.items()}
    return Template((PAGE / template).read_text("utf-8")).substitute(escaped)


def _basis(words: Words, forecast: Forecast, model: Model | None) -> list[str]:
    """What the forecast rests on, in sentences of Markdown."""
    lines = [words("basis.unavailable")]
    if model is not None:
        facts = {
            "rmse": words.number(model.rmse, "0.00"),
            "mean_rmse": words.number(model.mean_rmse, "0.00"),
            "measured_films": words.number(model.measured_films),
            "train_films": words.number(model.train_films),
            "split_date": format_date(model.split_date, "long", locale=words.locale),
        }
        lines = [words("basis.error", **facts), words("basis.training", **facts)]
    if forecast.missing:
        names = [words.name("fields", field) for field in forecast.missing]
        lines.append(words("basis.missing", names=format_list(names, locale=words.locale)))
    lines.append(words("basis.model", version=forecast.version))
    if model is not None and model.registry_away:
        lines.append(words("basis.registry_away"))
    return lines


def _model_behind(forecast: Forecast) -> Model | None:
    """What is known of the model that forecast; None if it cannot be had."""
    try:
        model = _ask(Model.read, "/version")
    except ApiError:
        return None
    # The service may have moved to another version between two requests.
    return model if model.version == forecast.version else None


def main() -> None:
    """Draw the page from the top, as Streamlit does after every click."""
    state = st.session_state
    words = _header()
    above = st.container()
    choices, problem = Choices(), None
    try:
        choices = _ask(Choices.read, "/options")
    except ApiError as error:
        problem = error
    facts = _form(words, choices)
    # Kept is the question, never the answer: after a switch of language the API is asked anew.
    if st.button(words("form.submit"), type="primary", width="stretch"):
        state.asked = facts
    if "asked" in state:
        try:
            with st.spinner(words("form.waiting")):
                forecast = _ask(Forecast.read, "/predict", state.asked)
                model = _model_behind(forecast)
            _show_forecast(words, forecast, model)
        except ApiError as error:
            problem = error
    if problem is not None:
        with st.container() if "asked" in state else above:
            _show_problem(words, problem)
        if "asked" not in state:
            above.button(words("page.retry"))
    st.divider()
    st.caption(words("page.notice"))
    st.html(_fill("document.html", {"language": state.ui}), unsafe_allow_javascript=True)


if __name__ == "__main__":
    main()
