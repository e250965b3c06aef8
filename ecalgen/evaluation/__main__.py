"""python -m ecalgen.evaluation --real FILE --generated FILE [--reference FILE] [--repeated FILE] --out DIR
python -m ecalgen.evaluation --compare RUN --compare RUN ... --out DIR

Judge the showers of one file against the real ones of another, and write DIR/evaluation.json and DIR/report.html. Files
are npz, ROOT or HDF5. Showers i of both files may belong to the same particle, which shows more, or to any of the beam.
With --compare, compare judged runs, which are folders with evaluation.json, and write DIR/compare.html.
With --metrics=MODULE, import a module that registers metrics of your own first.
"""
import importlib
import pathlib

from absl import app, flags

from ecalgen.errors import UserError
from ecalgen.evaluation.evaluate import evaluate, write_evaluation
from ecalgen.evaluation.inputs import load_sets
from ecalgen.evaluation.metrics.prd import PROTOCOLS
from ecalgen.evaluation.report.compare import write_comparison
from ecalgen.evaluation.report.report_page import write_report
from ecalgen.evaluation.report.verdict import spoken, verdict
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance

REAL = flags.DEFINE_string("real", None, "file of real showers; required to judge")
GENERATED = flags.DEFINE_string("generated", None, "file of generated showers; required to judge")
REFERENCE = flags.DEFINE_string("reference", None, "file of other real showers, best those on which the generator "
                                "was trained, whose copies are searched for; half of --real when not given")
REPEATED = flags.DEFINE_string("repeated", None, "file of showers that Geant4 made a second time of the first real "
                               "particles, for the ceiling of showers of the same particles")
PROTOCOL = flags.DEFINE_enum("protocol", "paper", list(PROTOCOLS), "features, clusters and runs of the PRD")
SEED = flags.DEFINE_integer("seed", 0, "of clusterings, folds and bootstraps")
COMPARE = flags.DEFINE_multi_string("compare", [], "folder of a judged run, twice or more, instead of showers")
METRICS = flags.DEFINE_multi_string("metrics", [], "module that registers metrics; it is imported first")
OUT = flags.DEFINE_string("out", None, "folder for evaluation.json and report.html, or compare.html", required=True)


def main(argv):
    """Judge or compare, and print the path of the page; an error of the user ends in one line, not a traceback."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}; options start with --")
    out = pathlib.Path(OUT.value)
    try:
        _check_flags()
        _import_metrics(METRICS.value)
        if COMPARE.value:
            page, said = write_comparison(COMPARE.value, out)
        else:
            page, said = _judge(out)
    except (UserError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    print(spoken(said))
    print(page)


def _judge(out):
    """Judge showers; return the path of the report, and its verdict."""
    host.set_up()
    if out.exists() and not out.is_dir():
        raise UserError(f"--out={out} is a file; name a folder, new or not")
    out.mkdir(parents=True, exist_ok=True)
    (real, generated, reference, repeated), notes = load_sets(REAL.value, GENERATED.value, REFERENCE.value,
                                                              REPEATED.value)
    for note in notes:
        print(f"note: {note}")
    there = [len(generated), *([len(real), len(reference)] if reference else [len(real) // 2] * 2)]
    print(f"judging {min(there):,} generated showers against {min(there):,} real ones, "
          f"with {min(there):,} other real ones{'' if reference else ', the second half of --real,'} beside them",
          flush=True)
    result = evaluate(real, generated, reference, PROTOCOL.value, SEED.value, repeated=repeated)
    result |= {"notes": notes, "provenance": provenance(SEED.value)}
    write_evaluation(out / "evaluation.json", result)
    title = " against ".join(pathlib.Path(path).name for path in (GENERATED.value, REAL.value))
    return write_report(real, generated, result, out, title=title), verdict(result)


def _check_flags():
    """Refuse flags that are missing, or that would not be used."""
    if COMPARE.value:
        unused = [f"--{flag.name}" for flag in (REAL, GENERATED, REFERENCE, REPEATED, PROTOCOL, SEED)
                  if flag.present]
        if unused:
            raise UserError(f"--compare takes judged runs; leave out {', '.join(unused)}")
        return
    missing = [f"--{flag.name}" for flag in (REAL, GENERATED) if flag.value is None]
    if missing:
        raise UserError(f"{' and '.join(missing)} not given: the files of showers to judge; or --compare DIR, twice or "
                        "more, for runs that are judged")


def _import_metrics(modules):
    """Import modules of the working directory or of the Python path."""
    for module in modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise UserError(f"--metrics={module}: {error}; name a module of this folder or of the Python path, without "
                            ".py") from error


if __name__ == "__main__":
    app.run(main)
