"""Titles and plots of the synthetic world, the same story in every language.

A plot is a choice of sentences and words; it is written out when somebody asks for it. Five of its
words carry its mood: each is bright (+1), plain (0) or dark (-1), and their mean is the plot's
`tone`. English is written so that nothing but these words moves TextBlob's polarity.
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from sandbox.tmdb.names import Name, invent

WORDS = Path(__file__).parent / "words"
MOODS = {1: "bright", 0: "plain", -1: "dark"}
MOOD_WORDS_PER_PLOT = 5
PLACES = 600


@cache
def title_words() -> dict[str, dict[str, list[str]]]:
    """Return title patterns and themes by language."""
    return tomllib.loads((WORDS / "titles.toml").read_text(encoding="utf-8"))


@cache
def plot_words() -> dict[str, dict[str, list[str]]]:
    """Return sentences and words of plots by language."""
    return tomllib.loads((WORDS / "plots.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Plot:
    """The choices from which a title and a plot are generated.

    Attributes:
        place: where it happens.
        hero: who it happens to.
        pattern, theme, role, rival, opening, turn, ending: places in the lists of words.
        moods: (tone, place in the list of that tone) of each word of mood.
        part: the number of the film in its collection, 1 when it stands alone.
    """

    place: Name
    hero: Name
    pattern: int
    theme: int
    role: int
    rival: int
    opening: int
    turn: int
    ending: int
    moods: tuple[tuple[int, int], ...]
    part: int = 1

    @property
    def tone(self) -> float:
        """The mood of the story, from -1 (dark) to 1 (bright), in steps of 0.2."""
        return sum(tone for tone, _ in self.moods) / len(self.moods)

    def keywords(self) -> tuple[str, ...]:
        """Return an invented plot's English keywords: its theme and the roles of two people."""
        roles = plot_words()["en"]["roles"]
        theme = title_words()["themes"]["en"][self.theme].lower()
        return theme, roles[self.role], roles[self.rival]

    def series_title(self) -> str:
        """Return the English title without the number of the part."""
        return replace(self, part=1).title("en")

    def sequel_of(self, first: "Plot", part: int) -> "Plot":
        """Return this story as a part of the collection that another story began."""
        return replace(
            self,
            place=first.place,
            hero=first.hero,
            pattern=first.pattern,
            theme=first.theme,
            part=part,
        )

    def title(self, language: str) -> str:
        """Write the title in a language, in English where there are no words for it."""
        words = title_words()
        known = language if language in words["patterns"] else "en"
        title = words["patterns"][known][self.pattern].format(
            theme=words["themes"][known][self.theme],
            place=self.place.spelled(known),
            hero=self.hero.spelled(known),
        )
        # Upper case for the first letter only: capitalize() would lower the names.
        title = title[:1].upper() + title[1:]
        return title if self.part == 1 else f"{title} {self.part}"

    def overview(self, language: str) -> str:
        """Write the plot in a language that `plot_words` has."""
        words = plot_words()[language]
        sentences = (
            words["openings"][self.opening],
            words["turns"][self.turn],
            words["endings"][self.ending],
        )
        slots = self._slots(language)
        joint = "" if language == "ja" else " "
        return joint.join(sentence.format(**slots) for sentence in sentences)

    def tagline(self) -> str:
        """Write the tagline, in English only."""
        taglines = plot_words()["en"]["taglines"]
        return taglines[self.role % len(taglines)].format(**self._slots("en"))

    def _slots(self, language: str) -> dict[str, str]:
        words = plot_words()[language]
        theme = title_words()["themes"][language][self.theme]
        moods = [words[MOODS[tone]][at] for tone, at in self.moods]
        return {
            "hero": self.hero.spelled(language),
            "place": self.place.spelled(language),
            "theme": theme.lower(),
            "role": words["roles"][self.role],
            "rival": words["roles"][self.rival],
            **dict(zip("abcde", moods, strict=True)),
        }


def overview_languages() -> Sequence[str]:
    """Return the languages plots can be written in."""
    return tuple(plot_words())


def draw_plot(rng: np.random.Generator, seed: int) -> Plot:
    """Draw a story: first its mood, then words that mostly match the mood."""
    words, titles = plot_words()["en"], title_words()
    bright = rng.beta(1.1, 1.1)
    shares = (0.85 * bright, 0.15, 0.85 * (1 - bright))
    tones = rng.choice((1, 0, -1), MOOD_WORDS_PER_PLOT, p=shares)
    role, rival = rng.choice(len(words["roles"]), 2, replace=False)

    def pick(options: Sequence[str]) -> int:
        return int(rng.integers(len(options)))

    return Plot(
        place=invent(3, seed, "place", int(rng.integers(PLACES))),
        hero=invent(2, seed, "hero", int(rng.integers(PLACES))),
        pattern=pick(titles["patterns"]["en"]),
        theme=pick(titles["themes"]["en"]),
        role=int(role),
        rival=int(rival),
        opening=pick(words["openings"]),
        turn=pick(words["turns"]),
        ending=pick(words["endings"]),
        moods=tuple((int(tone), pick(words[MOODS[int(tone)]])) for tone in tones),
    )
