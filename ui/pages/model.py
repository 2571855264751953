"""The page about the model that the API uses now: its origin, its errors, and earlier versions."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.client.api import NOT_FOUND, ApiError, fetch, fetch_text
from ui.client.decisions import Decision, parse_decisions
from ui.client.model import Errors, Evidence, Model
from ui.i18n.words import Words
from ui.widgets import charts, notices, subgroups, table

_CHART_DECISIONS: Final = 400  # about a year of daily runs
_TABLE_RUNS: Final = 20


def main() -> None:
    """Draw the page about the model that the API uses now.

    It shows the model's origin, its errors beside those of the baselines, the earlier versions, and
    for which kinds of films the errors are large.
    """
    words = Words(st.session_state.ui)
    st.title(words("model.title"), anchor=False)
    st.markdown(words("model.lead"))
    try:
        model = fetch(Model.parse, "/version", fresh=True)
    except ApiError as error:
        notices.show_error(words, error)
        st.button(words("page.retry"))
        return
    _in_service(words, model)
    _errors(words, model)
    _history(words, model)
    _evidence(words)
    _report(words, model)


def _in_service(words: Words, model: Model) -> None:
    st.header(words("model.in_service"), anchor=False)
    if model.registry_away:
        st.warning(words("basis.registry_away"), icon=":material/warning:")
    facts = {
        "version": model.version,
        "since": words.moment(model.since),
        "run_date": words.day(model.run_date),
        "family": words.name("families", model.family),
        "source": words(
            "model.source_text", source=model.source, films=words.count("films", model.known_films)
        ),
        "taught": _training_films(words, model),
        "commit": model.commit[:12],
    }
    table.draw(
        words("model.in_service"),
        [words("model.fact"), words("model.value")],
        [(words(f"model.{name}"), value) for name, value in facts.items()],
        caption_hidden=True,
    )


def _training_films(words: Words, model: Model) -> str:
    films, split_date = words.count("films", model.train_films), words.day(model.split_date)
    if model.known_until is None:
        return words("model.taught_text", films=films, split_date=split_date)
    until = words.day(model.known_until)
    return words("model.taught_again_text", films=films, until=until, split_date=split_date)


def _errors(words: Words, model: Model) -> None:
    st.header(words("model.errors"), anchor=False)
    st.markdown(words("model.errors_lead", films=words.count("films", model.full.films)))
    rows: list[tuple[str, Errors, bool]] = [
        (words("predictors.full"), model.full, True),
        (words("predictors.form"), model.form, True),
        *(
            (words.name("predictors", name), errors, False)
            for name, errors in model.baselines.items()
        ),
    ]
    parts = [f"{name} {words.number(errors.rmse, '0.00')}" for name, errors, _ in rows]
    st.vega_lite_chart(
        spec=charts.errors([(name, errors.rmse, ours) for name, errors, ours in rows]),
        alt=words.joined(parts),
    )
    table.draw(
        words("model.errors"),
        [words("model.predictor"), "RMSE", "MAE", words("model.bias")],
        [
            (
                name,
                words.number(errors.rmse, "0.00"),
                words.number(errors.mae, "0.00"),
                words.points(errors.bias),
            )
            for name, errors, _ in rows
        ],
        numbers=(1, 2, 3),
        caption_hidden=True,
    )
    st.markdown(words("model.interval", coverage=words.percent(model.coverage)))


def _history(words: Words, model: Model) -> None:
    """Draw a chart with the errors of all model versions, and a table of the last decisions."""
    st.header(words("model.history"), anchor=False)
    try:
        decisions = fetch(parse_decisions, "/history", params={"limit": str(_CHART_DECISIONS)})
    except ApiError as error:
        notices.show_error(words, error)
        return
    measured = [each for each in reversed(decisions) if each.rmse is not None]
    if measured:
        st.markdown(words("model.history_lead"))
        _versions(words, decisions, measured)
    if not decisions:
        st.info(words("model.no_history"))
        return
    st.header(words("model.runs"), anchor=False)
    st.markdown(words("model.runs_lead"))
    # Refused versions never go into service, so they cannot be the row marked "in service".
    swaps = (each for each in decisions if each.action != "refused")
    current = next((each for each in swaps if each.version == model.version), None)
    names = ("when", "outcome", "version", "error", "best_baseline", "reason")
    table.draw(
        words("model.runs"),
        [words(f"model.{name}") for name in names],
        [_run(words, each, each is current) for each in decisions[:_TABLE_RUNS]],
        numbers=(3,),
        caption_hidden=True,
    )


def _versions(words: Words, decisions: Sequence[Decision], measured: Sequence[Decision]) -> None:
    promoted = [each for each in measured if each.action == "promoted"]
    rollbacks = [each for each in decisions if each.action == "rolled_back"]
    spec = charts.errors_over_time(
        _lines(words, measured),
        promoted=[(each.at.isoformat(), each.rmse or 0.0) for each in promoted],
        rolled_back=[each.at.isoformat() for each in rollbacks],
        labelExpr="slice(datum.label, 0, 10)",  # only the date, YYYY-MM-DD, without the time
    )
    versions = words.count("versions", len(measured))
    events = [words.count("promotions", len(promoted))]
    legend = words("model.history_legend", versions=versions, promoted=words.number(len(promoted)))
    if rollbacks:
        rolled_back = words.count("rollbacks", len(rollbacks))
        events.append(rolled_back)
        legend += " " + words("model.history_rollbacks", rolled_back=rolled_back)
    picture = words("model.history_picture", versions=versions, events=", ".join(events))
    st.vega_lite_chart(spec=spec, alt=picture)
    notices.small_print(legend)


def _lines(words: Words, measured: Sequence[Decision]) -> dict[str, list[tuple[str, float]]]:
    """Return the lines of the chart with errors over time: one for the model, one per baseline.

    A line is a list of pairs: the time of a decision, and the RMSE at that time. The result has the
    lines by their names.
    """
    lines: dict[str, list[tuple[str, float]]] = {words("predictors.full"): []}
    for each in measured:
        at = each.at.isoformat()
        # `measured` contains only decisions with an RMSE; `or` is for the type checker.
        lines[words("predictors.full")].append((at, each.rmse or 0.0))
        for name, rmse in each.baselines.items():
            lines.setdefault(words.name("predictors", name), []).append((at, rmse))
    return lines


def _run(words: Words, decision: Decision, in_service: bool) -> Sequence[str]:
    outcome = words.name("outcomes", decision.action)
    if in_service:
        outcome = words("model.serving_now", outcome=outcome)
    name, rmse = min(decision.baselines.items(), key=lambda each: each[1], default=("", 0.0))
    return (
        words.moment(decision.at),
        outcome,
        decision.version,
        "" if decision.rmse is None else words.number(decision.rmse, "0.000"),
        f"{words.name('predictors', name)} {words.number(rmse, '0.000')}" if name else "",
        decision.reason,
    )


def _evidence(words: Words) -> None:
    try:
        evidence = fetch(Evidence.parse, "/evidence")
    except ApiError as error:
        if error.status == NOT_FOUND:
            st.info(words("model.no_evidence"))
        else:
            notices.show_error(words, error)
        return
    st.header(words("model.calibration"), anchor=False)
    st.markdown(words("model.calibration_lead"))
    st.vega_lite_chart(
        spec=charts.calibration(words, evidence.calibration),
        alt=charts.calibration_text(words, evidence.calibration),
    )
    st.header(words("model.importance"), anchor=False)
    named = [(words.name("groups", group), size) for group, size in evidence.importance]
    parts = [f"{name} {words.number(size, '0.00')}" for name, size in named]
    st.vega_lite_chart(spec=charts.plain_bars(named), alt=words.joined(parts))
    _subgroups(words, evidence)


def _subgroups(words: Words, evidence: Evidence) -> None:
    st.header(words("model.slices"), anchor=False)
    st.markdown(words("model.slices_lead"))
    for kind in dict.fromkeys(each.kind for each in evidence.subgroups):
        found = [each for each in evidence.subgroups if each.kind == kind]
        names = subgroups.names_of(words, kind, (each.name for each in found))
        table.draw(
            words.name("slices", kind),
            [
                words.name("slices", kind),
                words("model.films"),
                "RMSE",
                words("model.bias"),
                words("model.covered"),
            ],
            [
                (
                    name,
                    words.number(each.errors.films),
                    words.number(each.errors.rmse, "0.00"),
                    words.points(each.errors.bias),
                    words.percent(each.coverage),
                )
                for name, each in zip(names, found, strict=True)
            ],
            numbers=(1, 2, 3, 4),
        )


def _report(words: Words, model: Model) -> None:
    st.header(words("model.report"), anchor=False)
    st.markdown(words("model.report_note", file=f"data-prepare/report_{model.run_date}.html"))
    if model.wandb_run and model.wandb_run.startswith("https://"):
        st.link_button(words("model.wandb"), model.wandb_run)
    elif model.wandb_run:
        st.text(words("model.wandb_offline", run=model.wandb_run))
    with st.expander(words("model.card")):
        try:
            # As plain text: it contains names, which could be Markdown themselves.
            st.text(fetch_text("/card"))
        except ApiError as error:
            st.text(words("model.no_card") if error.status == NOT_FOUND else error.detail)


if __name__ == "__main__":
    main()
