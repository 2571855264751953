"""The phase between the signal to shut down and the end of the process."""

import time


class Draining:
    """Whether the service is shutting down.

    A load balancer sees this in /readyz and sends new requests to other replicas. Until the end,
    the service answers every request, and closes each connection after its response.
    """

    def __init__(self, seconds: float = 0) -> None:
        """Prepare to drain for some seconds, counted from `begin`."""
        self._seconds = seconds
        self._until: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the service was told to shut down."""
        return self._until is not None

    def begin(self) -> None:
        """Start to drain."""
        self._until = time.monotonic() + self._seconds

    def is_over(self) -> bool:
        """Whether draining has begun and its time is up."""
        return self._until is not None and time.monotonic() >= self._until
