"""Write the API's OpenAPI description into files: `python -m docs.write_openapi FOLDER`.

One file describes a service without API keys, the other one a service with keys.
"""

import argparse
import json
from pathlib import Path
from typing import Final

from app.keys import hash_of
from app.main import create_app
from movierating.settings import ApiSettings, load_settings

parser = argparse.ArgumentParser(prog="python -m docs.write_openapi", description=__doc__)
parser.add_argument("folder", type=Path, help="the folder for the files")

_KEYS: Final = {"open": (), "with-keys": (hash_of("a key"),)}


def main() -> None:
    """Write each description, unless the file contains it already."""
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, hashes in _KEYS.items():
        text = _description(hashes)
        path = folder / f"{name}.json"
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def _description(hashes: tuple[str, ...]) -> str:
    settings = load_settings(ApiSettings, s3_bucket_name="none", api_key_hashes=hashes)
    return json.dumps(create_app(settings).openapi(), indent=1, ensure_ascii=False)


if __name__ == "__main__":
    main()
