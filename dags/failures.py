"""What failed in a run, and why: each task keeps its error, and the run's message lists them.

A task cannot send the message itself: it does not know about the other tasks, and a task that was
killed does nothing any more. So a task only stores its error as an XCom. When the run has failed,
Airflow calls `failed_run` in another process, the DAG processor.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby, zip_longest
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from airflow.sdk.configuration import conf
from airflow.sdk.exceptions import AirflowTaskTimeout

logger = logging.getLogger(__name__)

REASON: Final = "failure"  # the key of the XCom
_LONGEST_REASON: Final = 300  # characters
_MOST_REASONS: Final = 20  # each takes a request to Airflow's API
_NO_REASON: Final = "it left no error: it was killed, or a person marked it as failed"


class Instance(NamedTuple):
    """One instance of a task in a run; `map_index` is -1 if the task is not mapped."""

    task: str
    map_index: int = -1


def keep_reason(context: Any) -> None:
    """Log the error of a task that failed after its last retry, and store it for the run's message.

    Airflow calls this in the task's own process. If the task was killed, it calls this in the DAG
    processor instead, where there is no error to keep.
    """
    instance, error = context["task_instance"], context.get("exception")
    if error is None:
        return
    reason = _reason(error, context["task"].execution_timeout)
    name = _names([Instance(instance.task_id, instance.map_index)])
    logger.error("%s of %s failed for good: %s", name, context["run_id"], reason)
    instance.xcom_push(REASON, reason)


def failed_run(context: Any) -> str:
    """Describe a failed run: its failing tasks with their errors, and the address of its page."""
    dag, run_id, instance = context["dag"], context["run_id"], context.get("task_instance")
    last = Instance(instance.task_id, instance.map_index) if instance else None
    try:
        failed = _failed(instance) if instance else {}
    except Exception:  # in `dag.test()`, Airflow does not answer any more; send what is known
        logger.exception("Airflow did not say which tasks have failed")
        failed = {last: None} if last and context["reason"] != "timed_out" else {}
    return "\n".join(
        [
            f"{dag.dag_id}: {run_id} {_outcome(context, last, _names(failed))}",
            *_reasons(failed),
            run_address(dag.dag_id, run_id),
        ]
    )


def run_address(dag_id: str, run_id: str) -> str:
    """Return the address of a run's page in Airflow."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{dag_id}/runs/{quote(run_id, safe='')}"


def in_words(limit: timedelta) -> str:
    """Return a time limit in hours, such as `1.5 hours`."""
    return f"{limit.total_seconds() / 3600:g} hours"


def _outcome(context: Any, last: Instance | None, failed: str) -> str:
    if context["reason"] == "timed_out":
        stopped = f" before {_names([last])} had ended" if last else ""
        also = f"; before that, {failed} failed" if failed else ""
        limit = in_words(context["dag"].dagrun_timeout)
        return f"was stopped{stopped}, because the run took more than {limit}{also}"
    return f"failed in {failed}" if failed else f"failed ({context['reason']})"


def _failed(instance: Any) -> dict[Instance, str | None]:
    """Return the failed task instances in the run of `instance`, the first of them with errors."""
    run_id, tasks = instance.run_id, instance.task.dag.task_dict
    states = instance.get_task_states(dag_id=instance.dag_id, run_ids=[run_id]).get(run_id, {})
    failed = sorted(_instance(key, tasks) for key, state in states.items() if state == "failed")
    reasons = [_kept(instance, each) for each in failed[:_MOST_REASONS]]
    return dict(zip_longest(failed, reasons))


def _instance(key: str, tasks: Iterable[str]) -> Instance:
    # Airflow's key of a mapped instance is the task's id and the index, such as `fill_slice_3`.
    task, _, map_index = key.rpartition("_")
    return Instance(key) if key in tasks else Instance(task, int(map_index))


def _reasons(failed: dict[Instance, str | None]) -> Iterator[str]:
    """Yield each error once, after the names of the task instances that failed with it."""
    of_reason: dict[str, list[Instance]] = {}
    for instance, reason in failed.items():
        if reason:
            of_reason.setdefault(reason, []).append(instance)
    for reason, instances in of_reason.items():
        yield f"{_names(instances)}: {reason}"


def _kept(instance: Any, failed: Instance) -> str:
    map_index = failed.map_index if failed.map_index >= 0 else None
    reason = instance.xcom_pull(task_ids=failed.task, map_indexes=map_index, key=REASON)
    return str(reason) if reason else _NO_REASON


def _reason(error: BaseException, limit: timedelta | None) -> str:
    # Airflow's own text names the process, so it would differ between mapped instances.
    if isinstance(error, AirflowTaskTimeout) and limit:
        return f"it took more than {in_words(limit)}"
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}..."


def _names(instances: Iterable[Instance]) -> str:
    """Return the names of task instances, with ranges, such as `plan, fill[0-3, 7]`."""
    of_task: dict[str, list[int]] = {}
    for each in sorted(instances):
        of_task.setdefault(each.task, []).append(each.map_index)
    return ", ".join(
        task if indexes == [-1] else f"{task}[{_ranges(indexes)}]"
        for task, indexes in of_task.items()
    )


def _ranges(indexes: list[int]) -> str:
    # Neighbours in a row have the same difference between index and position.
    rows = groupby(enumerate(indexes), key=lambda pair: pair[1] - pair[0])
    spans = [[index for _, index in row] for _, row in rows]
    return ", ".join(f"{s[0]}-{s[-1]}" if len(s) > 1 else f"{s[0]}" for s in spans)
