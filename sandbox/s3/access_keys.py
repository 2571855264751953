"""The access keys of the local S3 server: one pair that may do anything, and one that may read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

_WRITER: Final = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
READER: Final = ("S3_READER_ACCESS_KEY_ID", "S3_READER_SECRET_ACCESS_KEY")
VARIABLES: Final = (*_WRITER, *READER)


@dataclass(frozen=True)
class AccessKeys:
    """The access keys that the server accepts, as pairs of a key's id and its secret.

    Attributes:
        writer: The pipeline's keys. They may do anything.
        reader: The API's keys. They may read one bucket.
    """

    writer: tuple[str, str]
    reader: tuple[str, str]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Read the access keys from environment variables.

        Raises:
            ValueError: A variable is missing.
        """
        if missing := [name for name in VARIABLES if not environment.get(name)]:
            raise ValueError(f"set {', '.join(missing)} in the environment")
        a, b, c, d = (environment[name] for name in VARIABLES)
        return cls((a, b), (c, d))

    def write(self, file: Path, bucket: str) -> None:
        """Write a file for SeaweedFS's option `-s3.config`; only its owner can read it.

        Args:
            file: The file to write.
            bucket: The bucket that the API may read.
        """
        identities = [
            _identity("pipeline", self.writer, "Admin"),
            _identity("service", self.reader, f"Read:{bucket}", f"List:{bucket}"),
        ]
        file.touch(mode=0o600)
        file.write_text(json.dumps({"identities": identities}), "utf-8")


def _identity(name: str, keys: tuple[str, str], *actions: str) -> dict[str, object]:
    credentials = [dict(zip(("accessKey", "secretKey"), keys, strict=True))]
    return {"name": name, "credentials": credentials, "actions": list(actions)}
