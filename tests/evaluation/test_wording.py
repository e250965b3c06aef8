"""Numbers and names as text for a reader."""
import pytest

from ecalgen.evaluation.wording import bracketed, moments, number, text, words


def test_numbers_have_a_minus_and_what_is_missing_a_dash():
    assert (number(-1.23456), number(2, 0), number(None), number(float("inf"))) == ("−1.235", "2", "–", "–")
    assert (bracketed([0.1, -0.25], 2), bracketed(None)) == ("[0.10, −0.25]", "–")


@pytest.mark.parametrize("mean, deviation, said", [
    (-1.25, 0.31, "−1.250 ± 0.310"), (1234.5, 678.9, "1234 ± 679"), (1, 0, "1.000 ± 0.000"), (2.0, 1e-9, "2 ± 1e−09")])
def test_moments_show_three_digits_of_the_deviation(mean, deviation, said):
    assert moments(mean, deviation) == said


def test_any_value_of_json():
    assert text({"steps": 20000, "rates": [1e-4, 0.123456], "done": True, "note": None, "name": "a"}) == (
        "steps 20\u202f000, rates 0.0001, 0.1235, done yes, note –, name a")
    assert words(["delta_x", "sparsity"]) == "delta x, sparsity"
