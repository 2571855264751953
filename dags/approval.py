"""The task that asks a person whether a new version may go into production.

In Airflow 3.3, such a task waits without a triggerer and without a worker's slot.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.standard.operators.hitl import HITLOperator

if TYPE_CHECKING:
    from scripts.deploy import Approval

PUBLISH: Final = "publish_model_to_s3"
_APPROVE, _REJECT = "Approve", "Reject"
_PATIENCE: Final = timedelta(hours=10)  # the run itself ends after twelve


def approve_promotion() -> HITLOperator:
    """Create the task that asks for approval; no answer counts as a rejection.

    Not Airflow's ApprovalOperator: that skips what follows a no, and the ledger would not tell.
    """
    published = f"ti.xcom_pull('{PUBLISH}')"
    return HITLOperator(
        task_id="approve_promotion",
        subject=f"Put {{{{ {published}['version'] }}}} into production?",
        body=f"The gate lets it through: {{{{ {published}['reason'] }}}}",
        options=[_APPROVE, _REJECT],
        defaults=_REJECT,
        response_timeout=_PATIENCE,
        execution_timeout=None,
    )


def answer_of(response: dict[str, Any] | None) -> "Approval | None":
    """The answer of the approval task; None if it was skipped."""
    from scripts.deploy import Approval

    if response is None:
        return None
    person = response["responded_by_user"]
    by = person["name"] if person else f"nobody's answer in {_PATIENCE.total_seconds() / 3600:g} h"
    return Approval(approved=response["chosen_options"] == [_APPROVE], by=by)
