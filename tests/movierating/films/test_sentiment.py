import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textblob.en import sentiment as textblobs

from movierating.films import sentiment as sentiment_module
from movierating.films.sentiment import sentiment

ROOT = Path(__file__).parents[3]
# Each piece meets at least one of the rules: contractions, quotes, abbreviations, ellipses,
# modifiers, negations, emoticons with and without spaces, irony, and ends of sentences.
PIECES = (
    *("a", "the", "not", "no", "never", "isn't", "n't", "very", "really", "good", "bad", "is"),
    *("wonderful", "terrible", "unbelievably", "poorly", "Mr.", "U.S.", "e.g.", "a.m.", "etc."),
    *("!", "?", ".", "...", "....", "( ! )", "(!)", "'", '"', "“", "”", "’", ": )", ":)", ":-)"),
    *("8)", "1)", "x D", "XD", ": (", ":'(", "; '", "<3", "♥", "o.O", "= /", "B|.", "b.|.", ","),
    *("-", "--", "\n", "\n\n", "\n \n", "\r\n\r\n", "END-OF-SENTENCE", "happy!"),
    *("bad?", "ß", "İ", "한국"),
)  # fmt: skip
CHARACTERS = "abnotgd .!?()':;=8xXD-<>3♥/|\n,“”’\"\r\té_*^o°O"
TEXTS = st.one_of(
    st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["", " ", " ", "\n"]))).map(
        lambda pieces: "".join(piece + space for piece, space in pieces)
    ),
    st.text(CHARACTERS, max_size=60),
    st.text(max_size=60),
)


@given(TEXTS)
def test_sentiment_is_exactly_textblobs(text: str):
    assert sentiment(text) == tuple(textblobs(text))


@pytest.mark.parametrize(
    "text",
    [
        "It is not a very good film, but a really happy one! :-)",
        "“Terrible,” said Mr. Doe (!)... and then: nothing good.",
        "He said ( ! ) \n\n ) and left : )",
        "good (\n\n!) bad: \n\n)",
    ],
)
def test_each_rule_gives_textblobs_numbers(text: str):
    assert sentiment(text) == tuple(textblobs(text)) != (0, 0)


def test_sentiment_loads_neither_nltk_nor_training_libraries_and_blocks_none():
    code = """
import sys
from movierating.films import sentiment as sentiment_module
from movierating.films.sentiment import sentiment
assert sentiment("A good film.")[0] > 0
assert not {"nltk", "sklearn", "scipy", "textblob"} & sys.modules.keys()
from textblob import TextBlob
assert TextBlob("A good film.").sentiment == sentiment("A good film.")
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_modules_are_listed_while_another_thread_imports_some(monkeypatch: pytest.MonkeyPatch):
    modules: dict[str, Any] = {}

    class Imported(str):
        """The name of a module, during whose use another module appears."""

        __slots__ = ()

        def partition(self, separator: str, /) -> tuple[str, str, str]:
            modules[f"other{len(modules)}"] = None
            return super().partition(separator)

    modules.update(dict.fromkeys(map(Imported, ("textblob", "textblob.en"))))
    monkeypatch.setattr(sentiment_module, "sys", SimpleNamespace(modules=modules))
    assert sentiment_module._loaded_modules("textblob") == ["textblob", "textblob.en"]
