"""The order of the rooms: a module imports from its own room and from earlier ones only."""
import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "ecalgen"
ROOMS = ("errors", "machine", "data", "simulation", "models", "sampling", "training", "evaluation.wording",
         "evaluation.metrics", "evaluation", "evaluation.report", "plots", "export", "recipes", "runs",
         "refine", "benchmark", "main", "cli")
"""In order; a room is a folder, or a module of the top level."""
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name not in ("__init__.py", "__main__.py"))


def name_of(path):
    """`ecalgen/data/showers.py` -> `data.showers`."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def room_of(module):
    """The index in `ROOMS` of the most specific room that a module lies in."""
    rooms = [room for room in ROOMS if module == room or module.startswith(f"{room}.")]
    assert rooms, f"{module} lies in no room"
    return ROOMS.index(max(rooms, key=len))


def imported(source):
    """Names of the modules of ecalgen that a source imports, at its top or inside functions."""
    known = {name_of(path) for path in MODULES}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "ecalgen":
            base = node.module.partition(".")[2]
            for alias in node.names:
                module = f"{base}.{alias.name}".strip(".")
                yield module if module in known else base
        elif isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[2] for alias in node.names if alias.name.startswith("ecalgen."))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_no_later_room(path):
    later = [other for other in imported(path.read_text()) if other and room_of(other) > room_of(name_of(path))]
    assert not later


def test_an_import_of_a_later_room_is_seen():
    assert list(imported("def f():\n    from ecalgen.training import losses\n    import ecalgen.runs")) == [
        "training.losses", "runs"]
    assert room_of("training.losses") > room_of("models.build") > room_of("machine.host")
