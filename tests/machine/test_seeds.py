"""Seeds and numbers of showers: those of today as they are, and no two of any others alike."""
import jax
import numpy as np
import pytest

from ecalgen.errors import UserError
from ecalgen.machine.seeds import check_first, make_key, shower_keys, whole, words


def data(keys):
    """Keys as a list of tuples."""
    return [tuple(key) for key in np.asarray(jax.random.key_data(keys)).reshape(-1, 2).tolist()]


@pytest.mark.parametrize("seed", [0, 5, 2**31, 2**32 - 1, np.int32(7), np.uint64(9), np.array(3)])
def test_a_seed_of_32_bits_has_the_key_of_jax(seed):
    assert data(make_key(seed)) == data(jax.random.key(int(seed)))


def test_different_seeds_have_different_keys():
    seeds = [0, 1, 2**32 - 1, 2**32, 2**32 + 1, 2**33, 2**63, 2**64 - 1, np.uint64(2**63 + 1)]
    assert len({data(make_key(seed))[0] for seed in seeds}) == len(seeds)


@pytest.mark.parametrize("seed", [
    True, np.bool_(False), 1.0, np.float32(2), -1, 2**64, "1", None, [1], np.array([1, 2])])
def test_any_other_seed_is_refused_in_one_line(seed):
    with pytest.raises(UserError, match=r"seed is .*; give a whole number from 0 to 2\^64 - 1$") as error:
        make_key(seed)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("first", [0, 7, 2**31 - 9])
def test_keys_of_showers_below_31_bits_are_folded_in_one_word(first):
    key = jax.random.key(3)
    expected = [data(jax.random.fold_in(key, first + i))[0] for i in range(8)]
    assert data(shower_keys(key, 8, first)) == expected == data(shower_keys(key, 8, words(first)))


def test_showers_have_keys_of_their_own_beyond():
    """Across both edges of a word, and with the same low words."""
    key = jax.random.key(3)
    firsts = [0, 2**31 - 4, 2**32 - 4, 2**33, 2**62, 2**63 - 8]
    keys = sum((data(shower_keys(key, 8, words(first))) for first in firsts), [])
    assert len(set(keys)) == 8 * len(firsts)
    assert data(shower_keys(key, 4, words(2**32))) == data(shower_keys(key, 8, words(2**32 - 4)))[4:]


def test_raw_keys_do_as_well():
    raw = jax.random.PRNGKey(3)
    np.testing.assert_array_equal(shower_keys(raw, 3, 5), jax.random.key_data(shower_keys(jax.random.key(3), 3, 5)))


@pytest.mark.parametrize("first, count", [(-1, 1), (2**63, 0), (2**63 - 1, 2), (0.5, 1), (True, 1)])
def test_numbers_of_showers_that_cannot_be(first, count):
    with pytest.raises(UserError, match="first is"):
        check_first(first, count)
    assert check_first(2**63 - 1, 1) == 2**63 - 1


def test_a_long_value_is_cut():
    with pytest.raises(UserError) as error:
        whole("seed", "x\n" * 500, 2**32)
    assert len(str(error.value)) < 140 and "\n" not in str(error.value)
