"""A bucket whose publisher dies in the middle of its work."""

from movierating.s3 import Bucket


class KilledError(BaseException):
    """The end of a process, which nothing in it can catch."""


class DyingBucket(Bucket):
    """Writes as often as it is told, and lets nothing happen after that."""

    def __init__(self, bucket: Bucket, writes: int) -> None:
        """Write to the same place as `bucket`."""
        super().__init__(bucket._client, bucket.name)
        self._left = writes

    def put(self, key: str, raw: bytes) -> None:
        """Write, or die."""
        self._live_or_die()
        super().put(key, raw)

    def create(self, key: str, raw: bytes) -> None:
        """Write, or die."""
        self._live_or_die()
        super().create(key, raw)

    def replace(self, key: str, raw: bytes, etag: str) -> None:
        """Write, or die."""
        self._live_or_die()
        super().replace(key, raw, etag)

    def delete(self, key: str) -> None:
        """Delete, or die."""
        self._live_or_die()
        super().delete(key)

    def _live_or_die(self) -> None:
        if self._left == 0:
            raise KilledError
        self._left -= 1
