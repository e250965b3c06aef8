"""What a run works with: its training showers, its stages, the arrays that these train on, and trained states."""
import json
from typing import Any, NamedTuple

from ecalgen.data.grid import DOMAIN_RECORD, OLD, OLD_ENSEMBLES, Domain, domain_record, read_domain
from ecalgen.data.showers import Showers, domain_of
from ecalgen.data.transforms import Transform, make_transform
from ecalgen.errors import RunError
from ecalgen.machine.files import write_text
from ecalgen.machine.host import is_first
from ecalgen.machine.records import read_record
from ecalgen.training.feed import ArrayBlocks
from ecalgen.training.loop import Stage, trained_state
from ecalgen.training.recipe import source_of
from ecalgen.training.stages import build_stages, make_discriminator, make_targets, training_arrays
from ecalgen.training.start import Start, keep_start, read_start
from ecalgen.training.state import init_key
from ecalgen.training.targets import Targets

EXAMPLES = 20_000
"""Showers by which a regressor's targets are scaled; of a stream, also those on which its stages are built."""


class Material(NamedTuple):
    """What a run works with.

    Args:
      showers: the training showers; of those that stream, the first block.
      stages: in the order of the training.
      data: the arrays that the stages train on, or their `ArrayBlocks`.
      transform: of the cells.
      targets: of the regressor; None without one.
      discriminator: of the GAN stage, with its regressor; None without one.
      seed: of the run.
      domain: grid and scales of the training showers.
      start: the generator that the stages start from; None for fresh parameters.
    """

    showers: Showers
    stages: list[Stage]
    data: Any
    transform: Transform
    targets: Targets | None
    discriminator: Any
    seed: int
    domain: Domain
    start: Start | None = None

    @property
    def count(self):
        """How many different showers the stages see."""
        return len(self.data) if isinstance(self.data, ArrayBlocks) else len(self.showers)


def load_material(config, workdir=None, training=None):
    """The `Material` of a run.

    Args:
      config: of the run.
      workdir: of the run, whose `domain.json` holds the grid and the scales with which its training started; None for
        those of the showers.
      training: the training split, where it has been loaded; it is ignored if the training showers stream.
    """
    source, transform = source_of(config), make_transform(**config.data.transform)
    stream = source.stream(config.seed)
    if stream:
        showers = stream.block(0)
    else:
        showers = source.load("train") if training is None else training
    start = read_start(config, showers.grid, workdir)
    domain = find_domain(workdir, showers, start)
    targets = make_targets(config, showers[:EXAMPLES])
    arrays = lambda showers: training_arrays(showers, transform, targets)
    example = arrays(showers[:EXAMPLES] if stream else showers)
    stages = build_stages(config, example, source.load("validation"), domain, targets)
    stages = [start.hand_to(stage) for stage in stages] if start else stages
    discriminator = make_discriminator(config, domain, targets) if targets else None
    return Material(showers, stages, ArrayBlocks(stream, arrays) if stream else example, transform, targets,
                    discriminator, config.seed, domain, start)


def begin_training(config, workdir):
    """The `Material` of a run that trains; the first process writes into the folder what a later call needs.

    That is the domain, and the weights that `config.init` names.
    """
    material = load_material(config, workdir)
    if is_first():
        keep_start(config, workdir)
        keep_domain(workdir, material.domain)
    return material


def find_domain(workdir, showers, start=None):
    """The domain of a run: that of its training, of older versions for a run that they began, else of the showers.

    A run with a `Start` keeps some of its scales (`Start.domain_of`).
    """
    if workdir and (workdir / "domain.json").exists():
        return read_domain(read_record(workdir / "domain.json", DOMAIN_RECORD))
    if workdir and (workdir / "checkpoints").exists():
        return OLD_ENSEMBLES if showers.grid.deep else OLD
    return start.domain_of(domain_of(showers)) if start else domain_of(showers)


def keep_domain(workdir, domain):
    """Write the domain of a run into its folder, where a later call finds it."""
    if not (workdir / "domain.json").exists():
        write_text(workdir / "domain.json", json.dumps(domain_record(domain), indent=1) + "\n")


def newest_state(workdir, material):
    """The trained state of a run's last stage.

    Raises:
      RunError: the stage has no checkpoint.
    """
    last = material.stages[-1]
    state = trained_state(last, last.init(init_key(material.seed), None), workdir)
    if state is None:
        raise RunError(f"{workdir} has no checkpoint of its stage {last.name!r} yet; train it first")
    return state
