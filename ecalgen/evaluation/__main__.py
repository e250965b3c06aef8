"""python -m ecalgen.evaluation --real FILE --generated FILE [--reference FILE] --out DIR

Judges the showers of one file against the real ones of another: DIR/evaluation.json and DIR/report.html. Files are npz,
ROOT or HDF5. Shower i of both may belong to the same particle, which shows more, or to any of the same beam.
"""
import pathlib

from absl import app, flags

from ecalgen import host
from ecalgen.errors import UserError
from ecalgen.evaluation.evaluate import evaluate, write_evaluation
from ecalgen.evaluation.inputs import load_sets
from ecalgen.evaluation.prd import PROTOCOLS
from ecalgen.evaluation.report import write_report
from ecalgen.evaluation.verdict import verdict
from ecalgen.provenance import provenance

REAL = flags.DEFINE_string("real", None, "file of real showers", required=True)
GENERATED = flags.DEFINE_string("generated", None, "file of generated showers", required=True)
REFERENCE = flags.DEFINE_string("reference", None, "file of other real showers, best those that the generator was "
                                "trained on, whose copies are looked for; half of --real when not given")
PROTOCOL = flags.DEFINE_enum("protocol", "paper", list(PROTOCOLS), "features, clusters and runs of the PRD")
SEED = flags.DEFINE_integer("seed", 0, "of clusterings, folds and bootstraps")
OUT = flags.DEFINE_string("out", None, "folder for evaluation.json and report.html", required=True)


def main(argv):
    """Judge, write and print the path of the report; a fault of the user's ends in one line, not a traceback."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}; options start with --")
    host.set_up()
    out = pathlib.Path(OUT.value)
    out.mkdir(parents=True, exist_ok=True)
    try:
        (real, generated, reference), notes = load_sets(REAL.value, GENERATED.value, REFERENCE.value)
        for note in notes:
            print(f"note: {note}")
        print(f"judging {len(generated):,} generated showers against {len(real):,} real ones; the larger set is cut",
              flush=True)
        result = evaluate(real, generated, reference, PROTOCOL.value, SEED.value)
    except UserError as error:
        raise SystemExit(f"error: {error}") from error
    result |= {"notes": notes, "provenance": provenance(SEED.value)}
    write_evaluation(out / "evaluation.json", result)
    for label, sentence in verdict(result).items():
        print(f"{label}: {sentence}")
    print(write_report(real, generated, result, out))


if __name__ == "__main__":
    app.run(main)
