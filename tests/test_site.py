"""The site of the documentation builds without a warning, and its commands exist."""
import importlib
import pathlib
import re
import shlex

import documentation
import pytest

from ecalgen import cli, main, recipes

ROOT = pathlib.Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), ROOT / "ecalgen" / "shipped" / "README.md"])


def commands(page):
    """The commands `ecalgen ...` in the bash blocks of a page, as words."""
    text = "".join(re.findall(r"```bash\n(.*?)```", page.read_text(), re.S)).replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in text.splitlines() if line.startswith("ecalgen ")]


def test_it_builds(shared_folder):
    pytest.importorskip("mkdocs", reason="mkdocs, of the extra docs, is not installed")
    site = shared_folder("site", documentation.build_site)
    assert (site / "index.html").exists() and (site / "gallery.png").exists()
    api, fields = ((site / name / "index.html").read_text() for name in ("api", "fields"))
    for name in ("load_sampler", "list_models", "ShowerWriter", "linearity"):
        assert name in api
    assert "<code>train.generator_rate</code>" in fields and "learning rate of Adam" in fields


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name if page.parent == ROOT / "docs" else
                         str(page.relative_to(ROOT)))
def test_its_commands_are_accepted(page):
    for _, subcommand, *words in commands(page):
        if subcommand == "completion":
            continue
        if subcommand != "train":
            importlib.import_module(cli.COMMANDS[subcommand].parser).make_parser().parse_args(words)
            continue
        options = dict(word.split("=", 1) for word in words if word != "--help")
        name = options.pop("--config")
        config = recipes.load(name if name != "mine.py:test" else "anchored:test")
        known = {f"--config.{field.name}" for field in recipes.fields(config)} | {
            f"--{option.name}" for option in main.OPTIONS}
        assert options.keys() <= known, options


def test_the_pages_have_commands():
    assert sum(len(commands(page)) for page in PAGES) > 15
