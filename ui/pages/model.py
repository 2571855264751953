"""The page about the model in service; `st.navigation` executes it."""

from collections.abc import Sequence
from typing import Final

import streamlit as st

from ui.client.api import NOT_FOUND, ApiError, ask, ask_text
from ui.client.decisions import Decided, read_history
from ui.client.model import Evidence, Model, Scores
from ui.i18n.words import Words
from ui.widgets import charts, note, problem, table

_DECISIONS: Final = 400  # drawn; a year of daily runs
_RUNS: Final = 20  # in the table


def main() -> None:
    """What is in service, how good it is beside its baselines, and where it is weak."""
    words = Words(st.session_state.ui)
    st.title(words("model.title"), anchor=False)
    st.markdown(words("model.lead"))
    try:
        model = ask(Model.read, "/version")
    except ApiError as error:
        problem.show(words, error)
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
        "taught": words(
            "model.taught_text",
            films=words.count("films", model.train_films),
            split_date=words.day(model.split_date),
        ),
        "commit": model.commit[:12],
    }
    table.show(
        words("model.in_service"),
        [words("model.fact"), words("model.value")],
        [(words(f"model.{name}"), value) for name, value in facts.items()],
        headed=True,
    )


def _errors(words: Words, model: Model) -> None:
    st.header(words("model.errors"), anchor=False)
    st.markdown(words("model.errors_lead", films=words.count("films", model.full.films)))
    rows: list[tuple[str, Scores, bool]] = [
        (words("predictors.full"), model.full, True),
        (words("predictors.form"), model.form, True),
        *(
            (words.name("predictors", name), scores, False)
            for name, scores in model.baselines.items()
        ),
    ]
    parts = [f"{name} {words.number(scores.rmse, '0.00')}" for name, scores, _ in rows]
    st.vega_lite_chart(
        spec=charts.errors([(name, scores.rmse, ours) for name, scores, ours in rows]),
        alt=words.all_of(parts),
    )
    table.show(
        words("model.errors"),
        [words("model.predictor"), "RMSE", "MAE", words("model.bias")],
        [
            (
                name,
                words.number(scores.rmse, "0.00"),
                words.number(scores.mae, "0.00"),
                words.points(scores.bias),
            )
            for name, scores, _ in rows
        ],
        numbers=(1, 2, 3),
        headed=True,
    )
    st.markdown(words("model.interval", coverage=words.percent(model.coverage)))


def _history(words: Words, model: Model) -> None:
    """All versions beside what they had to beat, and what became of each run."""
    st.header(words("model.history"), anchor=False)
    try:
        decided = ask(read_history, "/history", params={"limit": str(_DECISIONS)})
    except ApiError as error:
        problem.show(words, error)
        return
    measured = [each for each in reversed(decided) if each.rmse is not None]
    if measured:
        st.markdown(words("model.history_lead"))
        _versions(words, decided, measured)
    if not decided:
        st.info(words("model.no_history"))
        return
    st.header(words("model.runs"), anchor=False)
    st.markdown(words("model.runs_lead"))
    moves = (each for each in decided if each.action != "refused")
    standing = next((each for each in moves if each.version == model.version), None)
    names = ("when", "outcome", "version", "error", "best_baseline", "reason")
    table.show(
        words("model.runs"),
        [words(f"model.{name}") for name in names],
        [_run(words, each, each is standing) for each in decided[:_RUNS]],
        numbers=(3,),
        headed=True,
    )


def _versions(words: Words, decided: Sequence[Decided], measured: Sequence[Decided]) -> None:
    promoted = [each for each in measured if each.action == "promoted"]
    taken_back = [each for each in decided if each.action == "rolled_back"]
    spec = charts.over_time(
        _lines(words, measured),
        promoted=[(each.at.isoformat(), each.rmse or 0.0) for each in promoted],
        rolled_back=[each.at.isoformat() for each in taken_back],
        labelExpr="slice(datum.label, 0, 10)",
    )
    counted = {
        "versions": words.count("versions", len(measured)),
        "rolled_back": words.count("rollbacks", len(taken_back)),
    }
    promotions = words.count("promotions", len(promoted))
    picture = words("model.history_picture", promoted=promotions, **counted)
    st.vega_lite_chart(spec=spec, alt=picture)
    note.show(words("model.history_legend", promoted=words.number(len(promoted)), **counted))


def _lines(words: Words, measured: Sequence[Decided]) -> dict[str, list[tuple[str, float]]]:
    """RMSE by moment, for the versions and for each baseline."""
    lines: dict[str, list[tuple[str, float]]] = {words("predictors.full"): []}
    for each in measured:
        at = each.at.isoformat()
        lines[words("predictors.full")].append((at, each.rmse or 0.0))
        for name, rmse in each.baselines.items():
            lines.setdefault(words.name("predictors", name), []).append((at, rmse))
    return lines


def _run(words: Words, decided: Decided, in_service: bool) -> Sequence[str]:
    outcome = words.name("outcomes", decided.action)
    if in_service:
        outcome = words("model.serving_now", outcome=outcome)
    name, rmse = min(decided.baselines.items(), key=lambda each: each[1], default=("", 0.0))
    return (
        words.moment(decided.at),
        outcome,
        decided.version,
        "" if decided.rmse is None else words.number(decided.rmse, "0.000"),
        f"{words.name('predictors', name)} {words.number(rmse, '0.000')}" if name else "",
        decided.reason,
    )


def _evidence(words: Words) -> None:
    try:
        evidence = ask(Evidence.read, "/evidence")
    except ApiError as error:
        if error.status == NOT_FOUND:
            st.info(words("model.no_evidence"))
        else:
            problem.show(words, error)
        return
    st.header(words("model.calibration"), anchor=False)
    st.markdown(words("model.calibration_lead"))
    st.vega_lite_chart(
        spec=charts.calibration(words, evidence.calibration),
        alt=charts.calibration_in_words(words, evidence.calibration),
    )
    st.header(words("model.importance"), anchor=False)
    named = [(words.name("groups", group), size) for group, size in evidence.importance]
    parts = [f"{name} {words.number(size, '0.00')}" for name, size in named]
    st.vega_lite_chart(spec=charts.sizes(named), alt=words.all_of(parts))
    _slices(words, evidence)


def _slices(words: Words, evidence: Evidence) -> None:
    st.header(words("model.slices"), anchor=False)
    st.markdown(words("model.slices_lead"))
    for kind in dict.fromkeys(each.kind for each in evidence.slices):
        table.show(
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
                    _slice_name(words, kind, each.name),
                    words.number(each.scores.films),
                    words.number(each.scores.rmse, "0.00"),
                    words.points(each.scores.bias),
                    words.percent(each.coverage),
                )
                for each in evidence.slices
                if each.kind == kind
            ],
            numbers=(1, 2, 3, 4),
        )


def _slice_name(words: Words, kind: str, name: str) -> str:
    if kind == "language":
        return words.language(name)
    if kind == "genre":
        return words.name("genres", name)
    if kind == "votes":
        return words("slices.votes_from", votes=name.removeprefix("from "))
    return name


def _report(words: Words, model: Model) -> None:
    st.header(words("model.report"), anchor=False)
    st.markdown(words("model.report_note", file=f"data-prepare/report_{model.run_date}.html"))
    if model.wandb_run and model.wandb_run.startswith("https://"):
        st.link_button(words("model.wandb"), model.wandb_run)
    elif model.wandb_run:
        st.text(words("model.wandb_offline", run=model.wandb_run))
    with st.expander(words("model.card")):
        try:
            st.markdown(ask_text("/card"))
        except ApiError as error:
            st.text(words("model.no_card") if error.status == NOT_FOUND else error.detail)


if __name__ == "__main__":
    main()
