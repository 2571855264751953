"""Write a forecast as a PDF document.

For Korean text, the document uses a standard font that PDF readers contain. So neither the document
nor the project needs a font file.
"""

import io
from html import escape
from typing import Final

from reportlab.graphics.shapes import Circle, Drawing, Line, Rect, String
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

from ui.client.api import Facts
from ui.client.model import Model
from ui.client.predictions import Forecast
from ui.i18n.words import Words
from ui.widgets import charts, result

KOREAN: Final = "HYGothic-Medium"
LATIN: Final = "Helvetica"
WIDTH: Final = 160 * mm

pdfmetrics.registerFont(UnicodeCIDFont(KOREAN))


def document(words: Words, facts: Facts, forecast: Forecast, model: Model | None) -> bytes:
    """Return the content of a PDF file about the forecast for one film.

    It has the facts about the film, the forecast with its reasons, similar films, and the errors of
    the model.
    """
    stream = io.BytesIO()
    title = facts.get("title") or words("page.title")
    SimpleDocTemplate(
        stream, pagesize=A4, leftMargin=25 * mm, rightMargin=25 * mm, title=title, author="TMDB API"
    ).build(_story(words, title, facts, forecast, model))
    return stream.getvalue()


def _story(
    words: Words, title: str, facts: Facts, forecast: Forecast, model: Model | None
) -> list[Flowable]:
    mood = words.name("moods", forecast.mood[0] if forecast.mood else "unknown")
    shown = {
        name: words.number(getattr(forecast, name), "0.0") for name in ("low", "high", "average")
    } | {"coverage": words.percent(forecast.coverage)}
    return [
        _text(title, 18),
        *(_text(f"{words.name('fields', name)}: {each}", 9) for name, each in _facts(words, facts)),
        Spacer(1, 6 * mm),
        _text(f"{words('forecast.rating_label')}: {words.number(forecast.rating, '0.0')}", 16),
        _text(words("forecast.interval", **shown)),
        _scale(forecast),
        _text(f"{words('forecast.mood_label')}: {mood}"),
        # The texts are Markdown for the page; a PDF has none, so remove its characters.
        *(_text(line.replace("*", "")) for line in result.remarks(words, forecast, str)),
        *_table(
            words("reasons.title"),
            [(name, words.points(points)) for name, points in result.reasons(words, forecast)],
        ),
        *_table(
            words("comparables.title"),
            [
                (f"{film.title} ({film.year})", words.number(film.rating, "0.0"))
                for film in forecast.similar_films
            ],
        ),
        _text(words("basis.title"), 12),
        *(
            _text(line.replace("*", "").replace("`", ""), 9)
            for line in result.basis(words, forecast, model, str)
        ),
        Spacer(1, 6 * mm),
        _text(words("page.notice"), 8),
    ]


def _facts(words: Words, facts: Facts) -> list[tuple[str, str]]:
    shown = dict(facts)
    if "genres" in shown:
        shown["genres"] = [words.name("genres", genre) for genre in shown["genres"]]
    if "countries" in shown:
        shown["countries"] = [words.country(code) for code in shown["countries"]]
    if "language" in shown:
        shown["language"] = words.language(shown["language"])
    shown.pop("title", None)
    return [
        (name, ", ".join(value) if isinstance(value, list) else str(value))
        for name, value in shown.items()
    ]


def _text(text: str, size: int = 10) -> Paragraph:
    style = ParagraphStyle(
        "text",
        fontName=_font(text),
        fontSize=size,
        leading=size * 1.5,
        wordWrap=None if _font(text) == LATIN else "CJK",
    )
    return Paragraph(escape(text), style)


def _font(text: str) -> str:
    """Return the name of the font for a text.

    It is Helvetica if this font has every letter in the text, otherwise a Korean font.
    """
    try:
        text.replace("−", "-").encode("cp1252")
    except UnicodeEncodeError:
        return KOREAN
    return LATIN


def _table(title: str, rows: list[tuple[str, str]]) -> list[Flowable]:
    if not rows:
        return []
    # Helvetica's encoding has no true minus sign (U+2212), so use a hyphen.
    cells = [[_text(name), _text(value.replace("−", "-"))] for name, value in rows]
    return [Spacer(1, 4 * mm), _text(title, 12), Table(cells, colWidths=[WIDTH * 0.8, WIDTH * 0.2])]


def _scale(forecast: Forecast) -> Drawing:
    """Draw the rating scale from 0 to 10, with three things on it.

    These are the forecast, its interval, and the forecast for a film without any known facts.
    """

    def at(rating: float) -> float:
        low, high = charts.SCALE
        return (min(max(rating, low), high) - low) / (high - low) * WIDTH

    drawing = Drawing(WIDTH, 34)
    accent, faint = HexColor(charts.ACCENT), HexColor(charts.FAINT)
    whole = Rect(0, 16, WIDTH, 6)
    whole.fillColor, whole.fillOpacity, whole.strokeWidth = faint, 0.3, 0
    interval = Rect(at(forecast.low), 16, at(forecast.high) - at(forecast.low), 6)
    interval.fillColor, interval.strokeWidth = accent, 0
    drawing.add(whole)
    drawing.add(interval)
    drawing.add(Line(at(forecast.average), 12, at(forecast.average), 26, strokeColor=faint))
    drawing.add(Circle(at(forecast.rating), 19, 5, fillColor=accent))
    for end in charts.SCALE:
        drawing.add(String(at(end), 2, str(end), fontSize=8, textAnchor="middle"))
    return drawing
