"""Write a forecast as a PDF document.

For Korean text, the document uses a standard font that PDF readers contain. So neither the document
nor the project needs a font file.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
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
from ui.client.predictions import Forecast
from ui.i18n.words import Words
from ui.widgets import charts, fields, headline, reliability, result, scenarios
from ui.widgets.reliability import Background
from ui.widgets.scenarios import Scenario

KOREAN: Final = "HYGothic-Medium"
LATIN: Final = "Helvetica"
WIDTH: Final = 160 * mm
_THRESHOLD: Final = headline.DEFAULT_THRESHOLD

pdfmetrics.registerFont(UnicodeCIDFont(KOREAN))


@dataclass(frozen=True)
class Answer:
    """What a document is about.

    Attributes:
        facts: The facts about the film.
        forecast: The forecast for the film.
        background: What is known about the model.
        scenarios: Variants of the film, with their forecasts.
    """

    facts: Facts
    forecast: Forecast
    background: Background
    scenarios: Sequence[Scenario] = ()


def document(words: Words, answer: Answer) -> bytes:
    """Return the content of a PDF file about the forecast for one film.

    It has the facts about the film, the forecast with its reasons, similar films, and the errors of
    the model.
    """
    stream = io.BytesIO()
    title = answer.facts.get("title") or words("page.title")
    SimpleDocTemplate(
        stream, pagesize=A4, leftMargin=25 * mm, rightMargin=25 * mm, title=title, author="TMDB API"
    ).build(_story(words, title, answer))
    return stream.getvalue()


def _story(words: Words, title: str, answer: Answer) -> list[Flowable]:
    facts, forecast = answer.facts, answer.forecast
    mood = words.name("moods", forecast.mood[0] if forecast.mood else "unknown")
    shown = headline.formatted(words, forecast)
    reasons = result.reasons(words, forecast)
    background = answer.background
    track_record = reliability.track_record(words, facts, forecast, background, str)
    return [
        _text(title, 18),
        *(_text(f"{words.name('fields', name)}: {each}", 9) for name, each in _facts(words, facts)),
        Spacer(1, 6 * mm),
        *(_text(line, 12) for line in headline.whole_chances(words, forecast)),
        _text(words("forecast.interval", **shown), 14),
        _scale(forecast),
        _text(f"{words('forecast.rating_label')}: {shown['rating']}"),
        _text(words("forecast.average", **shown)),
        _text(f"{words('forecast.mood_label')}: {mood}"),
        *map(_markdown, result.remarks(words, forecast, str)),
        *_table(words("reasons.title"), [(name, words.points(points)) for name, points in reasons]),
        *_scenarios(words, answer),
        *_lines(words("reliability.title"), track_record, words("reliability.explained")),
        *_lines(
            words("reliability.sharper"),
            reliability.sharper(words, forecast, background),
            words("reliability.measured"),
        ),
        *_table(
            words("comparables.title"),
            [
                (f"{film.title} ({film.year})", words.number(film.rating, "0.0"))
                for film in forecast.similar_films
            ],
        ),
        *_lines(words("basis.title"), result.basis(words, forecast, background.model, str)),
        Spacer(1, 6 * mm),
        _text(words("page.notice"), 8),
    ]


def _lines(title: str, lines: Sequence[str], note: str = "") -> list[Flowable]:
    if not lines:
        return []
    return [
        Spacer(1, 4 * mm),
        _text(title, 12),
        *(_markdown(line, 9) for line in (*lines, *([note] if note else []))),
    ]


def _scenarios(words: Words, answer: Answer) -> list[Flowable]:
    if not answer.scenarios:
        return []
    flowables: list[Flowable] = [Spacer(1, 4 * mm), _text(words("what_if.title"), 12)]
    for at, scenario in enumerate(answer.scenarios, 1):
        rating = words.number(scenario.forecast.rating, "0.0")
        differences = scenarios.differences(words, answer.facts, scenario.facts)
        flowables += [
            _text(f"{words('what_if.scenario', number=str(at))}: {'; '.join(differences)}"),
            _text(f"{words('forecast.rating_label')}: {rating}"),
            *(_text(line, 9) for line in headline.in_short(words, scenario.forecast, _THRESHOLD)),
            *(_markdown(line, 9) for line in result.remarks(words, scenario.forecast, str)),
        ]
    return flowables


def _markdown(line: str, size: int = 10) -> Paragraph:
    """Return a line of the page as a paragraph, without the characters of Markdown."""
    return _text(line.replace("*", "").replace("`", ""), size)


def _facts(words: Words, facts: Facts) -> list[tuple[str, str]]:
    return [
        (name, fields.shown(words, name, value)) for name, value in facts.items() if name != "title"
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
    interval = Rect(at(forecast.low), 16, at(forecast.high) - at(forecast.low), 6)
    interval.fillColor, interval.strokeColor = accent, accent
    drawing.add(Line(0, 19, WIDTH, 19, strokeColor=faint))
    drawing.add(interval)
    drawing.add(Line(at(forecast.average), 12, at(forecast.average), 26, strokeColor=faint))
    point = Circle(at(forecast.rating), 19, 5, fillColor=HexColor(charts.POINT_FILL))
    point.strokeColor, point.strokeWidth = HexColor(charts.POINT_LINE), 2
    drawing.add(point)
    for end in charts.SCALE:
        drawing.add(String(at(end), 2, str(end), fontSize=8, textAnchor="middle"))
    return drawing
