"""Draining: the time between the signal to shut down and the end of the process."""

import time


class Draining:
    """Whether the service is shutting down, and until when it still answers.

    While the service is draining, `/readyz` fails, so a load balancer sends new requests to other
    replicas. The service still answers every request, but closes each connection after its
    response.

    Attributes:
        seconds: How long draining lasts.
    """

    def __init__(self, seconds: float = 0) -> None:
        """Create the object; draining lasts for `seconds` after the call of `begin`."""
        self.seconds = seconds
        self._until: float | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the service has received the signal to shut down."""
        return self._until is not None

    def begin(self) -> None:
        """Start the time in which the service still answers."""
        self._until = time.monotonic() + self.seconds

    def is_over(self) -> bool:
        """Return whether draining has begun and its time has passed."""
        return self._until is not None and time.monotonic() >= self._until
