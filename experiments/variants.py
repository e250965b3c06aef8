"""Runs of a recipe with something changed, by variant and seed, in a file of results that a rerun goes on with."""
import argparse
import json
import pathlib

import jax

from ecalgen.data.ecal_shashlik import SPLITS
from ecalgen.machine import cluster, host
from ecalgen.machine.files import write_text
from ecalgen.machine.provenance import provenance

RESULTS = pathlib.Path(__file__).parent / "results"
PRESETS = ("cpu", "test", "")
"""Of the configs; the last is the full recipe."""
AROUND = ("seeds", "only", "scheduler", "workdir", "results", "retime")
"""Flags that change nothing of a run."""
BEFORE = {"split": "selection", "recipe": "found"}
"""What results were made with that are older than the flag."""


def make_parser(doc, name, showers=10_000, split="selection"):
    """The flags that all such experiments share; results and runs are called `name`.

    `split` is the default of the showers that runs are judged by: `selection` where a choice may follow, `test` where
    finished systems are judged.
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2],
                        metavar="0,1,...", help="of the runs")
    parser.add_argument("--only", action="append", metavar="VARIANT", help="again for another; all by default")
    parser.add_argument("--showers", type=int, default=showers, help="that are judged")
    parser.add_argument("--split", choices=SPLITS, default=split, help=f"of the real showers ({split})")
    parser.add_argument("--source", default="ecal_shashlik/electron_5d", help="of the showers; a file wants no TFDS")
    parser.add_argument("--scheduler", metavar="ADDRESS or FILE.json",
                        help="of a Dask cluster whose workers take a run each (extra dask)")
    parser.add_argument("--workdir", type=absolute, default=f"runs/{name.replace('_', '-')}", help="of all runs")
    parser.add_argument("--results", type=absolute, default=str(RESULTS / f"{name}.json"),
                        help="file that the figures go into; what it holds is not run again")
    return parser


def add_recipe(parser, steps=None):
    """The flags of experiments that train by the configs' presets."""
    parser.add_argument("--preset", default="cpu", choices=PRESETS, help="of the configs; empty: in full")
    parser.add_argument("--steps", type=int, default=steps, help="of each GAN, where not the preset's")


def absolute(text):
    """The path, as workers of a cluster understand it too."""
    return pathlib.Path(text).absolute()


def run_all(args, variants, head, run, needs=None):
    """Every variant of every seed that the results do not hold yet.

    Two processes may share the work by seeds or by variants: each reads the file again before it adds to it.

    Args:
      args: as of `make_parser`.
      variants: names, in order.
      head: () -> what the results say beside their runs, asked for when there are none yet.
      run: (variant, seed, what the results say so far) -> a JSON-able dict of what was measured. Workers of a cluster
        get it pickled, so it should load its showers itself.
      needs: {variant: the one that has to be finished before it, of the same seed}.

    Raises:
      SystemExit: a variant that does not exist, or results of other settings; before anything is run.
      ClusterError: as `cluster.connect`.
    """
    if unknown := [name for name in args.only or () if name not in variants]:
        raise SystemExit(f"error: --only={unknown[0]} is not one of {', '.join(variants)}")
    settings = {name: value for name, value in vars(args).items() if name not in AROUND}
    if not args.results.exists():
        write(args.results, head() | {"settings": settings, "runs": []})
    there = BEFORE | read(args.results).get("settings", settings)
    if differing := [f"{name}={there.get(name)} there, {value} here" for name, value in settings.items()
                     if there.get(name) != value]:
        raise SystemExit(f"error: {args.results} holds runs of other settings ({'; '.join(differing)}); give those, or "
                         "another --results and --workdir")
    todo = [(name, seed) for seed in args.seeds for name in args.only or variants]
    if args.scheduler and (missing := [row for row in todo if not _is_there(args, *row)]):
        _run_on_cluster(args, missing, run, needs or {})
    if all(_is_there(args, *row) for row in todo):
        print(f"{args.results} holds all of these runs")
    for name, seed in todo:
        if not _is_there(args, name, seed):
            _add(args, _row(run, name, seed, read(args.results)))
            jax.clear_caches()  # a dozen runs' programs exhaust the mappings of one process


def _run_on_cluster(args, todo, run, needs):
    """A task for each (variant, seed); the first that fails is raised when all others are done."""
    result, futures, failed = read(args.results), {}, []
    with cluster.connect(args.scheduler) as client:
        for name, seed in todo:
            futures[name, seed] = client.submit(_run_there, run, name, seed, result, args.workdir,
                                                futures.get((needs.get(name), seed)), pure=False)
        waiting = cluster.as_completed(futures.values())
        for future in host.progress(waiting, total=len(futures), desc="runs", unit="run"):
            if future.exception():
                failed.append(future)
            else:
                _add(args, future.result())
        for future in failed:
            future.result()


def _run_there(run, name, seed, result, workdir, _before):
    """What a worker does; its row is kept in the workdir, or the run would be judged again if the worker died."""
    path = workdir / "rows" / f"{name}-{seed}.json"
    if not path.exists():
        host.set_up()
        write(path, _row(run, name, seed, result))
        jax.clear_caches()
    return read(path)


def _row(run, name, seed, result):
    """What was measured, with its provenance."""
    return {"variant": name, "seed": seed} | run(name, seed, result) | {"provenance": provenance(seed)}


def _is_there(args, name, seed):
    return any((row["variant"], row["seed"]) == (name, seed) for row in read(args.results)["runs"])


def _add(args, row):
    print(json.dumps(row)[:400], flush=True)
    result = read(args.results)
    write(args.results, result | {"runs": [*result["runs"], row]})


def read(path):
    """The results so far."""
    return json.loads(path.read_text())


def write(path, result):
    """JSON, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(result, indent=1) + "\n")
