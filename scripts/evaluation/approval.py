"""The question to a person whether a model may go into production, and the recorded answer.

Question and answer are in a file of the run, `approval_{date}.json`. Airflow's own records do not
count, because anybody who may change a task's state or XCom can change them without an answer.
"""

from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from scripts.runtime.clock import now
from scripts.runtime.run_files import RunFiles
from scripts.runtime.storage import DataFileError, DataPath, read_json, write_json


class Candidate(NamedTuple):
    """A model that may go into production: its version and the SHA-256 of its manifest."""

    version: str
    manifest_sha256: str


class Approval(BaseModel):
    """The answer to a question: whether a person approved, the person's name, and the time."""

    model_config = ConfigDict(frozen=True)

    approved: bool
    by: str
    at: datetime


class _Question(BaseModel):
    """A question about one candidate, and its answer; None if there is no answer yet.

    Attributes:
        run_id: The Airflow run that asks.
    """

    model_config = ConfigDict(frozen=True)

    candidate: Candidate
    run_id: str
    asked_at: datetime
    answer: Approval | None = None


def record_question(files: RunFiles, candidate: Candidate, run_id: str) -> None:
    """Record that a run asks about a candidate; this withdraws an earlier answer.

    Raises:
        DataFileError: The working folder cannot be written.
    """
    _write(files.approval, _Question(candidate=candidate, run_id=run_id, asked_at=now()))


def record_answer(files: RunFiles, run_id: str, answer: Approval) -> None:
    """Record the answer to the question of a run.

    Raises:
        DataFileError: The run has not asked, or the working folder cannot be written.
    """
    question = _read(files.approval)
    if question is None or question.run_id != run_id:
        raise DataFileError(
            f"{files.approval} has no question of {run_id}, so the answer of {answer.by} does not "
            "count; clear the task approve_promotion to ask again"
        )
    _write(files.approval, question.model_copy(update={"answer": answer}))


def find_answer(files: RunFiles, candidate: Candidate, run_id: str | None) -> Approval | str:
    """Return the recorded answer about a candidate, or the reason why there is none.

    Args:
        files: The files of the run.
        candidate: The answer must be about this candidate.
        run_id: The answer must be to the question of this Airflow run; None accepts every run.
    """
    question = _read(files.approval)
    if question is None or (run_id is not None and question.run_id != run_id):
        return "nobody was asked for approval in this run"
    if question.candidate != candidate:
        return f"approval was asked for another model ({question.candidate.version})"
    return question.answer or "nobody has answered the question"


def _read(path: DataPath) -> _Question | None:
    if not path.exists():
        return None
    try:
        return _Question.model_validate(read_json(path))
    except ValueError:
        raise DataFileError(
            f"{path} is not readable; delete it, and clear the task approve_promotion to ask again"
        ) from None


def _write(path: DataPath, question: _Question) -> None:
    write_json(path, question.model_dump(mode="json"))
