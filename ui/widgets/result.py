"""Draw the forecast for a film, with its reasons, similar films, and the errors of the model."""

from collections.abc import Callable, Iterator
from typing import Any

import streamlit as st

from ui.client.api import ApiError, Facts, fetch
from ui.client.model import Model
from ui.client.predictions import Forecast, RatingHistogram
from ui.i18n.words import Words, fill
from ui.widgets import charts, notices, table
from ui.widgets.markdown import plain


def draw(words: Words, facts: Facts, forecast: Forecast) -> None:
    """Draw the forecast for a film, its reasons, similar films, and facts about the model.

    Args:
        words: The texts in the visitor's language.
        facts: The facts about the film, as sent to the API.
        forecast: The API's response.
    """
    for line in remarks(words, forecast):
        st.warning(line, icon=":material/warning:")
    if changed := notices.changed_values(words, forecast):
        st.info(words("page.changed", values=plain("; ".join(changed))))
    with st.container(border=True):
        st.html(_headline(words, forecast))
        genre, ratings = _histogram(facts)
        st.vega_lite_chart(
            spec=charts.rating_scale(words, forecast, ratings),
            alt=_chart_text(words, forecast, genre, ratings),
        )
        notices.small_print(plain(_legend(words, genre, ratings)))
    _reasons(words, forecast)
    _similar_films(words, forecast)
    st.header(words("basis.title"), anchor=False)
    st.markdown("\n".join(f"- {line}" for line in basis(words, forecast, model_of(forecast))))


def _headline(words: Words, forecast: Forecast) -> str:
    """Return HTML that shows the forecast rating and the mood of the plot in large letters."""
    label, score = forecast.mood or ("unknown", None)
    shown = _formatted(words, forecast)
    shown["score"] = "" if score is None else words.points(score)
    chance = forecast.chance
    shown["chance"] = "" if chance is None else words.percent(chance)
    texts = words.section("forecast", **shown)
    filled = {
        **{f"{name}_text": text for name, text in texts.items()},
        "rating": shown["rating"],
        "mood": words.name("moods", label),
        "score": texts["score" if score is not None else _reason_for_no_score(forecast)],
        "translated": texts["translated"] if forecast.translated else "",
        "chance": "" if chance is None else texts["chance"],
    }
    return fill("forecast.html", filled)


def _reason_for_no_score(forecast: Forecast) -> str:
    """Return the name of the text that says why the mood has no score."""
    if forecast.read_in_korean:
        return "read_in_korean"
    was_sent = any(each.field == "overview" for each in forecast.ignored)
    return "unread" if was_sent else "no_plot"


def remarks(words: Words, forecast: Forecast, shown: Callable[[str], str] = plain) -> Iterator[str]:
    """Yield warnings as sentences, in Markdown.

    They name the values that the model did not use, and the facts that are outside the range of the
    training films.

    Args:
        words: The texts in the visitor's language.
        forecast: The forecast.
        shown: Converts a name to the form in which it is shown.
    """
    for field, unused in notices.ignored_values(words, forecast).items():
        line = words("page.ignored", name=shown(unused))
        yield words.name("ignored", field, line)
    if forecast.warnings:
        names = [shown(words.name("fields", field)) for field in forecast.warnings]
        yield words("basis.unlike", names=words.joined(names))


def basis(
    words: Words, forecast: Forecast, model: Model | None, shown: Callable[[str], str] = plain
) -> list[str]:
    """Return sentences about the model that made the forecast, in Markdown.

    They give its error, its training films and its version.

    Args:
        words: The texts in the visitor's language.
        forecast: The forecast.
        model: The description of the model; None if it is not available.
        shown: Converts a name to the form in which it is shown.
    """
    lines = [words("basis.unavailable")]
    if model is not None:
        values = {
            "rmse": words.number(model.form.rmse, "0.00"),
            "mean_rmse": words.number(model.baselines["mean"].rmse, "0.00"),
            "measured_films": words.count("films", model.form.films),
            "train_films": words.count("films", model.train_films),
            "split_date": words.day(model.split_date),
        }
        lines = [words("basis.error", **values)]
        if model.known_until is None:
            lines.append(words("basis.training", **values))
        else:
            until = words.day(model.known_until)
            lines.append(words("basis.training_again", until=until, **values))
    if forecast.missing:
        names = [shown(words.name("fields", field)) for field in forecast.missing]
        lines.append(words("basis.missing", names=words.joined(names)))
    lines.append(words("basis.model", version=forecast.version.replace("`", "")))
    if model is not None and model.registry_away:
        lines.append(words("basis.registry_away"))
    return lines


def model_of(forecast: Forecast) -> Model | None:
    """Request the description of the model that made the forecast from the API.

    The result is None if the API does not answer, or if it uses another model version by now.
    """
    try:
        model = fetch(Model.parse, "/version")
        if model.version != forecast.version:  # it was kept from before the model was swapped
            model = fetch(Model.parse, "/version", fresh=True)
    except ApiError:
        return None
    # The service may have swapped its model between the two requests.
    return model if model.version == forecast.version else None


def reasons(words: Words, forecast: Forecast) -> list[tuple[str, float]]:
    """Return the reasons for a forecast as pairs of a name and rating points.

    The name is that of a feature group, such as the genre. Reasons that would be shown as 0.00 are
    left out.
    """
    return [
        (words.name("groups", group), points)
        for group, points in forecast.reasons
        if abs(points) >= 0.005  # noqa: PLR2004 - half of the last digit shown
    ]


def _formatted(words: Words, forecast: Forecast) -> dict[str, str]:
    points = ("rating", "low", "high", "average")
    shown = {name: words.number(getattr(forecast, name), "0.0") for name in points}
    return shown | {"coverage": words.percent(forecast.coverage)}


def _histogram(facts: Facts) -> tuple[str | None, RatingHistogram | None]:
    """Request a histogram of ratings from the API, for films with the film's main genre.

    If the API has no histogram for this genre, the histogram of all films is requested.

    Returns:
        The genre of the histogram (None for all films), and the histogram (None if the API cannot
        send one).
    """
    genres = facts.get("genres") or [None]
    for genre in dict.fromkeys((genres[0], None)):
        try:
            params = {"genre": genre} if genre else None
            return genre, fetch(RatingHistogram.parse, "/ratings", params=params)
        except ApiError:
            continue
    return None, None


def _chart_text(
    words: Words, forecast: Forecast, genre: str | None, ratings: RatingHistogram | None
) -> str:
    picture = words("forecast.picture", **_formatted(words, forecast))
    return f"{picture} {_legend(words, genre, ratings)}"


def _legend(words: Words, genre: str | None, ratings: RatingHistogram | None) -> str:
    if ratings is None:
        return words("picture.legend_alone")
    values: dict[str, Any] = {
        "films": words.count("films", ratings.films),
        "mean": words.number(ratings.mean, "0.0"),
    }
    if genre is None:
        return words("picture.legend_all", **values)
    return words("picture.legend", genre=words.name("genres", genre), **values)


def _reasons(words: Words, forecast: Forecast) -> None:
    named = reasons(words, forecast)
    if not named:
        return
    st.header(words("reasons.title"), anchor=False)
    values = {
        "average": words.number(forecast.average, "0.0"),
        "rating": words.number(forecast.rating, "0.0"),
    }
    st.markdown(words("reasons.lead", **values))
    parts = [f"{name} {words.points(points)}" for name, points in named]
    st.vega_lite_chart(spec=charts.contributions(named), alt=words.joined(parts))
    notices.small_print(plain(words.joined(parts)))


def _similar_films(words: Words, forecast: Forecast) -> None:
    if not forecast.similar_films:
        return
    st.header(words("comparables.title"), anchor=False)
    table.draw(
        words("comparables.lead"),
        [words(f"comparables.{name}") for name in ("film", "year", "rating")],
        [
            (film.title, str(film.year), words.number(film.rating, "0.0"))
            for film in forecast.similar_films
        ],
        numbers=(1, 2),
    )
