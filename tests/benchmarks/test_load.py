import json
import re
import threading

import pytest

from benchmarks.load import LoadError, Measured, gets, meanwhile, posts, script

TOLD = """\
Running 3s test @ http://127.0.0.1:8000
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     6.15ms    4.22ms  48.86ms   75.50%
    Req/Sec     1.26k   214.22     1.71k    60.00%
  Latency Distribution
     50%  980.00us
     75%    7.01ms
     90%    9.12ms
     99%    1.25s
  3410 requests in 3.00s, 499.51KB read
Requests/sec:   1136.33
Transfer/sec:    166.51KB
"""


def test_rate_and_latencies_are_parsed_with_their_units():
    assert Measured.read(TOLD) == Measured(3410, 1136.33, 0.98, 1250.0)


@pytest.mark.parametrize(
    "line",
    [
        "  Non-2xx or 3xx responses: 12",
        "  Socket errors: connect 0, read 3, write 0, timeout 0",
    ],
)
def test_round_with_failed_requests_is_refused(line: str):
    with pytest.raises(LoadError, match=re.escape(line.strip())):
        Measured.read(TOLD + line)


def test_round_without_any_answer_is_refused():
    with pytest.raises(LoadError, match="--seconds"):
        Measured.read(TOLD.replace("3410 requests", "0 requests"))


def test_output_without_a_result_is_refused():
    with pytest.raises(LoadError, match="no result"):
        Measured.read("unable to connect")


def test_query_is_url_encoded():
    assert gets("/predict", [{"a": 1, "b": "x y"}]) == ['wrk.format("GET", "/predict?a=1&b=x+y")']


def test_body_survives_the_lua_script_unchanged():
    body = {"overview": 'He said: "No." \\ 등대 ]] end'}
    (line,) = posts("/predict", [body])
    sent = re.search(r"\[==\[(.*)\]==\]", line)
    assert sent
    assert json.loads(sent[1]) == body
    assert line.isascii()


def test_script_contains_every_request_once():
    text = script(["first()", "second()"])
    assert re.findall(r"requests\[(\d+)\] = (\w+)", text) == [("1", "first"), ("2", "second")]
    assert "at % #requests" in text


def test_background_functions_run_until_the_block_ends():
    ended = threading.Event()
    seen: list[bool] = []
    with meanwhile([lambda: seen.append(ended.wait(30))] * 2, ended.set):
        assert seen == []
    assert seen == [True, True]
