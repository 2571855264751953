"""The texts of the UI in each of its languages.

This module also formats numbers and dates, and translates the names of languages and countries.
"""

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
        """Return the text with this key, such as `page.title`.

        Args:
            key: The section and the name of the text in the language's TOML file.
            values: The values for the placeholders in the text, by the placeholder's name.
        """
        section, name = key.split(".")
        return self._tables[section][name].format(**values)

    def section(self, section: str, **values: str) -> dict[str, str]:
        """Return all texts in one section of the language's TOML file, by their names.

        Args:
            section: The section.
            values: The values for the placeholders in the texts, by the placeholder's name.
        """
        return {name: text.format(**values) for name, text in self._tables[section].items()}

    def texts(self) -> list[str]:
        """Return all texts in the language."""
        return [text for section in self._tables.values() for text in section.values()]

    def name(self, section: str, name: str, default: str | None = None) -> str:
        """Translate a name that the API uses, such as the name of a genre.

        Args:
            section: The section of the language's TOML file with the translations.
            name: The name.
            default: The result if there is no translation; None for the name itself.
        """
        return self._tables[section].get(name, name if default is None else default)

    def language(self, code: str) -> str:
        """Return the name of a language, given TMDB's code for it, such as `ko`."""
        return str(self.locale.languages.get(TMDB_LANGUAGES.get(code, code), code))

    def country(self, code: str) -> str:
        """Return the name of a country, given its ISO 3166-1 code, such as `KR`."""
        return str(self.locale.territories.get(code, code))

    def month(self, number: int) -> str:
        """Return the name of a month, given its number from 1 to 12."""
        # In some languages a month's name has another form inside a date; this is the form outside.
        return str(self.locale.months["stand-alone"]["wide"][number])

    def number(self, value: float, pattern: str = "#,##0") -> str:
        """Format a number as usual in the language.

        Args:
            value: The number.
            pattern: A number pattern as defined by Unicode CLDR: "0.00" means two decimals.
        """
        return str(format_decimal(value, pattern, locale=self.locale))

    def count(self, what: str, number: int) -> str:
        """Return a number with its noun, such as "3 films".

        Args:
            what: The noun, such as "films". Together with the plural form, it is the name of a text
                in the section `[counts]`, such as `films_one` or `films_other`.
            number: The number.
        """
        # CLDR says which plural form a language uses for a number: Korean has only one form.
        form = self.locale.plural_form(number)
        return self(f"counts.{what}_{form}", n=self.number(number))

    def points(self, value: float) -> str:
        """Format a difference between two ratings, with its sign and two decimals."""
        # The minus is U+2212, which is as wide as the plus; a hyphen is narrower.
        return self.number(value, "+0.00;−0.00")

    def percent(self, share: float) -> str:
        """Format a fraction from 0 to 1 as a whole percentage."""
        return str(format_percent(share, locale=self.locale))

    def day(self, day: date) -> str:
        """Format a date as usual in the language, with the full name of the month."""
        return str(format_date(day, "long", locale=self.locale))

    def moment(self, at: datetime) -> str:
        """Format a date and time in UTC, without seconds."""
        # Babel's Korean format writes an English AM or PM, so use a 24-hour clock.
        utc = at.astimezone(UTC)
        return f"{format_date(utc, 'medium', locale=self.locale)} {utc:%H:%M} UTC"

    def joined(self, names: Iterable[str]) -> str:
        """Join names into one phrase, such as "a, b and c"."""
        # In Korean, CLDR has a word for "and" that only official letters use.
        if self.code == "ko":
            return ", ".join(names)
        return str(format_list(list(names), locale=self.locale))


def widget_texts(language: str) -> dict[str, str]:
    """Return translations of the texts that Streamlit's own widgets show.

    Returns:
        A dictionary. Each key is such a text in one of the UI's languages, and its value is the
        same text in `language`. So a widget can be translated from any language, when the visitor
        changes the language of the page.
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
    """Replace the placeholders in an HTML template, such as `$rating`, by texts.

    Special characters of HTML in the texts are escaped.

    Args:
        template: The name of the template's file in the folder `TEMPLATES`.
        values: The text for each placeholder, by the placeholder's name without `$`.
    """
    escaped = {name: escape(value) for name, value in values.items()}
    return Template((TEMPLATES / template).read_text("utf-8")).substitute(escaped)
