"""From a config to the networks it names.

Configs give every argument of their networks. The defaults of the classes stand for the fields that cards and runs of
older versions lack, so a default may never change.
"""
from ecalgen.data.grid import OLD
from ecalgen.errors import ConfigError
from ecalgen.models.anchored import AnchoredGenerator
from ecalgen.models.discriminator import Discriminator, PhysicsDiscriminator
from ecalgen.models.ensemble import EnsembleGenerator
from ecalgen.models.library import ShowerLibrary
from ecalgen.models.plain import PlainGenerator
from ecalgen.models.protocol import check_generator
from ecalgen.models.regressor import DiscArch, Regressor
from ecalgen.models.three_views import VolumeDiscriminator, VolumeGenerator
from ecalgen.models.transposed import DeconvolutionalGenerator
from ecalgen.models.vae import VAEGenerator

GENERATORS = {"plain": PlainGenerator, "deconvolutional": DeconvolutionalGenerator, "anchored": AnchoredGenerator,
              "vae": VAEGenerator, "library": ShowerLibrary, "volumes": VolumeGenerator}
DISCRIMINATORS = {"plain": Discriminator, "physics": PhysicsDiscriminator, "volumes": VolumeDiscriminator}
REGRESSORS = {"cnn": Regressor, "disc_arch": DiscArch}
RENAMED = {"shape": "shape_latents"}
"""Field of configs and cards -> the argument of a network that has an argument of this other name."""


def build_generator(fields, domain=OLD):
    """The generator that `config.generator` describes: its field `name` picks the class, the others are arguments.

    Args:
      fields: of the section.
      domain: of its showers; that of older versions where a card has none.

    Raises:
      ConfigError: an unknown name, a field that cannot be as it is, or a class that is no `protocol.Generator`.
    """
    generator = _build("generator", GENERATORS, fields, domain)
    check_generator(generator)
    return generator


def build_ensemble(fields, members, domain=OLD):
    """The ensemble of `members` generators that `config.generator` describes; errors are those of `build_generator`."""
    return EnsembleGenerator(build_generator(fields, domain), members)


def build_discriminator(fields, domain=OLD, auxiliary=None, regressor=None, **conditioning):
    """The discriminator that `config.discriminator` describes: its field `name` picks the class.

    Args:
      fields: of the section.
      domain: of its showers.
      auxiliary, regressor: those of `models.discriminator.Discriminator`; the spectral norm of the regressor is folded
        into its kernels.
      conditioning: `decides`, `bound` and `adversarial_gradient` of the same class.
    """
    frozen = regressor.clone(spectral_norm=False) if isinstance(regressor, DiscArch) else regressor
    discriminator = _build("discriminator", DISCRIMINATORS, fields, domain)
    if isinstance(discriminator, VolumeDiscriminator):
        return discriminator
    return discriminator.clone(auxiliary=auxiliary, regressor=frozen, **conditioning)


def build_regressor(fields, discriminator, outputs):
    """The regressor of `outputs` quantities that `config.regressor` describes.

    Args:
      fields: `config.regressor`.
      discriminator: `config.discriminator`, whose layers a `disc_arch` takes.
      outputs: K.

    Raises:
      ConfigError: an unknown name, or a field that cannot be as it is.
    """
    if fields.name not in REGRESSORS:
        raise ConfigError(f"config.regressor.name is {fields.name!r}; it is one of {', '.join(REGRESSORS)}")
    taken = {name: discriminator[name] for name in ("widths", "attention", "spectral_norm")}
    own = {"cnn": ("widths", "attention", "early"), "disc_arch": ("shared",)}[fields.name]
    fields = taken | {name: fields[name] for name in ("name", "embedding", "conditional", *own) if name in fields}
    if fields["name"] == "cnn":
        del fields["spectral_norm"]
    elif not 1 <= fields["shared"] <= len(discriminator.widths):
        raise ConfigError(f"config.regressor.shared is {fields['shared']}; it is how many of the "
                          f"discriminator's {len(discriminator.widths)} blocks are shared, and at least 1")
    return _build("regressor", REGRESSORS, fields | {"outputs": outputs})


def _build(kind, classes, fields, domain=None):
    fields = dict(fields)
    name = fields.pop("name")
    if name not in classes:
        raise ConfigError(f"config.{kind}.name is {name!r}; it is one of {', '.join(classes)}")
    arguments = _arguments(kind, classes[name], fields)
    module = classes[name](**arguments, **({"domain": domain} if "domain" in _known(classes[name]) else {}))
    _check_axes(kind, name, module)
    if getattr(module, "WIDTHS", 0) and len(module.widths) != module.WIDTHS:
        raise ConfigError(f"config.{kind}.widths is {module.widths}; {name!r} takes {module.WIDTHS} widths")
    if getattr(module, "attention", 0) not in (0, *getattr(module, "SIDES", ())):
        raise ConfigError(f"config.{kind}.attention is {module.attention}; it is the side of a map, one of "
                          f"{', '.join(map(str, module.SIDES))}, or 0 for none")
    if isinstance(module, AnchoredGenerator) and module.network == "cells" and (
            module.attention or module.spectral_norm):
        raise ConfigError(f"config.{kind}.network is 'cells', which has neither attention nor spectral norm; set both "
                          "to 0 and False, or network to 'convolutions'")
    return module


def _check_axes(kind, name, module):
    """Refuse a network for cells that it does not take: the class attribute `AXES` says of how many axes they may be.

    Without it these are two. A network without a `domain` has cells of its own.
    """
    grid = getattr(getattr(module, "domain", None), "grid", None)
    if grid is None:
        return
    takes = lambda network: len(grid.shape) in getattr(network, "AXES", (2,))
    others = [other for other, network in (GENERATORS if kind == "generator" else DISCRIMINATORS).items()
              if takes(network)]
    if not takes(module):
        raise ConfigError(f"config.{kind}.name is {name!r}, which takes cells "
                          f"{'in one layer' if grid.deep else 'that are read out in depth'}, and the showers have "
                          f"{grid}; {', '.join(others)} take{'s' if len(others) == 1 else ''} such cells"
                          f"{', for example in configs/anchored.py:cpu,size=deep' if grid.deep else ''}")
    if grid.deep and getattr(module, "network", "cells") != "cells":
        raise ConfigError(f"config.{kind}.network is {module.network!r}, which takes cells in one layer, and the "
                          f"showers have {grid}; take 'cells', as configs/anchored.py:cpu,size=deep does")


def _arguments(kind, network, fields):
    """The arguments of a class of networks that the fields of a section give.

    Its class attributes say more of them: `CHOICES` are the strings that an argument may be, `COUNTS` the arguments
    that must be at least 1, `OPTIONS` those that must be at least 0.
    """
    found = {}
    for field, value in fields.items():
        argument = RENAMED[field] if RENAMED.get(field) in _known(network) else field
        if argument not in _known(network):
            raise ConfigError(f"config.{kind} has no field {field!r}; its fields are {', '.join(_known(network))}")
        choices = getattr(network, "CHOICES", {}).get(argument, (value,))
        if value not in choices:
            raise ConfigError(f"config.{kind}.{field} is {value!r}; it is one of {', '.join(choices)}")
        if argument in getattr(network, "COUNTS", ()) and value < 1:
            raise ConfigError(f"config.{kind}.{field} is {value}; it must be at least 1")
        if argument in getattr(network, "OPTIONS", ()) and value < 0:
            raise ConfigError(f"config.{kind}.{field} is {value}; it must be at least 0, which means none")
        found[argument] = tuple(value) if isinstance(value, list | tuple) else value
    return found


def _known(network):
    """Names of the arguments of a class of networks."""
    return [name for name in getattr(network, "__dataclass_fields__", ()) if name not in ("parent", "name")]
