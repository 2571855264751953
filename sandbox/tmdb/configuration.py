"""TMDB's response to `/configuration`.

It contains the address and the sizes of TMDB's images, and names of fields that can change.
"""

from typing import Any

IMAGE_HOST = "image.tmdb.org/t/p/"
_PROFILE_SIZES = ["w45", "w185", "h632", "original"]
CONFIGURATION: dict[str, Any] = {
    "change_keys": [
        "adult",
        "budget",
        "cast",
        "crew",
        "genres",
        "homepage",
        "images",
        "original_title",
        "overview",
        "plot_keywords",
        "production_companies",
        "release_dates",
        "revenue",
        "runtime",
        "status",
        "tagline",
        "title",
        "translations",
        "videos",
    ],
    "images": {
        "base_url": f"http://{IMAGE_HOST}",
        "secure_base_url": f"https://{IMAGE_HOST}",
        "backdrop_sizes": ["w300", "w780", "w1280", "original"],
        "logo_sizes": ["w45", "w92", "w154", "w185", "w300", "w500", "original"],
        "poster_sizes": ["w92", "w154", "w185", "w342", "w500", "w780", "original"],
        "profile_sizes": _PROFILE_SIZES,
        "still_sizes": ["w92", "w185", "w300", "original"],
    },
}
