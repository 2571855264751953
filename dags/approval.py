"""The Airflow task that asks a person whether a new model version may go into production.

In Airflow 3.3, such a task needs no triggerer while it waits, and occupies no worker slot.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import CreateHITLDetailPayload

from dags.run_context import as_airflow_failure, run_date
from dags.task_settings import task_settings

if TYPE_CHECKING:
    from scripts.evaluation.approval import Approval

QUESTION: Final = "approve_promotion"
_APPROVE, _REJECT = "Approve", "Reject"
_PATIENCE: Final = timedelta(hours=10)  # less than the run's limit of 12 hours


class PromotionQuestion(HITLOperator):
    """Asks a person for approval; if nobody answers in time, the answer is a rejection.

    The question and the answer are recorded in a file of the run. The deployment reads this file,
    and not the state or the XCom of this task, because a person can change both without answering.

    Airflow's ApprovalOperator is not used, because after a rejection that operator skips the next
    task. Here the next task must run: it records the rejection in the log of decisions.
    """

    def __init__(self, **arguments: Any) -> None:
        """Create the task; `execute` replaces the question's text by one that names the version."""
        super().__init__(
            subject="Put the new model into production?",
            options=[_APPROVE, _REJECT],
            defaults=_REJECT,
            response_timeout=_PATIENCE,
            execution_timeout=None,
            **arguments,
        )

    def execute(self, context: Any) -> None:
        """Ask about the version that this run would deploy now, then wait for the answer."""
        from scripts.deploy import ask

        with as_airflow_failure():
            proposal = ask(run_date(), task_settings(), context["run_id"])
        if not proposal.promoted:
            raise AirflowSkipException(f"there is nothing to approve: {proposal.reason}")
        self.subject = f"Put {proposal.version} into production?"
        self.body = f"The gate lets it through: {proposal.reason}"
        self._check_shown(context["task_instance"])
        super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Record the answer, with the person's name and the time."""
        from scripts.deploy import answer

        response = super().execute_complete(context, event)
        with as_airflow_failure():
            answer(run_date(), task_settings(), context["run_id"], approval_of(response))
        return response

    def _check_shown(self, instance: Any) -> None:
        """Check that Airflow shows this question.

        After a person has cleared the task, Airflow still shows the task's first question, which
        may name another version. The person would read one version and approve another.
        """
        question = CreateHITLDetailPayload(
            ti_id=instance.id,
            options=self.options,
            subject=self.subject,
            body=self.body,
            defaults=self.defaults,
            multiple=self.multiple,
            params=self.serialized_params,
            assigned_users=[],
        )
        shown: Any = task_runner.SUPERVISOR_COMMS.send(question)
        if (shown.subject, shown.body) != (self.subject, self.body):
            raise AirflowFailException(
                f"Airflow would still show the old question of this run, {shown.subject!r}, and "
                f"not {self.subject!r}; start a new run of the DAG instead of clearing this one"
            )


def approval_of(response: Mapping[str, Any]) -> "Approval":
    """Convert Airflow's record of the answer; it approves only if a person has answered."""
    from scripts.evaluation.approval import Approval

    person, at = response["responded_by_user"], response["responded_at"]
    return Approval(
        approved=bool(person) and response["chosen_options"] == [_APPROVE],
        by=person["name"]
        if person
        else f"nobody's answer in {_PATIENCE.total_seconds() / 3600:g} h",
        at=at if isinstance(at, datetime) else datetime.fromisoformat(at),
    )
