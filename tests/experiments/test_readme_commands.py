"""Every command of an experiment that a page names exists, and its parser accepts the flags."""
import pathlib
import re
import shlex

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PAGES = ("README.md", "experiments/README.md", "ecalgen/shipped/README.md", "ecalgen/data/samples/README.md",
         *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").glob("*.md"))))
CONTINUED = re.compile(r"\\\n\s*")
COMMAND = re.compile(r"python -m experiments\.([\w.]+)([^`\n#]*)")


def commands(page):
    """[(module, flags)] of the commands of a page."""
    text = CONTINUED.sub("", (ROOT / page).read_text())
    return [(module, shlex.split(flags)) for module, flags in COMMAND.findall(text)]


def parse(experiment, module, flags):
    """Parse the flags by the module's parser; of a package, by that of its `__main__`."""
    try:
        parser = experiment(module).make_parser()
    except AttributeError:
        parser = experiment(f"{module}.__main__").make_parser()
    return parser.parse_args(flags)


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_exist(experiment, page):
    for module, flags in commands(page):
        parse(experiment, module, flags)


def test_the_table_has_a_command_for_every_file_of_results():
    text = (ROOT / "experiments" / "README.md").read_text()
    pages = [ROOT / "experiments" / "queue.md", *(ROOT / "experiments" / "results").glob("*.md")]
    named = text + "".join(path.read_text() for path in pages)
    missing = [path.name for path in (ROOT / "experiments" / "results").glob("*.json")
               if path.name not in named and path.name != "anchored_pilots.json"]
    assert not missing and len(commands("experiments/README.md")) > 25


def test_every_command_of_a_docstring_is_accepted(experiment):
    found = 0
    for path in sorted((ROOT / "experiments").rglob("*.py")):
        head = path.read_text().split('"""')[1].replace("\\\\\n", "\\\n")
        for module, flags in COMMAND.findall(CONTINUED.sub("", head)):
            parse(experiment, module, shlex.split(flags))
            found += 1
    assert found > 40


def test_a_flag_that_does_not_exist_is_found(experiment):
    with pytest.raises(SystemExit):
        parse(experiment, "sweeps.lineage", ["--nothing"])
