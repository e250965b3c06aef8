"""The models in the package: what each is, and what it reached before the judges.

    ecalgen models
"""
import argparse
import json
from typing import NamedTuple

from ecalgen.sampling.weights import SHIPPED, shipped_models

REACHED = "reached.json"
"""In the folder of the shipped models; `experiments.tables` writes it from the results."""


class Model(NamedTuple):
    """A generator in the package.

    Attributes:
      name: for `load_sampler`.
      title: one line that describes it.
      calorimeter: name of its grid.
      particle: that it was trained on, with its range of energies.
      reached: `physics_prd` and `raw_prd` with the `*_ceiling` of real showers, AUC of the classifiers by
        `observables` and `images` with their `*_floor`, `clusters`, `runs` and `showers` of the judgement, and
        `ms_per_shower` of one core by the thousand where it was measured.
    """

    name: str
    title: str
    calorimeter: str
    particle: str
    reached: dict


def list_models() -> list[Model]:
    """The generators in the package, the best first."""
    kept = json.loads((SHIPPED / REACHED).read_text(encoding="utf-8"))
    return [Model(name, **kept[name]) for name in kept if name in shipped_models("generator")]


def make_parser():
    """The options; there are none but `--help`."""
    return argparse.ArgumentParser(prog="ecalgen models", description="Lists the models in the package.")


def main(argv=None):
    """Print a table of the models."""
    make_parser().parse_args(argv)
    print(table(list_models()))


def table(models):
    """The models in lines of text; in brackets is the value of other real showers."""
    lines = []
    for name, title, calorimeter, particle, reached in models:
        lines += [f"{name}: {title}", f"    {particle}, {calorimeter}"]
        lines += ["    physics PRD-AUC {physics_prd:.3f} ({physics_prd_ceiling:.3f}), "
                  "raw {raw_prd:.3f} ({raw_prd_ceiling:.3f}); "
                  "classifier AUC by observables {observables:.3f} ({observables_floor:.3f}), "
                  "by images {images:.3f} ({images_floor:.3f})".format(**reached)
                  + ("; {ms_per_shower:.2g} ms a shower".format(**reached) if "ms_per_shower" in reached else "")]
    one = models[0].reached
    return "\n".join([*lines, f"PRD: {one['clusters']} clusters, {one['runs']} runs, {one['showers']:,} showers; in "
                              "brackets: other real showers. Times: one core, by the thousand."])


if __name__ == "__main__":
    main()
