"""Judge a shipped generator anew, after the evaluation has changed, and bring its file in `results/` up to date.

    python -m experiments.rejudge baseline    # 5 minutes on two cores
"""
import argparse
import json
import pathlib

from ecalgen.data.ecal_shashlik import load_repeated, load_split
from ecalgen.data.showers import Showers
from ecalgen.evaluation.evaluate import evaluate
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from ecalgen.sampling.weights import shipped_models

RESULTS = pathlib.Path(__file__).parent / "results"


def main():
    """Replace what `evaluate` says; what is known of the training stays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=shipped_models("generator"))
    parser.add_argument("--results", type=pathlib.Path, help="default: the generator's own")
    args = parser.parse_args()
    host.set_up()
    path = RESULTS / f"{args.name}.json"
    result = json.loads(path.read_text())
    source, count, sampler = result["config"]["data"]["source"], result["showers"], load_sampler(args.name)
    real, reference = load_split(source, "test", limit=count), load_split(source, "train")
    generated = Showers(sampler(real.momentum, real.point, seed=result["seed"]), real.momentum, real.point, real.pdg)
    result |= evaluate(real, generated, reference, protocol=result["protocol"], seed=result["seed"],
                       bootstrap=result["bootstrap"], repeated=load_repeated(source)) | {"split": "test"}
    result["provenance"] = provenance(result["seed"])
    result["training"]["provenance"] = sampler.card["provenance"]
    (args.results or path).write_text(json.dumps(result, indent=1) + "\n")
    print(f"{args.results or path}: classifier AUC {result['c2st']['observables']['auc']:.3f}")


if __name__ == "__main__":
    main()
