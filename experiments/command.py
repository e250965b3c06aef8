"""What all commands of the experiments share: their flags, and their files of results."""
import argparse
import json
import pathlib

from ecalgen.machine.files import write_text

ROOT = pathlib.Path(__file__).parents[1]
RESULTS = ROOT / "experiments" / "results"
SOURCE = "ecal_shashlik/electron_5d"


def new_parser(doc, results=None):
    """A parser with the docstring as its help and, for a command that writes `results/<results>.json`, `--results`."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    if results:
        parser.add_argument("--results", type=absolute, default=RESULTS / f"{results}.json",
                            help=f"file for the figures (experiments/results/{results}.json)")
    return parser


def add_showers(parser, count=10_000):
    """The flags `--showers` and `--source`."""
    parser.add_argument("--showers", type=int, default=count, help=f"number of showers in each set ({count:,})")
    parser.add_argument("--source", default=SOURCE, help="source of the showers; a file works without TFDS")


def add_clusters(parser):
    """The flag `--clusters`."""
    parser.add_argument("--clusters", type=int, help="clusters of the PRD; fewer showers need fewer clusters")


def absolute(text):
    """The absolute path, which workers of a cluster understand too."""
    return pathlib.Path(text).absolute()


def read(path):
    """The results in a file."""
    return json.loads(path.read_text())


def write(path, result):
    """Write results as JSON: the whole file or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(result, indent=1) + "\n")
