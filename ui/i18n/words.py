"""Texts, number formats, and names of languages and countries, in each language of the UI."""

import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

FOLDER: Final = Path(__file__).parent
TEMPLATES: Final = FOLDER / "templates"
# The first language is the default for visitors.
LANGUAGES: Final = {"ko": "한국어", "en": "English"}
# TMDB's own language codes, which are not in ISO 639-1, and the codes that Babel uses. The UI must
# not import `movierating.films.languages`, which has the same table, so a test compares the two.
TMDB_LANGUAGES: Final = {"cn": "yue", "xx": "zxx"}

Tables = dict[str, dict[str, str]]


class Words:
    """The texts of the UI in one language."""

    def __init__(self, language: str) -> None:
        self.code = language
        self.locale = Locale(language)
        self._tables = _tables(language)

    def __call__(self, key: str, **values: str) -> str:
        """Return the text for a key such as `page.title`, with its placeholders filled in."""
        section, name = key.split(".")
        return self._tables[section][name].format(**values)

    def section(self, section: str, **values: str) -> dict[str, str]:
        """Return all texts of a section by name, with their placeholders filled in."""
        return {name: text.format(**values) for name, text in self._tables[section].items()}

    def name(self, section: str, name: str, default: str | None = None) -> str:
        """Translate a name from the API; without a translation, return `default` or the name."""
        return self._tables[section].get(name, name if default is None else default)

    def language(self, code: str) -> str:
        """Return the name of a language, given TMDB's code."""
        return str(self.locale.languages.get(TMDB_LANGUAGES.get(code, code), code))

    def country(self, code: str) -> str:
        """Return the name of a country, given its ISO 3166-1 code."""
        return str(self.locale.territories.get(code, code))

    def month(self, number: int) -> str:
        """Return the name of a month, given its number from 1 to 12."""
        # In some languages a month's name has another form inside a date; this is the form outside.
        return str(self.locale.months["stand-alone"]["wide"][number])

    def number(self, value: float, pattern: str = "#,##0") -> str:
        """Format a number by a Unicode CLDR pattern, such as "0.00", in the language's style."""
        return str(format_decimal(value, pattern, locale=self.locale))

    def count(self, what: str, number: int) -> str:
        """Return a number with its noun, such as "3 films".

        Args:
            what: The noun's name in the section `[counts]` of the texts, without its plural form.
            number: The number.
        """
        # CLDR says which plural form a language uses for a number: Korean has only one form.
        form = self.locale.plural_form(number)
        return self(f"counts.{what}_{form}", n=self.number(number))

    def points(self, value: float) -> str:
        """Format a difference in rating points, with its sign."""
        # The minus is U+2212, which is as wide as the plus; a hyphen is narrower.
        return self.number(value, "+0.00;−0.00")

    def percent(self, share: float) -> str:
        """Format a fraction from 0 to 1 as a whole percentage."""
        return str(format_percent(share, locale=self.locale))

    def day(self, day: date) -> str:
        """Format a date with the month's full name."""
        return str(format_date(day, "long", locale=self.locale))

    def moment(self, at: datetime) -> str:
        """Format a time to the minute, in UTC."""
        # Babel's Korean format writes an English AM or PM, so use a 24-hour clock.
        utc = at.astimezone(UTC)
        return f"{format_date(utc, 'medium', locale=self.locale)} {utc:%H:%M} UTC"

    def joined(self, names: Iterable[str]) -> str:
        """Join names into one phrase, such as "a, b and c"."""
        return str(format_list(list(names), locale=self.locale))


def widget_texts(language: str) -> dict[str, str]:
    """Return translations of the texts inside Streamlit's own widgets.

    Returns:
        A dictionary from a text in any language to the same text in `language`. So the browser can
        translate a widget again after the visitor switches the language.
    """
    target = Words(language)
    every = [Words(code) for code in LANGUAGES]
    originals = {original for words in every for original in words.section("streamlit")}
    return {
        text: target.name("streamlit", original)
        for original in originals
        for text in (original, *(words.name("streamlit", original) for words in every))
    }


@cache
def _tables(language: str) -> Tables:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))


def fill(template: str, values: dict[str, str]) -> str:
    """Fill the `$names` in an HTML template with values; HTML in the values is escaped.

    Args:
        template: The file's name in `TEMPLATES`.
        values: The text for each name.
    """
    escaped = {name: escape(value) for name, value in values.items()}
    return Template((TEMPLATES / template).read_text("utf-8")).substitute(escaped)
