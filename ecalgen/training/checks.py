"""Conditions that a recipe must fulfil, checked before anything is written."""
import json
import pathlib

import jax

from ecalgen.errors import ConfigError
from ecalgen.machine.records import read_recipe, shown
from ecalgen.models.build import build_regressor
from ecalgen.training import parallel
from ecalgen.training.features import FEATURES
from ecalgen.training.losses import find_losses
from ecalgen.training.stages import STAGES, is_multitask
from ecalgen.training.targets import PARTICLE, find_functions

ALONE = ("vae", "library")
"""Generators that are made by one stage of the same name."""


def check_stages(config):
    """Raises ConfigError for stages that do not exist, or that do not train the system that the config describes."""
    generator, fit = config.generator, config.regressor
    for name in config.stages:
        if name not in STAGES:
            raise ConfigError(f"config.stages names {name!r}; it is one of {', '.join(STAGES)}")
    anchored, alone, boosted = generator.name == "anchored", generator.name in ALONE, "ensemble" in config
    two_step = "regressor" in config.stages
    possible = (("prior", anchored), ("multitask", two_step and "multitask" in config.stages),
                ("regressor", two_step), *((name, generator.name == name) for name in ALONE),
                ("ensemble", boosted), ("gan", not alone and not boosted and (not anchored or generator.correction)))
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
    if config.train.get("energy_score"):
        check_energy_score(config)


def check_energy_score(config):
    """Raises ConfigError for an energy score whose features or pairs of showers cannot be made."""
    train = config.train
    if train.energy_features not in FEATURES:
        raise ConfigError(f"config.train.energy_features is {train.energy_features!r}; it is one of "
                          f"{', '.join(FEATURES)}")
    trained_along = "multitask" in config.stages and not config.regressor.multitask
    if train.energy_features == "regressor" and ("regressor" not in config.stages or trained_along):
        raise ConfigError("config.train.energy_features is 'regressor', but of the stages "
                          f"{tuple(config.stages)} not every GAN has a regressor that is trained before and frozen, as "
                          "in configs/aux_twostep.py; take 'observables'")
    pairs = 2 * jax.device_count()
    if train.batch_size % pairs:
        raise ConfigError(f"config.train.batch_size is {train.batch_size}; with config.train.energy_score the "
                          f"generator makes two showers of each particle, so it must be a multiple of {pairs}")


def check_ensemble(ensemble):
    """Raises ConfigError for an ensemble without members, or classifiers that cannot be trained."""
    check_train(ensemble.judge, "config.ensemble.judge")
    if ensemble.members < 1:
        raise ConfigError(f"config.ensemble.members is {ensemble.members}; it must be at least 1")


def check_seed(seed):
    """Raises ConfigError for a seed outside of 0 to 2^32 - 1, which is equivalent to another seed modulo 2^32."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise ConfigError(f"config.seed is {seed!r}; it must be a whole number from 0 to {2**32 - 1}")


def check_regressor(config):
    """Raises ConfigError for a regressor that cannot be built, or a multi-task run from which it cannot start.

    Raises RecordError for a multi-task run whose `config.json` is no recipe.
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
    """Raises ConfigError for training fields with impossible values.

    Args:
      train: `config.train`, or the section of a stage, with some of its fields.
      where: the name of the section, for the message.
    """
    if "batch_size" in train:
        parallel.check_batch(train["batch_size"])
    for name, (sound, wanted) in BOUNDS.items():
        if name in train and not sound(train[name]):
            raise ConfigError(f"{where}.{name} is {train[name]}; it must {wanted}")
    if "checkpoint_every" in train and train["checkpoint_every"] % parallel.steps_per_call(train["log_every"]):
        raise ConfigError(f"{where}.checkpoint_every is {train['checkpoint_every']}; on this device it must be a "
                          f"multiple of config.train.log_every, {train['log_every']}")
    if train.get("warmup") and train["warmup"] > train["constant_fraction"] * train["steps"]:
        raise ConfigError(f"{where}.warmup is {train['warmup']}; the rates rise before they fall, so it must be at "
                          f"most constant_fraction times steps, {train['constant_fraction'] * train['steps']:.0f}")
    if "loss" in train:
        find_losses(train["loss"])


BOUNDS = (
    dict.fromkeys(("steps", "batch_size", "discriminator_steps", "r1_every", "log_every", "checkpoint_every"),
                  (lambda value: value >= 1, "be at least 1"))
    | dict.fromkeys(("constant_fraction", "final_fraction"), (lambda value: 0 <= value <= 1, "lie between 0 and 1"))
    | dict.fromkeys(("generator_rate", "discriminator_rate", "clip", "rate"), (lambda value: value > 0, "be above 0"))
    | dict.fromkeys(("r1", "r2", "gradient_penalty", "energy_score", "warmup"),
                    (lambda value: value >= 0, "not be below 0")))
"""Field -> (whether a value is allowed, the condition in words)."""
EVERY_STAGE = ("log_every", "checkpoint_every", "divergence")
ADVERSARIAL = ("steps", "batch_size", "discriminator_steps", "generator_rate", "discriminator_rate",
               "constant_fraction", "final_fraction", "warmup", "clip", "loss", "r1", "r2", "r1_every",
               "gradient_penalty", "energy_score", "energy_features", "ema")
NEEDS = {"r1_every": ("r1", "r2"), "energy_features": ("energy_score",)}
"""Field of `config.train` -> fields of which one must be above 0 for it to have an effect."""
TRAIN_FIELDS = {"gan": ADVERSARIAL, "multitask": ADVERSARIAL, "regressor": ("clip",), "vae": ("clip",), "prior": (),
                "library": ("steps", "batch_size"), "ensemble": ADVERSARIAL}
"""Stage -> the fields of `config.train` that it uses besides those of every stage."""


def check_used(config, names):
    """Raises ConfigError for fields that no stage of the run uses.

    Args:
      config: of the run.
      names: fields that the user has set, such as `train.steps`.
    """
    unused = [name for name in names if not _is_used(config, name)]
    if unused:
        raise ConfigError(f"config.{unused[0]} has no effect in this run, whose stages are {tuple(config.stages)}; "
                          "leave it out")


def _is_used(config, name):
    """Whether a run reads the field of that name."""
    section, _, field = name.partition(".")
    if section == "train":
        used = set(EVERY_STAGE).union(*(TRAIN_FIELDS[stage] for stage in config.stages if stage in TRAIN_FIELDS))
        needs = [config.train[need] for need in NEEDS.get(field, ())]
        return field in used and (not needs or max(needs) > 0)
    if section in ("prior", "vae"):
        return section in config.stages
    if section == "regressor":
        return _regressor_uses(config, field)
    if section == "generator":
        return _generator_uses(config.generator, field)
    return section != "discriminator" or bool({"gan", "multitask", "regressor", "ensemble"} & set(config.stages))


def _generator_uses(fields, field):
    """Whether the anchored generator of these fields reads one that depends on another of them."""
    if field == "by_hits":
        return fields.correction and fields.correlated and not fields.shared
    return field != "corners" or fields.shared


def _regressor_uses(config, field):
    """Whether the regressor of a run reads this field of `config.regressor`."""
    fit, own = config.regressor, {"cnn": ("shared",), "disc_arch": ("widths", "attention", "early")}
    if field in ("steps", "batch_size", "rate", "multitask"):
        return "regressor" in config.stages
    if field == "adversarial_gradient":
        return fit.decides and not fit.multitask and ("multitask" in config.stages or is_multitask(config))
    if field == "early" and not fit.conditional:
        return False
    return field not in own.get(fit.name, ()) and (field != "bound" or fit.decides)
