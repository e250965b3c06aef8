"""The C++ export against JAX and onnxruntime, by one shower and by more: p50 and p99 of a call on one core.

    taskset -c 0 python -m experiments.checks.c_speed              # some minutes
    python -m experiments.checks.c_speed --model=anchored_light --calls=3 --batches=1,10 --results=runs/x.json

Each call draws its own noise. Different particles enter: electrons of 1 to 100 GeV, as in training.
"""
import os
import pathlib
import subprocess
import tempfile
import time

import jax
import numpy as np

from ecalgen.export.files import export_generator
from ecalgen.export.function import load_function
from ecalgen.machine import host
from ecalgen.machine.provenance import provenance
from ecalgen.sampling.sampler import load_sampler
from ecalgen.simulation.beam import BEAMS, kinematics
from experiments.command import new_parser, write

OPTIONS = ("-O2", "-O3", "-O3 -march=native")
DRIVER = """
#include "{name}.hpp"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

int main(int argc, char **argv) {{
  static const ecalgen::{name} generator;
  static ecalgen::{name}::Workspace workspace;
  std::vector<float> particles, cells(ecalgen::{name}::cells);
  for (float value; std::scanf("%f", &value) == 1;) particles.push_back(value);
  const int batch = std::atoi(argv[1]), calls = argc > 2 ? std::atoi(argv[2]) : 1, known = int(particles.size() / 5);
  for (int call = 0; call < calls; ++call) {{
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < batch; ++i) {{
      const float *p = &particles[5 * ((call * batch + i) % known)];
      generator.shower(call, i, p[0], p[1], p[2], p[3], p[4], cells.data(), workspace);
    }}
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
    std::printf("%.6f\\n", taken.count() / batch);
  }}
}}
"""


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__, "c_speed")
    parser.add_argument("--model", action="append", help="shipped models; repeat the flag (anchored, anchored_light)")
    parser.add_argument("--batches", type=lambda text: [int(size) for size in text.split(",")],
                        default=[1, 10, 100, 1000], help="showers in a call (1,10,100,1000)")
    parser.add_argument("--calls", type=int, default=400, help="of one shower; fewer of more showers (400)")
    return parser


def main(argv=None):
    """Time every program of every model, and write p50 and p99 of a shower, ms."""
    args = make_parser().parse_args(argv)
    host.set_up()
    momentum, point = kinematics(BEAMS["5d"], 1, 0, 2000)
    particles = np.hstack([momentum, point / 10]).astype(np.float32)
    compiler = subprocess.run(["c++", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    result = {"batches": args.batches, "compiler": compiler, "models": {}, "provenance": provenance(1)}
    for name in args.model or ["anchored", "anchored_light"]:
        with tempfile.TemporaryDirectory() as folder:
            result["models"][name] = timed(name, pathlib.Path(folder), particles, args)
    write(args.results, result)
    print(args.results)


def timed(name, folder, particles, args):
    """{program: {batch: [p50, p99]}}, ms for a shower."""
    export_generator(name, "cpp", folder)
    export_generator(name, "onnx", folder)
    (folder / "driver.cpp").write_text(DRIVER.format(name=name))
    found = {}
    for options in OPTIONS:
        subprocess.run(["c++", "-std=c++17", *options.split(), "-o", "driver", "driver.cpp"], cwd=folder, check=True)
        found[f"C++, {options}"] = {batch: compiled(folder / "driver", particles, batch, calls(args, batch))
                                    for batch in args.batches}
    for title, make in (("onnxruntime", with_onnx(folder / f"{name}.onnx", name)), ("JAX", with_jax(name))):
        found[title] = {batch: called(make, particles, batch, calls(args, batch)) for batch in args.batches}
    for title, row in found.items():
        print(name, title, row, flush=True)
    return found


def calls(args, batch):
    """Number of timed calls: fewer for more showers."""
    return max(min(args.calls, 10), args.calls // batch)


def compiled(program, particles, batch, count):
    """[p50, p99] of a compiled driver, which reads the particles."""
    text = "\n".join(" ".join(f"{value:.9g}" for value in row) for row in particles)
    done = subprocess.run([program, str(batch), str(count + 5)], input=text, capture_output=True, text=True, check=True)
    return percentiles([float(line) for line in done.stdout.split()][5:])


def called(make, particles, batch, count):
    """[p50, p99] of a Python function of (particles, number of the call)."""
    taken = []
    for call in range(count + 5):
        rows = particles[(np.arange(batch) + call * batch) % len(particles)]
        start = time.perf_counter()
        make(rows, call)
        taken.append(1000 * (time.perf_counter() - start) / batch)
    return percentiles(taken[5:])


def percentiles(taken):
    """Median and 99th percentile."""
    return [round(float(value), 4) for value in np.percentile(taken, [50, 99])]


def with_onnx(path, name):
    """The exported program in onnxruntime on one thread."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
    rng, latent = np.random.default_rng(0), load_function(name)[1]

    def make(rows, call):
        del call
        noise = rng.standard_normal((len(rows), latent), dtype=np.float32)
        return session.run(["cells"], {"noise": noise, "conditions": rows})

    return make


def with_jax(name):
    """The sampler of the package."""
    sampler = load_sampler(name)
    sampler.compile()
    return lambda rows, call: jax.block_until_ready(sampler(rows[:, :3], rows[:, 3:], seed=call))


if __name__ == "__main__":
    main()
