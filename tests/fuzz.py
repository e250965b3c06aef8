"""Hostile inputs, many of them: each is refused with one clear line, or accepted with a sound result.

    python tests/fuzz.py                               # 500 inputs of each area, some minutes
    python tests/fuzz.py --only=files --cases=2000
    python tests/fuzz.py --only=files --first=17 --cases=1    # one input again

`tests/test_fuzz.py` tries a smaller number in every run of the tests.
"""
import argparse
import importlib
import json
import pathlib

from fuzzing.harness import survey

from ecalgen.machine import host
from ecalgen.machine.provenance import provenance

RESULTS = pathlib.Path(__file__).parents[1] / "experiments" / "results"


def areas():
    """Name -> `draw(rng, folder)` of every module in `fuzzing/` that has one."""
    names = sorted(path.stem for path in (pathlib.Path(__file__).parent / "fuzzing").glob("*.py"))
    modules = {name: importlib.import_module(f"fuzzing.{name}") for name in names}
    return {name: module.draw for name, module in modules.items() if hasattr(module, "draw")}


def main():
    """Try every area, print what was found, and write it with its provenance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500, help="inputs of each area")
    parser.add_argument("--first", type=int, default=0, help="index of the first input")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=areas(), help="again for another; all by default")
    parser.add_argument("--results", type=pathlib.Path, help="a JSON file to write")
    args = parser.parse_args()
    host.set_up()
    found = {}
    for name in args.only or areas():
        found[name] = survey(areas()[name], args.cases, args.seed, args.first)
        print(f"{name}: {found[name]['cases']} inputs, {found[name]['refused']} refused, {found[name]['accepted']} "
              f"accepted, {len(found[name]['faults'])} faults")
        for fault in found[name]["faults"]:
            print(f"  case {fault['case']} ({fault['kind']}): {fault['fault']}")
    if args.results:
        args.results.write_text(json.dumps({"areas": found, "provenance": provenance(args.seed)}, indent=1) + "\n")
    raise SystemExit(any(area["faults"] for area in found.values()))


if __name__ == "__main__":
    main()
