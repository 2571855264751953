"""What the API tells of the decisions about every version, read into what the page can show."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ui.client.api import finite

_BASELINE = "baseline_"
_RMSE = "_rmse"


@dataclass(frozen=True)
class Decided:
    """A decision about a version.

    Attributes:
        action: `promoted`, `refused` or `rolled_back`.
        rmse: Of the version on the films held out from it; None where nothing was measured.
        baselines: The same of what it had to beat, on the same films.
    """

    action: str
    version: str
    at: datetime
    by: str
    reason: str
    rmse: float | None
    baselines: dict[str, float]

    @classmethod
    def read(cls, decision: Any) -> "Decided":
        """Take it from a decision of `GET /history`."""
        figures = {str(name): finite(value) for name, value in decision["figures"].items()}
        return cls(
            action=str(decision["action"]),
            version=str(decision["version"]),
            at=datetime.fromisoformat(decision["at"]),
            by=str(decision["by"]),
            reason=str(decision["reason"]),
            rmse=figures.get("holdout_rmse"),
            baselines={
                name.removeprefix(_BASELINE).removesuffix(_RMSE): value
                for name, value in figures.items()
                if name.startswith(_BASELINE) and name.endswith(_RMSE)
            },
        )


def read_history(answer: Any) -> list[Decided]:
    """All decisions of an answer of `GET /history`, the newest first."""
    return [Decided.read(each) for each in answer["decisions"]]
