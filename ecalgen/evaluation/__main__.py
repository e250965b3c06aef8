"""Judge a run again, or the showers of a file against real ones, or compare judged runs.

    ecalgen evaluate --run DIR
    ecalgen evaluate --run NAME --judge=large --out DIR
    ecalgen evaluate --real FILE --generated FILE [--reference FILE] [--repeated FILE] --out DIR
    ecalgen evaluate --compare RUN --compare RUN ... --out DIR

Files are npz, ROOT or HDF5. Showers i of both files may belong to the same particle, which shows more, or to any of the
beam. DIR/evaluation.json holds the numbers and DIR/report.html the report; of a comparison, DIR/compare.html.
"""
import argparse
import importlib
import pathlib

from ecalgen import runs
from ecalgen.errors import UserError
from ecalgen.evaluation import large
from ecalgen.evaluation.evaluate import evaluate, write_evaluation
from ecalgen.evaluation.inputs import load_sets
from ecalgen.evaluation.metrics.prd import PROTOCOLS
from ecalgen.evaluation.report.compare import write_comparison
from ecalgen.evaluation.report.report_page import write_report
from ecalgen.evaluation.report.verdict import spoken, verdict
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.training.recipe import recipe_of

FILES = ("real", "generated", "reference", "repeated", "protocol", "seed")
"""Options of the showers of files."""


def make_parser():
    """The options; `--help` explains them."""
    parser = argparse.ArgumentParser(prog="ecalgen evaluate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--run", metavar="DIR", help="folder of a run, which is judged again by its own recipe; with --judge=large "
                                     "also the name of a shipped generator")
    add("--judge", choices=("usual", "large"), default="usual", help="large: with --run, classifiers that learn from "
        "the whole training split, in some minutes; DIR/large.json holds what they found")
    add("--refine", type=int, default=1, help="candidates for each shower, with --judge=large (1)")
    add("--real", metavar="FILE", help="real showers")
    add("--generated", metavar="FILE", help="generated showers")
    add("--reference", metavar="FILE", help="other real showers, best those on which the generator was trained, whose "
                                            "copies are searched for; half of --real when not given")
    add("--repeated", metavar="FILE", help="showers that Geant4 made a second time of the first real particles, for "
                                           "the ceiling of showers of the same particles")
    add("--protocol", choices=list(PROTOCOLS), help="features, clusters and runs of the PRD (paper)")
    add("--seed", type=int, help="of clusterings, folds and bootstraps (0)")
    add("--compare", action="append", metavar="RUN", help="folder of a judged run, twice or more, instead of showers")
    add("--metrics", action="append", metavar="MODULE", default=[],
        help="module that registers metrics of your own; it is imported first")
    add("--out", metavar="DIR", type=pathlib.Path, help="folder of the results; that of the run with --run")
    return parser


def main(argv=None):
    """Judge or compare, and print the path of the page; an error of the user ends in one line, not a traceback."""
    args = make_parser().parse_args(argv)
    try:
        _check(args)
        _import_metrics(args.metrics)
        if args.judge == "large":
            host.set_up()
            out = (args.out or pathlib.Path(args.run)) / "large.json"
            print(large.spoken(runs.judge_largely(args.run, out, refine=args.refine)["judges"]))
            print(out)
            return
        if args.run:
            host.set_up()
            print(runs.evaluate(recipe_of(args.run), pathlib.Path(args.run)))
            return
        page, said = write_comparison(args.compare, args.out) if args.compare else _judge(args)
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(spoken(said))
    print(page)


def _judge(args):
    """Judge showers; return the path of the report, and its verdict."""
    host.set_up()
    if args.out.exists() and not args.out.is_dir():
        raise UserError(f"--out={args.out} is a file; name a folder, new or not")
    args.out.mkdir(parents=True, exist_ok=True)
    (real, generated, reference, repeated), notes = load_sets(args.real, args.generated, args.reference, args.repeated)
    for note in notes:
        print(f"note: {note}")
    there = [len(generated), *([len(real), len(reference)] if reference else [len(real) // 2] * 2)]
    print(f"judging {min(there):,} generated showers against {min(there):,} real ones, "
          f"with {min(there):,} other real ones{'' if reference else ', the second half of --real,'} beside them",
          flush=True)
    seed = args.seed or 0
    result = evaluate(real, generated, reference, args.protocol or "paper", seed, repeated=repeated)
    result |= {"notes": notes, "provenance": provenance(seed)}
    write_evaluation(args.out / "evaluation.json", result)
    title = " against ".join(pathlib.Path(path).name for path in (args.generated, args.real))
    return write_report(real, generated, result, args.out, title=title), verdict(result)


def _check(args):
    """Refuse options that are missing, or that would not be used."""
    given = [f"--{name}" for name in FILES if getattr(args, name) is not None]
    if args.run:
        unused = given + ["--compare"] * bool(args.compare) + ["--out"] * bool(args.out and args.judge != "large")
        unused += ["--refine"] * (args.refine != 1 and args.judge != "large")
        if unused:
            raise UserError(f"--run judges a run or a model of its own; leave out {', '.join(unused)}")
    elif args.refine != 1:
        raise UserError("--refine is for --run with --judge=large; showers of a file are what they are")
    elif args.judge == "large":
        raise UserError("--judge=large judges a generator; name it with --run, a folder or a shipped one")
    elif args.compare and given:
        raise UserError(f"--compare takes judged runs; leave out {', '.join(given)}")
    elif not args.compare and (missing := [f"--{name}" for name in ("real", "generated") if not getattr(args, name)]):
        raise UserError(f"{' and '.join(missing)} not given: the files of showers to judge; or --run DIR, for a run; "
                        "or --compare DIR, twice or more, for runs that are judged")
    in_its_folder = args.run and (args.judge != "large" or pathlib.Path(args.run).is_dir())
    if args.out is None and not in_its_folder:
        raise UserError("--out not given: the folder of the results")
    if args.judge == "large":
        (args.out or pathlib.Path(args.run)).mkdir(parents=True, exist_ok=True)


def _import_metrics(modules):
    """Import modules of the working directory or of the Python path."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise UserError(f"--metrics={module}: {error}; name a module of this folder or of the Python path, without "
                            ".py") from error


if __name__ == "__main__":
    main()
