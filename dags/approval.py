"""The Airflow task that asks a person whether a new model version may go into production.

In Airflow 3.3, such a task needs no triggerer while it waits, and occupies no worker slot.
"""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.standard.operators.hitl import HITLOperator

if TYPE_CHECKING:
    from scripts.deploy import Approval

PUBLISH: Final = "publish_model_to_s3"
QUESTION: Final = "approve_promotion"
_APPROVE, _REJECT = "Approve", "Reject"
_PATIENCE: Final = timedelta(hours=10)  # less than the run's limit of 12 hours


def approve_promotion() -> HITLOperator:
    """Create the task that asks for approval; if nobody answers in time, the answer is a rejection.

    Airflow's ApprovalOperator is not used, because after a rejection that operator skips the next
    task. Here the next task must run: it records the rejection in the log of decisions.
    """
    published = f"ti.xcom_pull('{PUBLISH}')"
    return HITLOperator(
        task_id=QUESTION,
        subject=f"Put {{{{ {published}['version'] }}}} into production?",
        body=f"The gate lets it through: {{{{ {published}['reason'] }}}}",
        options=[_APPROVE, _REJECT],
        defaults=_REJECT,
        response_timeout=_PATIENCE,
        execution_timeout=None,
        doc_md="Ask a person whether the new version may go into production. The question is under "
        "Required Actions. If nobody answers in time, the answer is no.",
    )


def answer_of(response: dict[str, Any] | None) -> "Approval | None":
    """Convert the approval task's response to an `Approval`; None if the task was skipped."""
    from scripts.deploy import Approval

    if response is None:
        return None
    person = response["responded_by_user"]
    by = person["name"] if person else f"nobody's answer in {_PATIENCE.total_seconds() / 3600:g} h"
    return Approval(approved=response["chosen_options"] == [_APPROVE], by=by)
