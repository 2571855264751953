"""An S3 bucket with which a test simulates that the writing process is killed."""

from pathlib import Path

from movierating.s3 import Bucket


class KilledError(BaseException):
    """Simulates the kill of a process; the code under test does not catch it."""


class DyingBucket(Bucket):
    """A bucket that permits some writes or deletions; each further one raises `KilledError`."""

    def __init__(self, bucket: Bucket, writes: int) -> None:
        """Write to the same S3 bucket as `bucket`, at most `writes` times."""
        super().__init__(bucket._client, bucket.name)
        self._left = writes

    def put(self, key: str, raw: bytes) -> None:
        """Write an object, or raise `KilledError`."""
        self._live_or_die()
        super().put(key, raw)

    def create(self, key: str, raw: bytes) -> None:
        """Write a new object, or raise `KilledError`."""
        self._live_or_die()
        super().create(key, raw)

    def create_from(self, key: str, path: Path) -> None:
        """Write a new object from a file, or raise `KilledError`."""
        self._live_or_die()
        super().create_from(key, path)

    def replace(self, key: str, raw: bytes, etag: str) -> None:
        """Replace an object, or raise `KilledError`."""
        self._live_or_die()
        super().replace(key, raw, etag)

    def delete(self, key: str) -> None:
        """Delete an object, or raise `KilledError`."""
        self._live_or_die()
        super().delete(key)

    def _live_or_die(self) -> None:
        if self._left == 0:
            raise KilledError
        self._left -= 1
