"""What a recipe must fulfil, checked before anything is written."""
import json
import pathlib

from ecalgen.errors import ConfigError
from ecalgen.losses import CRITICS
from ecalgen.models.build import build_regressor
from ecalgen.records import read_recipe, shown
from ecalgen.training import parallel
from ecalgen.training.stages import STAGES
from ecalgen.training.targets import PARTICLE, find_functions

ALONE = ("vae", "library")
"""Generators that one stage of their name makes."""


def check_stages(config):
    """Raises ConfigError for stages that do not exist, or that do not make the system they are to train."""
    generator, fit = config.generator, config.regressor
    for name in config.stages:
        if name not in STAGES:
            raise ConfigError(f"config.stages names {name!r}; it is one of {', '.join(STAGES)}")
    anchored, alone = generator.name == "anchored", generator.name in ALONE
    two_step = "regressor" in config.stages
    possible = (("prior", anchored), ("multitask", two_step and "multitask" in config.stages),
                ("regressor", two_step), *((name, generator.name == name) for name in ALONE),
                ("gan", not alone and (not anchored or generator.correction)))
    wanted = tuple(name for name, needed in possible if needed)
    if tuple(config.stages) != wanted:
        of_it = f"the anchored generator with correction={generator.correction}" if anchored else (
            f"the generator {generator.name!r}")
        raise ConfigError(f"config.stages is {tuple(config.stages)}; {of_it} is trained by {wanted}")
    if two_step and not fit:
        raise ConfigError("config.stages has a regressor, but config.regressor is empty; "
                          "configs/aux_twostep.py fills it")
    if (anchored or alone) and config.data.transform.name != "none":
        raise ConfigError(f"config.data.transform.name is {config.data.transform.name!r}; the generator "
                          f"{generator.name!r} makes MeV, so it must be 'none'")
    if fit:
        check_regressor(config)


def check_regressor(config):
    """Raises ConfigError for a regressor that cannot be, or for a multi-task run that it cannot start from.

    A multi-task run without a sound `config.json` is a RecordError.
    """
    fit = config.regressor
    find_functions(fit.targets, fit.weights)
    build_regressor(fit, config.discriminator, 1)
    if fit.steering and not set(fit.targets) <= set(PARTICLE):
        raise ConfigError(f"config.regressor.steering is {fit.steering}, but its targets {tuple(fit.targets)} are not "
                          f"all known of the particle, as {', '.join(PARTICLE)} are")
    if fit.bound < 0:
        raise ConfigError(f"config.regressor.bound is {fit.bound}; it must be above 0, or 0 for none")
    multitask = "regressor" not in config.stages
    if fit.name != "disc_arch" and (multitask or fit.multitask or "multitask" in config.stages):
        raise ConfigError(f"config.regressor.name is {fit.name!r}; a regressor that shares the discriminator's layers "
                          "is 'disc_arch'")
    if not fit.multitask:
        return
    path = pathlib.Path(fit.multitask) / "config.json"
    if not path.exists():
        raise ConfigError(f"config.regressor.multitask is {fit.multitask!r}, but {path} does not exist; "
                          "train that run with configs/aux_multitask.py, or leave the field out")
    there, here = read_recipe(path), json.loads(config.to_json_best_effort())
    for part, names in (("discriminator", here["discriminator"]), ("regressor", ("targets", "embedding", "shared"))):
        for name in names:
            if (other := (there.get(part) or {}).get(name)) != here[part][name]:
                raise ConfigError(f"config.{part}.{name} is {here[part][name]}, but {shown(other)} in the "
                                  f"multi-task run {fit.multitask}; the regressor cannot start from there")


def check_train(train, where="config.train"):
    """Raises ConfigError for training fields that cannot work together; `where` they are, for the message."""
    parallel.check_batch(train["batch_size"])
    per_call = parallel.steps_per_call(train["log_every"])
    for name in ("steps", "checkpoint_every"):
        if train[name] % per_call:
            raise ConfigError(f"{where}.{name} is {train[name]}; on this device it must be a multiple of "
                             f"config.train.log_every, {train['log_every']}")
    for name in ("steps", "batch_size", "discriminator_steps", "r1_every", "log_every", "checkpoint_every"):
        if train[name] < 1:
            raise ConfigError(f"{where}.{name} is {train[name]}; it must be at least 1")
    for name in ("constant_fraction", "final_fraction"):
        if not 0 <= train[name] <= 1:
            raise ConfigError(f"{where}.{name} is {train[name]}; it must lie between 0 and 1")
    for name in ("generator_rate", "discriminator_rate", "clip"):
        if not train[name] > 0:
            raise ConfigError(f"{where}.{name} is {train[name]}; it must be above 0")
    for name in ("r1", "gradient_penalty"):
        if train[name] < 0:
            raise ConfigError(f"{where}.{name} is {train[name]}; it must not be below 0")
    if train["loss"] not in CRITICS:
        raise ConfigError(f"{where}.loss is {train['loss']!r}; it is one of {', '.join(CRITICS)}")
