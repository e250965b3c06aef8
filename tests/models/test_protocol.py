"""Every generator keeps the protocol, and what does not is refused by the names of what it lacks."""
import flax.linen as nn
import pytest

from ecalgen.data.transforms import make_transform
from ecalgen.errors import UserError
from ecalgen.models.build import GENERATORS
from ecalgen.models.protocol import METHODS, Generator, check_generator
from ecalgen.sampling.sampler import make_sampler


class NoNoise(nn.Module):
    def __call__(self, noise, momentum, point, update_stats=False):
        return noise


class NoPoint(nn.Module):
    def draw_noise(self, key):
        return key

    def __call__(self, noise, momentum):
        return noise


@pytest.mark.parametrize("name", GENERATORS)
def test_each_generator_keeps_the_protocol(name):
    required = {"library": {"showers": 1}}
    check_generator(GENERATORS[name](**required.get(name, {})))


@pytest.mark.parametrize("generator, lacking", [
    (NoNoise(), r"NoNoise is no generator; it lacks draw_noise\(key\) \(see"),
    (NoPoint(), r"NoPoint is no generator; it lacks __call__\(noise, momentum, point, update_stats\) \(see"),
    ("plain", r"str is no generator; it lacks flax.linen.Module as its base class and draw_noise\(key\) and __call__"),
])
def test_what_is_no_generator_is_refused_before_it_is_sampled(generator, lacking):
    with pytest.raises(UserError, match=lacking):
        make_sampler(generator, make_transform("none"))


def test_the_protocol_has_the_methods_that_are_checked():
    assert all(hasattr(Generator, name) for name in METHODS)
