"""Read the decisions about model versions from the API's response to `GET /history`.

A decision says that a version was promoted, refused or rolled back.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ui.client.api import finite

# The API names a baseline's error `baseline_NAME_rmse`.
_BASELINE = "baseline_"
_RMSE = "_rmse"


@dataclass(frozen=True)
class Decision:
    """One decision about a model version.

    Attributes:
        action: The decision: `promoted`, `refused` or `rolled_back`.
        version: The name of the model version.
        at: The time of the decision.
        by: The person or the program that made the decision.
        reason: The reason for the decision, as a sentence.
        rmse: The version's RMSE on its hold-out films; None if it was not measured.
        baselines: The RMSE of each naive baseline on the same films, by the baseline's name.
    """

    action: str
    version: str
    at: datetime
    by: str
    reason: str
    rmse: float | None
    baselines: dict[str, float]

    @classmethod
    def parse(cls, body: Any) -> "Decision":
        """Convert one decision in the API's response to `GET /history`."""
        figures = {str(name): finite(value) for name, value in body["figures"].items()}
        return cls(
            action=str(body["action"]),
            version=str(body["version"]),
            at=datetime.fromisoformat(body["at"]),
            by=str(body["by"]),
            reason=str(body["reason"]),
            rmse=figures.get("holdout_rmse"),
            baselines={
                name.removeprefix(_BASELINE).removesuffix(_RMSE): value
                for name, value in figures.items()
                if name.startswith(_BASELINE) and name.endswith(_RMSE)
            },
        )


def parse_decisions(body: Any) -> list[Decision]:
    """Convert the API's response to `GET /history` to a list of decisions, the newest first."""
    return [Decision.parse(each) for each in body["decisions"]]
