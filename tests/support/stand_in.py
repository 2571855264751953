"""How tests use the TMDB stand-in."""

from pathlib import Path
from typing import Any, Final

from movierating.settings import Settings, load_settings

TMDB_KEY: Final = "0123456789abcdef0123456789abcdef"


def unpaced(base_url: str, folder: Path, **others: Any) -> Settings:
    """Settings for a stand-in that may be asked as fast as it can answer."""
    settings = load_settings(
        Settings,
        None,
        tmdb_base_url=base_url,
        tmdb_api_key=TMDB_KEY,
        data_dir=str(folder),
        **others,
    )
    return settings.model_copy(update={"tmdb_requests_per_second": 900})
