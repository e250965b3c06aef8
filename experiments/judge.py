r"""Judge anything that makes showers by the same split, protocol and seed: a shipped generator, gflash, a run, a file.

    python -m experiments.judge one baseline       # a shipped generator: its file in `results/` is renewed
    python -m experiments.judge one gflash         # the parametrised shower, and its speed: 4 minutes on two cores
    python -m experiments.judge one showers.npz --results=runs/x.json    # or the folder of a run
    python -m experiments.judge ship baseline runs/auxiliary/baseline-0  # a run: judge it, copy it into the package
    taskset -c 0 python -m experiments.judge precision                   # shipped generators at both precisions
    taskset -c 0 python -m experiments.judge large                       # with much data; a rerun continues
    taskset -c 0 python -m experiments.judge ranking --run=runs/library  # everything at hand; a rerun continues
    python -m experiments.judge one gflash --showers=300 --clusters=20 --results=runs/x.json

The protocol is `paper`, the split is `test`, and the reference showers are those of the training split. Products in
bfloat16 are rounded alike on every machine, so a CPU measures the fidelity on an accelerator, but not the speed.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import ml_collections
import numpy as np

from ecalgen import runs
from ecalgen.data.ecal_shashlik import load_repeated, load_split
from ecalgen.data.files.formats import load_showers
from ecalgen.evaluation.evaluate import evaluate, write_evaluation
from ecalgen.evaluation.large import judge_largely, spoken
from ecalgen.evaluation.report.compare import write_comparison
from ecalgen.evaluation.report.verdict import verdict
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import PRECISIONS, load_sampler
from ecalgen.sampling.weights import SHIPPED, shipped_models
from ecalgen.simulation.gflash import SHASHLIK_TUNING, Gflash
from ecalgen.training.metrics_log import read_metrics
from experiments.checks.distortions import uncorrelated
from experiments.checks.sensitivity import headlines
from experiments.command import RESULTS, ROOT, absolute, add_clusters, add_showers, new_parser, read, write
from experiments.measures import best_seconds, distances, generated, judged, reference

CLASSIFIERS = ("observables", "cells", "images")


def make_parser():
    """The flags of each command."""
    parser = new_parser(__doc__)
    commands = parser.add_subparsers(required=True, metavar="one|ship|precision|large|ranking")
    judging, shipping, rounding, learning, ordering = (
        _command(commands, *parts) for parts in ((one, 10_000), (ship, 10_000), (precision, 10_000), (large, 20_000),
                                                 (ranking, 5_000)))
    judging.add_argument("judged", help="name of a shipped generator, gflash, folder of a run, or file of showers")
    judging.add_argument("--speed", action="store_true", help="print the showers a second of gflash; judge nothing")
    shipping.add_argument("name", help="name of the generator for `load_sampler`")
    shipping.add_argument("workdir", type=pathlib.Path, help="folder of the run")
    shipping.add_argument("--shipped", type=pathlib.Path, help="folder for the generator (its folder in the package)")
    rounding.add_argument("--only", action="append", choices=shipped_models("generator"), metavar="MODEL",
                          help="judge this model; repeat the flag for others (all)")
    learning.add_argument("--only", action="append", metavar="NAME", default=[],
                          help="judge this shipped generator, gflash or folder of a run; repeat it (all that ship)")
    ordering.add_argument("--run", type=pathlib.Path, action="append", default=[], help="judge this trained run, too")
    ordering.add_argument("--workdir", type=pathlib.Path, default=pathlib.Path("runs/ranking"),
                          help="folder of the evaluations (runs/ranking)")
    for command in (judging, ordering):
        add_clusters(command)
    return parser


def _command(commands, function, showers):
    """The parser of one command, with the flags that all have."""
    parser = commands.add_parser(function.__name__, help=function.__doc__.partition("\n")[0])
    parser.set_defaults(command=function)
    add_showers(parser, showers)
    parser.add_argument("--results", type=absolute, help="file for the figures (in experiments/results, by the name of "
                        "the command, or of the generator)")
    return parser


def main():
    """Judge what the flags name."""
    args = make_parser().parse_args()
    host.set_up()
    args.command(args)


def one(args):
    """Judge a shipped generator, gflash, a run or a file of showers, and write the figures."""
    named = args.judged in (*shipped_models("generator"), "gflash")
    if not (named or args.results):
        raise SystemExit(f"error: {args.judged} is no shipped generator; give a file for its figures with --results")
    real = load_split(args.source, "test", limit=args.showers)
    if args.speed:
        return print(speed(real))
    known = RESULTS / f"{args.judged}.json"
    path = args.results or known
    showers = load_showers(args.judged) if pathlib.Path(args.judged).is_file() else generated(args.judged, real)
    repeated = load_repeated(args.source)
    result = (read(known) if named and known.exists() else {}) | evaluate(
        real, showers, load_split(args.source, "train"), clusters=args.clusters,
        repeated=repeated if repeated and len(repeated) <= len(real) else None)
    result |= {"split": "test", "provenance": provenance(0)} | facts(args, result)
    write_evaluation(_made(path), result)
    for label, sentence in verdict(result).items():
        print(f"{label}: {sentence}")
    print(f"figures in {path}")


def facts(args, result):
    """The results beside the evaluation: training, and the tuning and speed of gflash."""
    if args.judged == "gflash":
        fit = read(RESULTS / "gflash_tuning.json")
        training = {"system": "gflash", "parameters": len(fit["tuning"])} | {
            name: fit[name] for name in ("showers", "seconds")}
        return {"training": training, "showers_per_second": speeds(args.showers),
                "config": {"tuning": SHASHLIK_TUNING._asdict()}}
    if args.judged in shipped_models("generator"):
        trained = load_sampler(args.judged).card["provenance"]
        return {"training": result["training"] | {"provenance": trained}}
    return {"judged": args.judged}


def ship(args):
    """Judge a finished run, copy its generator into the package, and write the figures."""
    config = ml_collections.ConfigDict(read(args.workdir / "config.json"))
    monitored = [row for row in read_metrics(args.workdir / "metrics.jsonl") if "w1" in row]
    curve = [{name: row[name] for name in ("stage", "step", "seconds", "w1")} for row in monitored]
    ship_run(args, args.name, config, {"learning_curve": curve})


def ship_run(args, name, config, extra):
    """Judge the run in `args.workdir`; its generator goes to `args.shipped`, the figures to `args.results`."""
    results, shipped = args.results or RESULTS / f"{name}.json", args.shipped or SHIPPED / name
    config.evaluation.showers = args.showers
    report = runs.evaluate(config, args.workdir)
    write(results, read(args.workdir / "evaluation.json") | extra | {"config": config.to_dict()})
    shutil.copytree(args.workdir / "generator", shipped, dirs_exist_ok=True)
    print(f"report in {report}, figures in {results}, generator in {shipped}")


def precision(args):
    """Judge shipped generators at every precision of their products: what does bfloat16 cost in fidelity?"""
    real = load_split(args.source, "test", limit=args.showers)
    compared = lambda other: judged(real, other, CLASSIFIERS) | {"w1": distances(real, other)}
    rows = [{"model": name, "precision": precision} | compared(generated(load_sampler(name, precision), real))
            for name in host.progress(args.only or shipped_models("generator"), desc="models", unit="model")
            for precision in PRECISIONS]
    write(args.results or RESULTS / "precision.json", {
        "showers": len(real), "split": "test", "provenance": provenance(0),
        "real_against_real": compared(reference(real)), "rows": rows})


def large(args):
    """Judge generators by classifiers that learn from the whole training split, and are asked of the test split."""
    path = args.results or RESULTS / "large.json"
    real, asked = load_split(args.source, "train"), load_split(args.source, "test", limit=args.showers)
    result = read(path) if path.exists() else {
        "showers": len(real), "asked": len(asked), "split": "test", "provenance": provenance(0), "systems": {}}
    for name in args.only or [*shipped_models("generator"), "gflash"]:
        if name not in result["systems"]:
            made, answers = (generated(name, part, seed) for seed, part in enumerate((real, asked)))
            result["systems"][name] = judge_largely(real, made, asked, answers)
            write(path, result)
            print(f"{name}\n{spoken(result['systems'][name])}", flush=True)


def ranking(args):
    """Judge everything at hand, from real showers to a generator that is bad on purpose, and compare all on a page.

    The bad one takes every cell from another shower of nearly the same energy. Its cells are right one by one, and
    their correlations are lost.
    """
    real, training = (load_split(args.source, split) for split in ("test", "train"))
    real, reference, others = real[:args.showers], training[:args.showers], training[args.showers:2 * args.showers]
    folders = {}
    for name, make in ranked(real, others, args.run).items():
        folders[name] = args.workdir / name.replace(" ", "-")
        path = folders[name] / "evaluation.json"
        if not path.exists():
            write_evaluation(_made(path), evaluate(real, make(), reference, clusters=args.clusters, progress=False))
            print(name, flush=True)
    page, words = write_comparison(list(folders.values()), args.workdir)
    write(args.results or RESULTS / "ranking.json", {
        "showers": args.showers, "split": "test", "provenance": provenance(0), "verdict": words,
        "systems": {name: headlines(read(folder / "evaluation.json")) for name, folder in folders.items()}})
    print(page)


def ranked(real, others, trained):
    """Name -> () -> showers at the conditions of `real`; `geant4` and the bad one use the showers `others`."""
    sources = {name: name for name in shipped_models("generator")} | {run.name: run for run in trained}
    made = {name: lambda source=source: generated(source, real) for name, source in sources.items()}
    return {"geant4": lambda: others} | made | {
        "gflash": lambda: generated("gflash", real),
        "cells of other showers": lambda: uncorrelated(others, None, np.random.default_rng(0), 1)}


def speeds(showers):
    """{number of cores: showers a second} of gflash, on one core and on all; each in a process of its own."""
    cores = sorted(os.sched_getaffinity(0))
    command = [sys.executable, "-m", "experiments.judge", "one", "gflash", "--speed", f"--showers={showers}"]
    run = lambda count: float(subprocess.run(
        ["taskset", "-c", ",".join(map(str, cores[:count])), *command], check=True, capture_output=True, text=True,
        cwd=ROOT).stdout.split()[-1])
    return {str(count): run(count) for count in sorted({1, len(cores)})}


def speed(real):
    """Showers a second of gflash at these conditions."""
    return round(len(real) / best_seconds(lambda: Gflash()(real.momentum, real.point), 3), 1)


def _made(path):
    """The path, with its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


if __name__ == "__main__":
    main()
