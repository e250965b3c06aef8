"""A few of the fuzz script's inputs of every area; `python tests/fuzz.py` tries more."""
import fuzz
import pytest
from fuzzing.harness import Trial, survey

from ecalgen.errors import UserError

CASES = 60


@pytest.mark.parametrize("area", fuzz.areas())
def test_hostile_inputs_are_refused_or_made_sound(area):
    found = survey(fuzz.areas()[area], CASES, seed=1)
    assert not found["faults"]
    assert found["refused"] > 0


def test_the_harness_tells_a_refusal_from_a_fault():
    def draw(rng, folder):
        kind = ("refusal", "traceback", "unsound", "two lines", "fine")[int(rng.integers(5))]
        def call():
            match kind:
                case "refusal":
                    raise UserError("say what is wrong")
                case "two lines":
                    raise UserError("one\ntwo")
                case "traceback":
                    raise KeyError("energy")
            return kind

        def sound(result):
            assert result == "fine"

        return Trial(kind, call, sound)

    found = survey(draw, 60, seed=0)
    assert found["refused"] == found["kinds"]["refusal"] and found["accepted"] == found["kinds"]["fine"]
    assert {fault["kind"] for fault in found["faults"]} == {"traceback", "unsound", "two lines"}
