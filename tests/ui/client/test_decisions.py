import pytest

from tests.support.stub_api import HISTORY
from ui.client.decisions import parse_decisions


def test_decisions_are_parsed_with_their_errors():
    refused, rolled_back, promoted = parse_decisions(HISTORY)
    assert (refused.action, refused.rmse) == ("refused", 0.625)
    assert refused.baselines == {"mean": 0.81, "old_model": 0.75}
    assert (rolled_back.rmse, rolled_back.baselines) == (None, {})
    assert promoted.at < rolled_back.at < refused.at


@pytest.mark.parametrize("odd", ["high", float("nan"), None])
def test_figure_that_is_no_finite_number_is_refused(odd: object):
    decision = HISTORY["decisions"][0] | {"figures": {"holdout_rmse": odd}}
    with pytest.raises((TypeError, ValueError)):
        parse_decisions({"decisions": [decision]})
