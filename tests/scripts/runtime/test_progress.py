import logging
import re

import pytest

from scripts.runtime import progress as module
from scripts.runtime.progress import progress


def test_log_lines_show_rate_and_remaining_time(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "_LINE_EVERY_SECONDS", 0)
    caplog.set_level(logging.INFO)
    with progress(100, name="2020-01-01 to 2020-12-31") as counter:
        counter.start_t -= 10  # as if it had started ten seconds earlier
        counter.update(25)
    line = caplog.records[-1].getMessage()
    assert re.fullmatch(
        r"2020-01-01 to 2020-12-31: 25 of 100 films, +[\d.]+film/s, 00:\d\d left", line
    )


def test_terminal_shows_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with progress(4) as bar:
        bar.update(4)
    assert "100%" in capsys.readouterr().err


def test_nothing_to_do_is_no_error():
    with progress(0) as bar:
        bar.update(0)
