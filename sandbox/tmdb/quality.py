"""The rules for the ratings of invented films (the synthetic world).

The true quality of a film is the sum of the terms below. The last column is the standard deviation
(sd) of each term over all films of the default world.

    quality = 6.35
            + effect of the film's first genre     GENRE_EFFECTS       sd about 0.33
            + original language                    LANGUAGE_EFFECTS    sd about 0.14
            + 0.50 tanh((minutes - 102) / 25)      runtime             sd about 0.26
              - 0.008 max(0, minutes - 150)
            + 0.45 tone of the plot                mood                sd about 0.27
            + 0.12 cos(2 pi (month - 11) / 12)     season              sd about 0.08
            - 0.012 (year - 2015)                  drift               sd about 0.08
            + talent of director, writers, cast,   histories           sd about 0.33
              of the lead company, of the collection
            + random error, not forecastable       irreducible         sd 0.55

A model can learn the first six effects (together sd about 0.51) from the film's own facts. It can
learn the talents ("histories") only from earlier films by the same people. The random error is
large on purpose. So even a perfect forecast has an R2 near 0.5 (not near 1), as for real films.

The rating of a film with n votes is its quality, plus a random voting error with the standard
deviation `VOTE_SD / sqrt(n)`. The sum is rounded to three decimals and limited to the range 1 to
10. For films with n_1, n_2, ... votes, the best possible forecast therefore has this error:

    RMSE = sqrt(mean(IRREDUCIBLE_SD^2 + VOTE_SD^2 / n_i))

`noise_floor` computes this value. It ignores the limits 1 and 10, which only matter for films with
few votes.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

BASE = 6.35
IRREDUCIBLE_SD = 0.55
VOTE_SD = 2.0

# In rating points, by TMDB's genre code.
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
    """Return how many rating points a running time (in minutes) adds to a film's quality.

    Longer films are better, but each further minute adds less. Above 150 minutes, the effect
    becomes smaller again.
    """
    length = np.asarray(minutes, np.float64)
    effect: Floats = 0.50 * np.tanh((length - 102) / 25) - 0.008 * np.maximum(0.0, length - 150)
    return effect


def mood_effect(tone: npt.ArrayLike) -> Floats:
    """Return how many rating points a plot's tone (-1 dark to 1 bright) adds to the quality."""
    return 0.45 * np.asarray(tone, np.float64)


def season_effect(month: npt.ArrayLike) -> Floats:
    """Return how many rating points the release month (1 to 12) adds to a film's quality.

    November adds most. May subtracts most.
    """
    effect: Floats = 0.12 * np.cos(2 * np.pi * (np.asarray(month, np.float64) - 11) / 12)
    return effect


def drift(year: npt.ArrayLike) -> Floats:
    """Return how many rating points the release year adds to a film's quality.

    The result becomes smaller by 0.012 points per year. It is 0 in 2015.
    """
    return -0.012 * (np.asarray(year, np.float64) - 2015)


def noise_floor(vote_counts: npt.ArrayLike, *, unseen: npt.ArrayLike = 0.0) -> float:
    """Return the RMSE of the best possible forecast for some films, in rating points.

    Args:
        vote_counts: The number of votes for each film.
        unseen: How many rating points of each film's expected rating the forecaster cannot know,
            such as the talent of the director. 0.0 if the forecaster knows everything.
    """
    votes = np.asarray(vote_counts, np.float64)
    variance = IRREDUCIBLE_SD**2 + VOTE_SD**2 / votes + np.square(unseen)
    return float(np.sqrt(np.mean(variance)))
