"""Read how reliable forecasts are for a kind of film, and how much each fact narrows the interval.

Both are in the API's response to `GET /evidence`. The response to `POST /predict` names the kinds
of films for which forecasts are not reliable.
"""

from dataclasses import dataclass
from typing import Any

from ui.client.api import finite


@dataclass(frozen=True)
class Reliability:
    """How good forecasts have been for films of one language or genre.

    Attributes:
        kind: `language` or `genre`.
        name: The code of the language, or the name of the genre.
        films: The number of films on which it was measured.
        bias: The mean of (forecast minus rating).
        coverage: The fraction of these films whose rating lies in the 80 % interval.
        biased: Whether the bias is large, and larger than by chance.
        badly_covered: Whether the coverage is far from 80 %, and farther than by chance.
    """

    kind: str
    name: str
    films: int
    bias: float
    coverage: float
    biased: bool
    badly_covered: bool

    @classmethod
    def parse(cls, body: Any) -> "Reliability":
        """Convert one entry of the API's list `reliability`."""
        return cls(
            kind=str(body["kind"]),
            name=str(body["name"]),
            films=int(body["films"]),
            bias=finite(body["bias"]),
            coverage=finite(body["coverage"]),
            biased=bool(body["biased"]),
            badly_covered=bool(body["badly_covered"]),
        )


@dataclass(frozen=True)
class Narrowing:
    """By how many rating points the 80 % interval becomes narrower if a fact is known.

    Attributes:
        field: The API's field of the fact, such as `directors`.
        films: The number of films on which it was measured.
        beside_form: The narrowing if otherwise only the four main facts of the form are known.
        beside_all: The narrowing if all other facts are known.
    """

    field: str
    films: int
    beside_form: float
    beside_all: float

    @classmethod
    def parse(cls, body: Any) -> "Narrowing":
        """Convert one entry of the API's list `narrowing`."""
        return cls(
            field=str(body["field"]),
            films=int(body["films"]),
            beside_form=finite(body["beside_form"]),
            beside_all=finite(body["beside_all"]),
        )
