"""Runs of a recipe with something changed, by variant and seed, in a file of results that a rerun continues."""
import dataclasses
import functools
import json
from collections.abc import Callable

import jax

from ecalgen import runs
from ecalgen.data.ecal_shashlik import SPLITS
from ecalgen.machine import cluster, host
from ecalgen.machine.provenance import provenance
from experiments import measures
from experiments.command import absolute, add_showers, new_parser, read, write
from experiments.measures import generated, reference, training_seconds
from experiments.sweeps.equal_time import equal_steps

PRESETS = ("cpu", "test", "")
"""Presets of the configs; the last is the full recipe."""
AROUND = ("seeds", "only", "scheduler", "workdir", "results", "retime")
"""Flags that do not change a run."""
BEFORE = {"split": "selection", "recipe": "found", "preset": "cpu"}
"""Settings of the results that are older than the flag."""


@dataclasses.dataclass(frozen=True)
class Sweep:
    """Variants of a recipe, and how they are run and judged.

    Attributes:
      doc: help of the command.
      name: of the results and of the folder of the runs.
      variants: flags -> {name: config}, in the order of the runs; None in place of a config stands for gflash.
      judge: (real showers, other ones) -> their figures.
      more: (config, folder of the run, real showers, its showers) -> further measurements.
      head: real showers -> what the results say beside their runs.
      usual: flags -> config of the usual recipe, where variants take as long as `--steps` of it.
      prepare: (config, flags, name, seed) -> None, called before the training.
      needs: {variant: the variant of the same seed that is run before it}.
      flags: {flag of this sweep: arguments of `add_argument`}.
      showers: default number of showers that judge a run.
      split: default split of these: `selection` where a choice may follow, `test` for finished systems.
      seeds: default seeds.
      steps: default steps of each GAN; None for those of the config.
    """

    doc: str
    name: str
    variants: Callable
    judge: Callable
    more: Callable = lambda *_: {}
    head: Callable = lambda _: {}
    usual: Callable | None = None
    prepare: Callable = lambda *_: None
    needs: dict = dataclasses.field(default_factory=dict)
    flags: dict = dataclasses.field(default_factory=dict)
    showers: int = 10_000
    split: str = "selection"
    seeds: tuple = (0, 1, 2)
    steps: int | None = None

    def make_parser(self):
        """The flags of the command."""
        parser = new_parser(self.doc, self.name)
        add_showers(parser, self.showers)
        add = parser.add_argument
        add("--seeds", type=lambda text: [int(seed) for seed in text.split(",")], default=list(self.seeds),
            metavar="0,1,...", help="seeds of the runs")
        add("--only", action="append", metavar="VARIANT", help="run this variant; repeat the flag for others (all)")
        add("--split", choices=SPLITS, default=self.split, help=f"split of the real showers ({self.split})")
        add("--preset", default="cpu", choices=PRESETS, help="preset of the configs; empty: full recipe")
        add("--steps", type=int, default=self.steps, help=f"steps of each GAN ({self.steps or 'those of the config'})")
        add("--scheduler", metavar="ADDRESS or FILE.json",
            help="Dask cluster whose workers take one run each (extra dask)")
        add("--workdir", type=absolute, default=f"runs/{self.name.replace('_', '-')}", help="folder of all runs")
        for flag, arguments in self.flags.items():
            add(flag, **arguments)
        return parser

    def main(self, args=None):
        """Train and judge every variant that the results do not hold yet; `args` are the parsed flags."""
        args = args or self.make_parser().parse_args()
        host.set_up()
        names = self.variants(args)
        if self.usual and args.results.exists():
            self._add_steps(args)
        run_all(args, names, lambda: self._head(args), functools.partial(self._run, args), self.needs)

    def _head(self, args):
        """The results without their runs: figures of other real showers, and steps at equal time."""
        real = real_showers(args)
        steps = {"steps": self._equal_steps(args, ())} if self.usual else {}
        return steps | {"preset": args.preset, "showers": len(real),
                        "real_against_real": self.judge(real, reference(real))} | self.head(real)

    def _run(self, args, name, seed, result):
        """The measurements of one run."""
        real, config, workdir = real_showers(args), self._configs(args)[name], folder(args, name, seed)
        row = {}
        if config is not None:
            steps = _steps(result)[name] if self.usual else args.steps or config.train.get("steps")
            row = self._train(config, steps, args, name, seed)
        showers = generated("gflash" if config is None else workdir, real, seed)
        return row | self.judge(real, showers) | self.more(config, workdir, real, showers)

    def _train(self, config, steps, args, name, seed):
        """Train a run, or continue its training: its steps, batch size and seconds."""
        config.seed, workdir = seed, folder(args, name, seed)
        if "steps" in config.train:
            config.train.steps = steps
        self.prepare(config, args, name, seed)
        runs.prepare(config, workdir)
        runs.train(config, workdir)
        return {"steps": steps if "gan" in config.stages else 0, "batch_size": config.train.get("batch_size"),
                "seconds": training_seconds(workdir)}

    def _configs(self, args):
        configs = self.variants(args)
        for config in configs.values():
            if config is not None:
                config.data.source = args.source
        return configs

    def _equal_steps(self, args, known):
        """{variant: steps} of the variants that are not known."""
        usual = self.usual(args)
        usual.data.source = args.source
        missing = {name: config for name, config in self._configs(args).items() if name not in known}
        return equal_steps(missing, usual, args.steps) if missing else {}

    def _add_steps(self, args):
        """Add the steps of variants that an earlier sweep did not have."""
        result = read(args.results)
        if more := self._equal_steps(args, _steps(result)):
            write(args.results, result | {"steps": _steps(result) | more})


def _steps(result):
    """{variant: steps} at equal time; older results call them `gan_steps`."""
    return result.get("steps") or result["gan_steps"]


def real_showers(args):
    """The real showers that judge the runs."""
    return measures.real_showers(args.source, args.split, args.showers)


def changed(config, changes):
    """The config with the changes `{field: value}`."""
    config.update_from_flattened_dict(changes)
    return config


def options(*parts):
    """The argument of a config: preset and options, without those that are empty."""
    return ",".join(filter(None, parts))


def folder(args, name, seed):
    """The folder of a run."""
    return args.workdir / f"{name.replace(',', '').replace(' ', '-')}-{seed}"


def run_all(args, variants, head, run, needs=None):
    """Make the runs of every variant and seed that the results do not hold yet.

    Two processes may share the work by seeds or by variants: each reads the file again before it adds to it.

    Args:
      args: the parsed flags.
      variants: names, in order.
      head: () -> the results beside their runs; called when there are none yet.
      run: (variant, seed, results so far) -> a JSON-able dict of measurements. Workers of a cluster receive it pickled,
        so it loads its showers itself.
      needs: {variant: the variant of the same seed that is run before it}.

    Raises:
      SystemExit: a variant does not exist, or the results are of other settings; before anything is run.
      ClusterError: as `cluster.connect`.
    """
    check_variants(args, variants)
    if not args.results.exists():
        write(args.results, head() | {"provenance": provenance(args.seeds[0]), "settings": settings(args), "runs": []})
    check_settings(args)
    todo = [(name, seed) for seed in args.seeds for name in args.only or variants]
    if args.scheduler and (missing := [row for row in todo if not _is_there(args, *row)]):
        _run_on_cluster(args, missing, run, needs or {})
    if all(_is_there(args, *row) for row in todo):
        print(f"{args.results} holds all of these runs")
    for name, seed in todo:
        if not _is_there(args, name, seed):
            _add(args, _row(run, name, seed, read(args.results)))
            jax.clear_caches()  # the programs of a dozen runs exhaust the memory mappings of a process


def count_runs(sweep, args):
    """How many of the runs that the flags ask for are in the file of results, and how many they are."""
    todo = [(name, seed) for seed in args.seeds for name in args.only or sweep.variants(args)]
    return sum(_is_there(args, *row) for row in todo) if args.results.exists() else 0, len(todo)


def check_variants(args, variants):
    """Refuse a name in `--only` that is no variant."""
    if unknown := [name for name in args.only or () if name not in variants]:
        raise SystemExit(f"error: --only={unknown[0]} is not one of {', '.join(variants)}")


def settings(args):
    """The flags that change a run."""
    return {name: value for name, value in vars(args).items() if name not in AROUND}


def check_settings(args):
    """Refuse results of other settings."""
    here = settings(args)
    there = BEFORE | read(args.results).get("settings", here)
    if differing := [f"{name}={there.get(name)} there, {value} here" for name, value in here.items()
                     if there.get(name) != value]:
        raise SystemExit(f"error: {args.results} holds runs of other settings ({'; '.join(differing)}); give those, or "
                         "another --results and --workdir")


def _run_on_cluster(args, todo, run, needs):
    """Submit a task for each (variant, seed); the first error is raised when all others are done."""
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
    """A worker's task; the workdir keeps its row, so that a run is not judged again after the worker has died."""
    path = workdir / "rows" / f"{name}-{seed}.json"
    if not path.exists():
        host.set_up()
        write(path, _row(run, name, seed, result))
        jax.clear_caches()
    return read(path)


def _row(run, name, seed, result):
    """The measurements of a run, with their provenance."""
    return {"variant": name, "seed": seed} | run(name, seed, result) | {"provenance": provenance(seed)}


def _is_there(args, name, seed):
    return any((row["variant"], row["seed"]) == (name, seed) for row in read(args.results)["runs"])


def _add(args, row):
    print(json.dumps(row)[:400], flush=True)
    result = read(args.results)
    write(args.results, result | {"runs": [*result["runs"], row]})
