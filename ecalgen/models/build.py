"""From a config to the networks it names."""
from ecalgen.errors import ConfigError
from ecalgen.models.discriminator import Discriminator
from ecalgen.models.generator import Generator

GENERATORS = {"plain": Generator}
DISCRIMINATORS = {"plain": Discriminator}
CONDITIONINGS = ("projection", "concatenation")


def build_generator(fields):
    """The generator that `config.generator` describes: its field `name` picks the class, the others are arguments.

    Raises:
      ConfigError: an unknown name or conditioning.
    """
    return _build("generator", GENERATORS, fields)


def build_discriminator(fields):
    """The discriminator that `config.discriminator` describes, as `build_generator` does."""
    return _build("discriminator", DISCRIMINATORS, fields)


def _build(kind, classes, fields):
    fields = dict(fields)
    name = fields.pop("name")
    if name not in classes:
        raise ConfigError(f"config.{kind}.name is {name!r}; it is one of {', '.join(classes)}")
    if fields["conditioning"] not in CONDITIONINGS:
        raise ConfigError(f"config.{kind}.conditioning is {fields['conditioning']!r}; "
                         f"it is one of {', '.join(CONDITIONINGS)}")
    return classes[name](**{key: tuple(value) if isinstance(value, list | tuple) else value
                            for key, value in fields.items()})
