"""Hooks of mkdocs: pages that lie elsewhere in the repository, or are made from the recipes, and the links to them."""
import pathlib
import posixpath
import re

from mkdocs.structure.files import File

from ecalgen import recipes

ROOT = pathlib.Path(__file__).parents[1]
ELSEWHERE = {
    "index.md": "README.md",
    "models.md": "ecalgen/shipped/README.md",
    "samples.md": "ecalgen/data/samples/README.md",
    "experiments.md": "experiments/README.md",
    "queue.md": "experiments/queue.md",
    "search.md": "experiments/results/search.md",
    "pilots.md": "experiments/results/anchored_pilots.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "application.md": "examples/inside_geant4.py",
    "design_program.md": "examples/design.py",
    "electrons.md": "examples/geant4/electrons.cc",
    "generated_showers.md": "examples/geant4/GeneratedShowers.hh",
    "cmake.md": "examples/geant4/CMakeLists.txt",
}
"""Page of the site -> file of the repository."""
LANGUAGES = {".py": "python", ".cc": "cpp", ".hh": "cpp", ".txt": "cmake"}
"""Ending of a program's name -> the language that colours it."""
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def on_files(files, config):
    """Add the pages that lie elsewhere, the fields of the recipes, and the figures of the results."""
    texts = {page: _text(ROOT / path) for page, path in ELSEWHERE.items()}
    for page, text in (texts | {"fields.md": fields()}).items():
        files.append(File.generated(config, page, content=text))
    for picture in (ROOT / "experiments" / "results").glob("*.png"):
        files.append(File.generated(config, f"results/{picture.name}", abs_src_path=str(picture)))
    return files


def on_page_markdown(markdown, page, config, files):
    """Turn links into the repository into links of the site; of files that are on no page, only the words stay."""
    path = ELSEWHERE.get(page.file.src_path, f"docs/{page.file.src_path}")
    return LINK.sub(lambda link: _moved(*link.groups(), path), markdown)


def _text(path):
    """A page as it is, or a program as a page."""
    text = path.read_text(encoding="utf-8")
    return text if path.suffix == ".md" else f"# {path.name}\n\n```{LANGUAGES[path.suffix]}\n{text}```\n"


def fields():
    """The page of the fields of every recipe."""
    parts = ["# Fields of a recipe", "", "`ecalgen train --config=RECIPE --help` shows the same. A field is set by "
             "`--config.FIELD=VALUE`. The values are those of the full recipes; presets change some.", ""]
    for name in recipes.names():
        parts += [f"## {name}", "", "| field | value | meaning |", "| --- | --- | --- |"]
        parts += [f"| `{field.name}` | `{field.value!r}` | {_cell(field.meaning)} |"
                  for field in recipes.fields(recipes.load(name))]
        parts.append("")
    return "\n".join(parts)


def _cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def _moved(mark, words, target, path):
    """A link of a page that lies at `path` in the repository, as a link of the site."""
    if re.match(r"https?:|#|mailto:", target):
        return f"{mark}[{words}]({target})"
    file, _, anchor = target.partition("#")
    where = posixpath.normpath(posixpath.join(posixpath.dirname(path), file))
    pages = {there: page for page, there in ELSEWHERE.items()}
    anchor = f"#{anchor}" if anchor else ""
    if where in pages:
        return f"{mark}[{words}]({pages[where]}{anchor})"
    if where.startswith("docs/") and (ROOT / where).exists():
        return f"{mark}[{words}]({where.removeprefix('docs/')}{anchor})"
    if where.startswith("experiments/results/") and where.endswith(".png"):
        return f"{mark}[{words}]({where.removeprefix('experiments/')})"
    return words
