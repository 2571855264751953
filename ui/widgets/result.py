"""Showing a forecast, and what it rests on."""

from collections.abc import Iterator
from typing import Any

import streamlit as st

from ui.client.api import ApiError, Facts, ask
from ui.client.model import Model
from ui.client.predictions import Forecast, Ratings
from ui.i18n.words import Words, fill
from ui.widgets import charts, note, table


def show(words: Words, told: Facts, forecast: Forecast) -> None:
    """The rating and its place among films of its genre, the reasons, films like it, the basis."""
    for line in remarks(words, forecast):
        st.warning(line, icon=":material/warning:")
    with st.container(border=True):
        st.html(figures(words, forecast))
        genre, ratings = _ratings(told)
        st.vega_lite_chart(
            spec=charts.on_the_scale(words, forecast, ratings),
            alt=_described(words, forecast, genre, ratings),
        )
        note.show(_legend(words, genre, ratings))
    _reasons(words, forecast)
    _comparables(words, forecast)
    st.header(words("basis.title"), anchor=False)
    st.markdown("\n".join(f"- {line}" for line in basis(words, forecast, model_behind(forecast))))


def figures(words: Words, forecast: Forecast) -> str:
    """Rating and mood, filled into `forecast.html`."""
    label, score = forecast.mood or ("unknown", None)
    shown = _shown(words, forecast)
    shown["score"] = "" if score is None else words.points(score)
    texts = words.section("forecast", **shown)
    no_score = "read_in_korean" if forecast.read_in_korean else "no_score"
    filled = {
        **{f"{name}_text": text for name, text in texts.items()},
        "rating": shown["rating"],
        "mood": words.name("moods", label),
        "score": texts[no_score if score is None else "score"],
        "translated": texts["translated"] if forecast.translated else "",
    }
    return fill("forecast.html", filled)


def remarks(words: Words, forecast: Forecast) -> Iterator[str]:
    """What did not enter the forecast, and what is unlike all that the model learned from."""
    for field in forecast.ignored:
        unused = words("page.ignored", name=words.name("fields", field))
        yield words.name("ignored", field, unused)
    if forecast.warnings:
        names = [words.name("fields", field) for field in forecast.warnings]
        yield words("basis.unlike", names=words.all_of(names))


def basis(words: Words, forecast: Forecast, model: Model | None) -> list[str]:
    """What the forecast rests on, in sentences of Markdown."""
    lines = [words("basis.unavailable")]
    if model is not None:
        told = {
            "rmse": words.number(model.form.rmse, "0.00"),
            "mean_rmse": words.number(model.baselines["mean"].rmse, "0.00"),
            "measured_films": words.count("films", model.form.films),
            "train_films": words.count("films", model.train_films),
            "split_date": words.day(model.split_date),
        }
        lines = [words("basis.error", **told), words("basis.training", **told)]
    if forecast.missing:
        names = [words.name("fields", field) for field in forecast.missing]
        lines.append(words("basis.missing", names=words.all_of(names)))
    lines.append(words("basis.model", version=forecast.version))
    if model is not None and model.registry_away:
        lines.append(words("basis.registry_away"))
    return lines


def model_behind(forecast: Forecast) -> Model | None:
    """What is known of the model that forecast; None if it cannot be had."""
    try:
        model = ask(Model.read, "/version")
    except ApiError:
        return None
    # The service may have moved to another version between two requests.
    return model if model.version == forecast.version else None


def reasons(words: Words, forecast: Forecast) -> list[tuple[str, float]]:
    """The groups of facts by name, and what each adds, but for what makes no difference."""
    return [
        (words.name("groups", group), points)
        for group, points in forecast.reasons
        if abs(points) >= 0.005  # noqa: PLR2004 - less is shown as 0.00
    ]


def _shown(words: Words, forecast: Forecast) -> dict[str, str]:
    points = ("rating", "low", "high", "average")
    shown = {name: words.number(getattr(forecast, name), "0.0") for name in points}
    return shown | {"coverage": words.percent(forecast.coverage)}


def _ratings(told: Facts) -> tuple[str | None, Ratings | None]:
    """How films of the main genre were rated, or of all genres; None where nobody can say."""
    genres = told.get("genres") or [None]
    for genre in dict.fromkeys((genres[0], None)):
        try:
            return genre, ask(Ratings.read, "/ratings", params={"genre": genre} if genre else None)
        except ApiError:
            continue
    return None, None


def _described(words: Words, forecast: Forecast, genre: str | None, ratings: Ratings | None) -> str:
    picture = words("forecast.picture", **_shown(words, forecast))
    return f"{picture} {_legend(words, genre, ratings)}"


def _legend(words: Words, genre: str | None, ratings: Ratings | None) -> str:
    if ratings is None:
        return words("picture.legend_alone")
    told: dict[str, Any] = {
        "films": words.count("films", ratings.films),
        "mean": words.number(ratings.mean, "0.0"),
    }
    if genre is None:
        return words("picture.legend_all", **told)
    return words("picture.legend", genre=words.name("genres", genre), **told)


def _reasons(words: Words, forecast: Forecast) -> None:
    named = reasons(words, forecast)
    if not named:
        return
    st.header(words("reasons.title"), anchor=False)
    told = {
        "average": words.number(forecast.average, "0.0"),
        "rating": words.number(forecast.rating, "0.0"),
    }
    st.markdown(words("reasons.lead", **told))
    parts = [f"{name} {words.points(points)}" for name, points in named]
    st.vega_lite_chart(spec=charts.contributions(named), alt=words.all_of(parts))
    note.show(words.all_of(parts))


def _comparables(words: Words, forecast: Forecast) -> None:
    if not forecast.comparables:
        return
    st.header(words("comparables.title"), anchor=False)
    table.show(
        words("comparables.lead"),
        [words(f"comparables.{name}") for name in ("film", "year", "rating")],
        [
            (film.title, str(film.year), words.number(film.rating, "0.0"))
            for film in forecast.comparables
        ],
        numbers=(1, 2),
    )
