"""How long an evaluation takes on cores that other processes use too, with and without the limit on its threads.

    python -m experiments.checks.shared_cores         # an hour, on a machine that does nothing else
    python -m experiments.checks.shared_cores --showers=40 --clusters=10 --busy=2 --results=runs/x.json

Every case is a process of its own, so that it starts without a load of its own. `busy` processes count in a loop beside
it. The limit is `ecalgen.machine.host.native_threads`; without it, there are as many threads as cores. The limit reads
the load of the last minute, so the first minute of the busy processes is not timed.
"""
import contextlib
import multiprocessing
import os
import subprocess
import sys
import time

from ecalgen.data.ecal_shashlik import load_split, sample_path
from ecalgen.data.showers import Showers
from ecalgen.evaluation.evaluate import evaluate
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from experiments.command import new_parser, write

LIMITED = {"limited": True, "as many threads as cores": False}


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "shared_cores")
    parser.add_argument("--showers", type=int, default=200, help="showers in each set (200)")
    parser.add_argument("--clusters", type=int, default=100, help="clusters of the PRD (100)")
    parser.add_argument("--busy", type=int, default=15, help="processes that count in a loop beside it (15)")
    parser.add_argument("--wait", type=float, default=host.LOAD_SECONDS, help="seconds before the timing starts")
    parser.add_argument("--limit", type=float, default=1_800, help="seconds after which a case is ended (1,800)")
    parser.add_argument("--one", choices=LIMITED, help="time this case alone in this process, and print the seconds")
    return parser


def main():
    """Time all cases, alone and beside the busy processes, and write them with their provenance."""
    args = make_parser().parse_args()
    if args.one:
        print(seconds(args.showers, args.clusters, LIMITED[args.one]))
        return
    seconds(args.showers, args.clusters, True)  # compiles what the cases share
    rows = [{"busy": busy, "threads": case} | timed(args, busy, case) for busy in (0, args.busy) for case in LIMITED]
    write(args.results, {"showers": args.showers, "clusters": args.clusters, "cores": host.cores(), "rows": rows,
                         "provenance": provenance(0)})


def timed(args, busy, case):
    """{"load" when it began, "seconds", "ended" by the limit} of one case in a process of its own."""
    with spinning(busy):
        time.sleep(args.wait)
        load = os.getloadavg()[0]
        command = [sys.executable, "-m", "experiments.checks.shared_cores", f"--showers={args.showers}",
                   f"--clusters={args.clusters}", f"--one={case}"]
        environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
        try:
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment,
                                  timeout=args.limit)
            row = {"load": round(load, 2), "seconds": float(done.stdout.split()[-1]), "ended": False}
        except subprocess.TimeoutExpired:
            row = {"load": round(load, 2), "seconds": args.limit, "ended": True}
    print(busy, case, row, flush=True)
    return row


@contextlib.contextmanager
def spinning(count):
    """Run `count` processes that use all the core time that they get."""
    processes = [multiprocessing.get_context("spawn").Process(target=_count, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def seconds(showers, clusters, limited):
    """Seconds of one evaluation, of real showers whose energies are 3 % too large."""
    host.set_up()
    if not limited:
        host.free_cores = host.cores
    real, reference = (load_split(str(sample_path()), split, None, showers) for split in ("test", "train"))
    generated = Showers(1.03 * real.energy, real.momentum, real.point)
    begin = time.perf_counter()
    evaluate(real, generated, reference, clusters=clusters, progress=False)
    return round(time.perf_counter() - begin, 1)


def _count():
    while True:
        pass


if __name__ == "__main__":
    main()
