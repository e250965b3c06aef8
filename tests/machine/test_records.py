"""JSON records: each fault is named by its field, in one line."""
import json

import pytest

from ecalgen.machine import records
from ecalgen.machine.records import COUNT, FLAG, NUMBER, PAIR, TEXT, Each, Maybe, RecordError, Rows

KIND = {"name": TEXT, "steps": COUNT, "octant": Maybe(FLAG), "range": PAIR, "ranges": Each(NUMBER),
        "widths": Rows(COUNT)}
SOUND = {"name": "x", "steps": 3, "range": [1, 2.5], "ranges": {"a": 0.5}, "widths": [4, 8]}


@pytest.mark.parametrize("changes", [{}, {"octant": True}, {"octant": None}, {"other": [[]]}, {"widths": []}])
def test_what_is_sound_is_returned(changes, tmp_path):
    (tmp_path / "card.json").write_text(json.dumps(SOUND | changes))
    assert records.read_record(tmp_path / "card.json", KIND) == SOUND | changes


@pytest.mark.parametrize("changes, message", [
    ({"name": 3}, "^name is 3; it must be text$"),
    ({"steps": True}, "^steps is true; it must be a whole number from 0$"),
    ({"steps": 3.0}, "^steps is 3.0; it must be a whole number"),
    ({"steps": -1}, "^steps is -1; it must be a whole number from 0"),
    ({"steps": 10**400}, "^steps is 1000"),
    ({"octant": 1}, "^octant is 1; it must be true or false$"),
    ({"range": [1]}, r"^range is \[1\]; it must be a list of two finite numbers$"),
    ({"range": [1, float("nan")]}, r"^range is \[1, NaN\]; it must be a list of two finite numbers$"),
    ({"ranges": {"a": float("inf")}}, "^ranges.a is Infinity; it must be a finite number$"),
    ({"ranges": [1]}, r"^ranges is \[1\]; it must be an object$"),
    ({"widths": [1, "2"]}, r'^widths\[1\] is "2"; it must be a whole number from 0$'),
    ({"widths": {}}, "^widths is {}; it must be a list$"),
    ({"name": ["a\nb" * 100]}, r'^name is \["a.nba.*\.\.\.; it must be text$'),
])
def test_a_field_of_another_kind_is_named(changes, message):
    with pytest.raises(RecordError, match=message) as caught:
        records.parse_record(json.dumps(SOUND | changes), KIND)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize("name", SOUND)
def test_a_missing_field_is_named(name):
    with pytest.raises(RecordError, match=f"^field {name} is missing$"):
        records.parse_record(json.dumps({field: value for field, value in SOUND.items() if field != name}), KIND)


@pytest.mark.parametrize("content, message", [
    (b"", "no JSON: Expecting value"), (b'{"name": "x"', "no JSON: "), (b"\x00\xff\x13", "byte 1 is no text"),
    (b"[" * 1000 + b"]" * 1000, "no JSON: maximum recursion depth|more than 50 levels"),
    (b"[" * 100 + b"]" * 100, "more than 50 levels of objects and lists in each other"),
    (b"[" * 100_000, "no JSON: "), (b"9" * 5000, "no JSON: "), (b"[]", r"^it is \[\]; it must be an object$"),
])
def test_files_that_are_no_record(tmp_path, content, message):
    (tmp_path / "card.json").write_bytes(content)
    with pytest.raises(RecordError, match=message):
        records.read_record(tmp_path / "card.json", KIND)


def test_no_file_or_a_folder(tmp_path):
    with pytest.raises(RecordError, match="No such file"):
        records.read_record(tmp_path / "card.json", KIND)
    with pytest.raises(RecordError, match="Is a directory"):
        records.read_record(tmp_path, KIND)
