"""Invent the titles and plots of films; a film's story is the same in every language.

A `Plot` stores which sentences and words are chosen for a film. Its text is composed only when a
client asks for it. Each plot has five mood words. A mood word is bright (+1), plain (0) or dark
(-1). The mean of these five numbers is the plot's `tone`, which affects the film's rating.

The pipeline measures the mood of an English plot with the library TextBlob. For TextBlob, the
sentences are neutral, so only the mood words change the result (the polarity).
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
# The number of different places and heroes. Few enough that some names occur in several films.
PLACES = 600


@cache
def title_words() -> dict[str, dict[str, list[str]]]:
    """Load `titles.toml`: patterns for titles, and themes of stories, in each language."""
    return tomllib.loads((WORDS / "titles.toml").read_text(encoding="utf-8"))


@cache
def plot_words() -> dict[str, dict[str, list[str]]]:
    """Load `plots.toml`: the sentences and words for plots, in each language."""
    return tomllib.loads((WORDS / "plots.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Plot:
    """The sentences, words and names that are chosen for a film's title and plot.

    Attributes:
        place: The name of the place where the story happens.
        hero: The name of the main character.
        pattern, theme, role, rival, opening, turn, ending: Indices into the lists in `titles.toml`
            and `plots.toml`. The lists have the same length in every language.
        moods: For each mood word, its tone (1, 0 or -1) and its index in the list for this tone.
        part: The film's number in its collection (film series); 1 for a film without one.
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
        """The mean tone of the five mood words, from -1 (dark) to 1 (bright)."""
        return sum(tone for tone, _ in self.moods) / len(self.moods)

    def keywords(self) -> tuple[str, ...]:
        """Return the film's keywords in English: the theme and the roles of two characters."""
        roles = plot_words()["en"]["roles"]
        theme = title_words()["themes"]["en"][self.theme].lower()
        return theme, roles[self.role], roles[self.rival]

    def series_title(self) -> str:
        """Return the name of the film series: the English title without the part number."""
        return replace(self, part=1).title("en")

    def sequel_of(self, first: "Plot", part: int) -> "Plot":
        """Return a copy of this plot, changed to a sequel of another film's plot.

        The copy has the place, hero, title pattern and theme of the first film.

        Args:
            first: The plot of the first film in the series.
            part: The number of the sequel in the series.
        """
        return replace(
            self,
            place=first.place,
            hero=first.hero,
            pattern=first.pattern,
            theme=first.theme,
            part=part,
        )

    def title(self, language: str) -> str:
        """Compose the film's title in a language.

        If `titles.toml` does not have the language, the title is in English.
        """
        words = title_words()
        known = language if language in words["patterns"] else "en"
        title = words["patterns"][known][self.pattern].format(
            theme=words["themes"][known][self.theme],
            place=self.place.spelled(known),
            hero=self.hero.spelled(known),
        )
        # Not capitalize(): it would also convert the first letters of names to lower case.
        title = title[:1].upper() + title[1:]
        return title if self.part == 1 else f"{title} {self.part}"

    def overview(self, language: str) -> str:
        """Compose the text of the plot. The language must be one of those in `plots.toml`."""
        words = plot_words()[language]
        sentences = (
            words["openings"][self.opening],
            words["turns"][self.turn],
            words["endings"][self.ending],
        )
        slots = self._slots(language)
        joint = "" if language == "ja" else " "  # Japanese has no space between sentences
        return joint.join(sentence.format(**slots) for sentence in sentences)

    def tagline(self) -> str:
        """Compose the film's tagline in English. A tagline is a short sentence for advertising."""
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
    """Return the codes of all languages for which `plots.toml` has sentences and words."""
    return tuple(plot_words())


def draw_plot(rng: np.random.Generator, seed: int) -> Plot:
    """Draw a random plot.

    First, a random number says how bright the story is. Most mood words are then chosen to match.

    Args:
        rng: The random generator.
        seed: The seed for the names of the place and the hero.
    """
    words, titles = plot_words()["en"], title_words()
    bright = rng.beta(1.1, 1.1)
    # On average 15 % of the mood words are plain. The others are bright or dark, as `bright` says.
    limits = (0.85 * bright, 0.85 * bright + 0.15)
    drawn = rng.random(MOOD_WORDS_PER_PLOT).tolist()  # faster than `rng.choice` with shares
    tones = [1 - sum(number >= limit for limit in limits) for number in drawn]
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
        moods=tuple((tone, pick(words[MOODS[tone]])) for tone in tones),
    )
