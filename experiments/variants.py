"""Runs of a recipe with something changed, by variant and seed, in a file of results that a rerun goes on with."""
import argparse
import json
import os
import pathlib

import jax

from ecalgen import cluster, host

RESULTS = pathlib.Path(__file__).parent / "results"


def make_parser(doc, name, showers=10_000):
    """The flags that all such experiments share; results and runs are called `name`."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=[0, 1, 2])
    parser.add_argument("--only", action="append", metavar="VARIANT", help="again for another; all by default")
    parser.add_argument("--showers", type=int, default=showers, help="that are judged")
    parser.add_argument("--source", default="ecal_shashlik/electron_5d", help="of the showers; a file wants no TFDS")
    parser.add_argument("--scheduler", metavar="ADDRESS or FILE.json",
                        help="of a Dask cluster whose workers take a run each (extra dask)")
    parser.add_argument("--workdir", type=absolute, default=f"runs/{name.replace('_', '-')}")
    parser.add_argument("--results", type=absolute, default=str(RESULTS / f"{name}.json"))
    return parser


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
      ClusterError: as `cluster.connect`.
    """
    if not args.results.exists():
        write(args.results, head() | {"runs": []})
    todo = [(name, seed) for seed in args.seeds for name in args.only or variants]
    if args.scheduler and (missing := [row for row in todo if not _is_there(args, *row)]):
        _run_on_cluster(args, missing, run, needs or {})
    for name, seed in todo:
        if not _is_there(args, name, seed):
            _add(args, {"variant": name, "seed": seed} | run(name, seed, read(args.results)))
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
        write(path, {"variant": name, "seed": seed} | run(name, seed, result))
        jax.clear_caches()
    return read(path)


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
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(result, indent=1) + "\n")
    os.replace(temporary, path)
