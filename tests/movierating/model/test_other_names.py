import json
from typing import Any

import pytest

from movierating.model.other_names import OtherNames

NAMES = OtherNames({21684: ["봉준호", "Joon-ho Bong"], 7: [], 1: ["Ada Now"]})


def test_names_are_the_same_after_a_round_trip_through_json():
    assert dict(OtherNames.from_json(json.loads(json.dumps(NAMES.to_json())))) == dict(NAMES)
    assert dict(NAMES) == {21684: ["봉준호", "Joon-ho Bong"], 1: ["Ada Now"]}
    assert len(OtherNames()) == 0


@pytest.mark.parametrize("raw", [{}, {"ids": "AAAA", "names": []}, {"ids": "", "names": ["x"]}, []])
def test_other_json_is_refused(raw: Any):
    with pytest.raises((KeyError, TypeError, ValueError)):
        OtherNames.from_json(raw)
