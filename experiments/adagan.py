"""The ensemble of GANs on 25 x 25 x 25 cells: what one, two and three generators reach and cost.

    taskset -c 0 python -m experiments.adagan       # half an hour on one core; rerun to go on
    python -m experiments.adagan --preset=test --workdir=runs/x --results=runs/x.json
"""
import argparse
import json
import pathlib
import shutil

import jax

from configs import adagan
from ecalgen.adagan import ensemble_run as runs
from ecalgen.adagan.ensemble_sampler import load_ensemble
from ecalgen.machine import host
from ecalgen.training.metrics_log import read_metrics
from experiments.lineage import milliseconds
from experiments.variants import PRESETS, RESULTS, write

BATCHES = (1, 1_000)


def main():
    """Train, judge every ensemble, time it, and copy figures and numbers into `results/`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="cpu", choices=PRESETS, help="of configs/adagan.py; empty: in full")
    parser.add_argument("--workdir", type=pathlib.Path, default=pathlib.Path("runs/adagan"))
    parser.add_argument("--results", type=pathlib.Path, default=RESULTS / "adagan.json")
    args = parser.parse_args()
    host.set_up()
    config = adagan.get_config(args.preset)
    runs.prepare(config, args.workdir)
    runs.train(config, args.workdir)
    report = runs.evaluate(config, args.workdir)
    result = json.loads((args.workdir / "evaluation.json").read_text())
    for count, found in result["members"].items():
        found["costs"] = costs(config, args.workdir, int(count))
    write(args.results, result)
    for figure in ("profiles", "sampling_fraction"):
        shutil.copy(args.workdir / "figures" / f"{figure}.png", args.results.parent / f"adagan_{figure}.png")
    print(f"report in {report}, figures in {args.results}")


def costs(config, workdir, count):
    """{"parameters", "bytes", "seconds" of training, "milliseconds_per_shower" by batch} of the first generators."""
    sampler, incident = load_ensemble(workdir), runs.volume_splits(config.data.source)["train"].incident_energy
    arrays = [array for member in sampler.members[:count] for array in jax.tree.leaves(member)]
    seconds = {row["stage"]: row["seconds"] for row in read_metrics(workdir / "metrics.jsonl")}
    stages = [f"{kind}{number}" for number in range(count) for kind in ("member", "judge")]
    return {"parameters": sum(array.size for array in arrays), "bytes": sum(array.nbytes for array in arrays),
            "seconds": round(sum(seconds.get(stage, 0) for stage in stages), 1),
            "milliseconds_per_shower": {
                str(batch): milliseconds(lambda n: sampler(incident[:n], members=count), batch, repeats=3)
                for batch in BATCHES}}


if __name__ == "__main__":
    main()
