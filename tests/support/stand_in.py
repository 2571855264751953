"""Settings with which tests use the TMDB stand-in (the local imitation of TMDB)."""

from pathlib import Path
from typing import Any, Final

import pytest
import requests

from movierating.settings import Settings, load_settings
from sandbox.s3.process import S3Server

TMDB_KEY: Final = "0123456789abcdef0123456789abcdef"
UNPACED: Final = {"tmdb_requests_per_second": 900}


def unpaced(base_url: str, folder: Path, **others: Any) -> Settings:
    """Create settings for the TMDB stand-in at `base_url`, practically without a rate limit."""
    settings = load_settings(
        Settings,
        None,
        tmdb_base_url=base_url,
        tmdb_api_key=TMDB_KEY,
        data_dir=str(folder),
        **others,
    )
    return settings.model_copy(update=UNPACED)


def unpaced_in_s3(base_url: str, s3_server: S3Server, bucket: str, **others: Any) -> Settings:
    """Create settings like `unpaced`, with a bucket and a working folder in this bucket."""
    settings = s3_server.settings(
        bucket,
        tmdb_base_url=base_url,
        tmdb_api_key=TMDB_KEY,
        data_dir=f"s3://{bucket}/pipeline",
        **others,
    )
    return settings.model_copy(update=UNPACED)


def add_headers(patch: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    """Add headers, such as those of a cache, to all answers that this process gets."""
    get = requests.Session.get

    def answer(*arguments: Any, **options: Any) -> requests.Response:
        response = get(*arguments, **options)
        response.headers.update(headers)
        return response

    patch.setattr(requests.Session, "get", answer)
