"""From a config to the networks it names."""
from ecalgen.models.discriminator import Discriminator
from ecalgen.models.generator import Generator

GENERATORS = {"plain": Generator}
DISCRIMINATORS = {"plain": Discriminator}
CONDITIONINGS = ("projection", "concatenation")


def build_generator(config):
    """The generator of `config.generator`; its field `name` picks the class, the others are its arguments."""
    return _build("generator", GENERATORS, config.generator)


def build_discriminator(config):
    """The discriminator of `config.discriminator`, chosen as `build_generator` does."""
    return _build("discriminator", DISCRIMINATORS, config.discriminator)


def _build(kind, classes, fields):
    fields = dict(fields)
    name = fields.pop("name")
    if name not in classes:
        raise ValueError(f"config.{kind}.name is {name!r}; it is one of {', '.join(classes)}")
    if fields["conditioning"] not in CONDITIONINGS:
        raise ValueError(f"config.{kind}.conditioning is {fields['conditioning']!r}; "
                         f"it is one of {', '.join(CONDITIONINGS)}")
    return classes[name](**{key: tuple(value) if isinstance(value, list | tuple) else value
                            for key, value in fields.items()})
