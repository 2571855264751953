"""Draining: the time between the signal to shut down and the end of the process."""

import time


class Draining:
    """Whether the service is shutting down.

    During this time `/readyz` fails, so a load balancer sends new requests to other replicas. The
    service still answers every request, and closes each connection after its response.
    """

    def __init__(self, seconds: float = 0) -> None:
        """Prepare; draining will last `seconds` from the call of `begin`."""
        self._seconds = seconds
        self._until: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the service has received the signal to shut down."""
        return self._until is not None

    def begin(self) -> None:
        """Start the draining time."""
        self._until = time.monotonic() + self._seconds

    def is_over(self) -> bool:
        """Whether draining has begun and its time is up."""
        return self._until is not None and time.monotonic() >= self._until
