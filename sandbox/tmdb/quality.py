"""How good a film of the synthetic world is: the process its ratings come from.

The true quality of a film is a sum (all sds are over the films of the default world):

    quality = 6.35
            + genre of the first place             GENRE_EFFECTS       sd about 0.33
            + original language                    LANGUAGE_EFFECTS    sd about 0.14
            + 0.50 tanh((minutes - 102) / 25)      runtime             sd about 0.26
              - 0.008 max(0, minutes - 150)
            + 0.45 tone of the plot                mood                sd about 0.27
            + 0.12 cos(2 pi (month - 11) / 12)     season              sd about 0.08
            - 0.012 (year - 2015)                  drift               sd about 0.08
            + talent of director, writers, cast,   histories           sd about 0.33
              of the lead company, of the collection
            + what nobody can know beforehand      irreducible         sd 0.55

The first six need no history: a simple model sees them (together sd about 0.51). The histories can
only be learned from earlier films of the same people. What is left, `IRREDUCIBLE_SD`, is chosen so
that even a perfect forecast has an R2 near 0.5, as with real films, and not near 1.

The rating shown is the quality plus the noise of its votes, sd `VOTE_SD / sqrt(n)`, rounded to
three decimals and cut to 1..10. So the best possible forecast of films with n_i votes has

    RMSE = sqrt(mean(IRREDUCIBLE_SD^2 + VOTE_SD^2 / n_i))

which is `noise_floor`, apart from the cut, which only matters for films of a few votes.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BASE = 6.35
IRREDUCIBLE_SD = 0.55
VOTE_SD = 2.0

GENRE_EFFECTS: dict[int, float] = {
    28: -0.30,
    12: 0.00,
    16: 0.35,
    35: -0.12,
    80: 0.10,
    99: 0.60,
    18: 0.28,
    10751: 0.05,
    14: -0.02,
    36: 0.32,
    27: -0.62,
    10402: 0.38,
    9648: -0.06,
    10749: 0.02,
    878: -0.22,
    10770: -0.40,
    53: -0.28,
    10752: 0.30,
    37: 0.00,
}
LANGUAGE_EFFECTS: dict[str, float] = {
    "ko": 0.28,
    "ja": 0.32,
    "fr": 0.05,
    "es": -0.08,
    "hi": -0.22,
    "de": -0.12,
    "zh": 0.05,
    "it": 0.02,
}
DIRECTOR_SD = 0.24
WRITER_SD = 0.14
CAST_SD = 0.20
COMPANY_SD = 0.14
COLLECTION_SD = 0.22


def runtime_effect(minutes: npt.ArrayLike) -> Floats:
    """Quality rises with the running time, ever more slowly, and falls for very long films."""
    length = np.asarray(minutes, np.float64)
    return 0.50 * np.tanh((length - 102) / 25) - 0.008 * np.maximum(0.0, length - 150)


def mood_effect(tone: npt.ArrayLike) -> Floats:
    """Bright plots get better ratings than dark ones."""
    return 0.45 * np.asarray(tone, np.float64)


def season_effect(month: npt.ArrayLike) -> Floats:
    """Quality is highest in November and lowest in May."""
    return 0.12 * np.cos(2 * np.pi * (np.asarray(month, np.float64) - 11) / 12)


def drift(year: npt.ArrayLike) -> Floats:
    """Ratings fall a little every year."""
    return -0.012 * (np.asarray(year, np.float64) - 2015)


def noise_floor(vote_counts: npt.ArrayLike, *, unseen: npt.ArrayLike = 0.0) -> float:
    """Return the RMSE of the best possible forecast of films with these numbers of votes.

    `unseen` are parts of the expected rating that the forecaster does not know, one per film.
    """
    votes = np.asarray(vote_counts, np.float64)
    variance = IRREDUCIBLE_SD**2 + VOTE_SD**2 / votes + np.square(unseen)
    return float(np.sqrt(np.mean(variance)))
