"""An S3 bucket that simulates the kill of the process that writes to it."""

from movierating.s3 import Bucket


class KilledError(BaseException):
    """Simulates the kill of a process; the code under test does not catch it."""


class DyingBucket(Bucket):
    """Permits a number of writes or deletions, then raises `KilledError` at each further one."""

    def __init__(self, bucket: Bucket, writes: int) -> None:
        """Write to the same S3 bucket as `bucket`, at most `writes` times."""
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
