"""Runs of a recipe with something changed, by variant and seed, in a file of results that a rerun goes on with."""
import argparse
import json
import os
import pathlib

import jax

RESULTS = pathlib.Path(__file__).parent / "results"


def make_parser(doc, name, showers=10_000):
    """The flags that all such experiments share; results and runs are called `name`."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--only", action="append", metavar="VARIANT", help="again for another; all by default")
    parser.add_argument("--showers", type=int, default=showers, help="that are judged")
    parser.add_argument("--source", default="ecal_shashlik/electron_5d", help="of the showers; a file wants no TFDS")
    parser.add_argument("--workdir", type=pathlib.Path, default=pathlib.Path("runs") / name.replace("_", "-"))
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS / f"{name}.json")
    return parser


def run_all(args, variants, head, run):
    """Every variant of every seed that the results do not hold yet.

    Two processes may share the work by seeds or by variants: each reads the file again before it adds to it.

    Args:
      args: as of `make_parser`.
      variants: names, in order.
      head: () -> what the results say beside their runs, asked for when there are none yet.
      run: (variant, seed, what the results say so far) -> a JSON-able dict of what was measured.
    """
    if not args.results.exists():
        write(args.results, head() | {"runs": []})
    for seed in args.seeds:
        for name in args.only or variants:
            result = read(args.results)
            if not any((row["variant"], row["seed"]) == (name, seed) for row in result["runs"]):
                row = {"variant": name, "seed": seed} | run(name, seed, result)
                jax.clear_caches()  # a dozen runs' programs exhaust the mappings of one process
                print(json.dumps(row)[:400], flush=True)
                result = read(args.results)
                write(args.results, result | {"runs": [*result["runs"], row]})


def read(path):
    """The results so far."""
    return json.loads(path.read_text())


def write(path, result):
    """JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(result, indent=1) + "\n")
    os.replace(temporary, path)
