"""Functions by name, and one line for every name that stands for none."""
import math

import pytest

from ecalgen.errors import UserError
from ecalgen.machine.imports import import_named


def test_a_function_by_name():
    assert import_named("math:sqrt") is math.sqrt


@pytest.mark.parametrize("name, message", [
    ("sqrt", "'sqrt' does not have the form module:function"),
    (":sqrt", "':sqrt' does not have the form module:function"),
    ("no_such_module:f", r"no_such_module:f cannot be imported \(No module named 'no_such_module'\); give module:func"),
    ("math:no_such", r"math:no_such cannot be imported \(module 'math' has no attribute 'no_such'\)"),
    ("broken:f", r"broken:f cannot be imported \(division by zero\)"),
])
def test_other_names_are_refused(name, message, tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=message):
        import_named(name)
