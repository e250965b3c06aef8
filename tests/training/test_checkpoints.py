"""Checkpoints: what is written is read, and what is damaged is not."""
import warnings

import jax.numpy as jnp
import numpy as np
import pytest

from ecalgen.machine.files import WriteError
from ecalgen.training.checkpoints import Checkpoints


def state(value):
    return {"step": jnp.asarray(int(value)), "params": {"kernel": jnp.full((50, 40), value), "empty": {}}}


@pytest.fixture
def folder(tmp_path):
    checkpoints = Checkpoints(tmp_path / "gan")
    for step in (10, 20, 30):
        checkpoints.save(step, state(step))
    checkpoints.close()
    return tmp_path / "gan"


def damage(folder):
    """Flip a byte in the largest file of a checkpoint, that of its arrays."""
    path = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def test_the_newest_is_restored(folder):
    step, restored = Checkpoints(folder).restore(state(0))
    assert step == 30
    np.testing.assert_array_equal(restored["params"]["kernel"], state(30)["params"]["kernel"])


def test_only_the_newest_few_are_kept(folder):
    assert sorted(path.name for path in folder.iterdir() if path.name.isdigit()) == ["20", "30"]


@pytest.mark.parametrize("harm", [damage, lambda folder: (folder / "state" / "manifest.ocdbt").unlink(),
                                  lambda folder: (folder / "digest" / "metadata").write_text("{")])
def test_a_damaged_newest_falls_back_with_a_warning(folder, harm):
    harm(folder / "30")
    with pytest.warns(UserWarning, match="30 cannot be read .* falling back to the one before"):
        step, restored = Checkpoints(folder).restore(state(0))
    assert step == 20
    np.testing.assert_array_equal(restored["params"]["kernel"], state(20)["params"]["kernel"])


def test_after_a_fall_back_the_step_is_written_again(folder):
    damage(folder / "30")
    checkpoints = Checkpoints(folder)
    with pytest.warns(UserWarning, match="cannot be read"):
        checkpoints.restore(state(0))
    checkpoints.save(30, state(31))
    assert Checkpoints(folder).restore(state(0))[1]["params"]["kernel"][0, 0] == 31


def test_all_damaged_is_an_error_and_all_stay(folder):
    for step in ("20", "30"):
        damage(folder / step)
    with warnings.catch_warnings(), pytest.raises(ValueError, match="move the folder away to start over"):
        warnings.simplefilter("ignore")
        Checkpoints(folder).restore(state(0))
    assert {"20", "30"} <= {path.name for path in folder.iterdir()}


def test_those_of_another_model_stay(folder):
    other = {"params": {"weights": np.zeros(3)}}
    with warnings.catch_warnings(), pytest.raises(ValueError, match="no checkpoint"):
        warnings.simplefilter("ignore")
        Checkpoints(folder).restore(other)
    assert Checkpoints(folder).restore(state(0))[0] == 30


def test_an_unfinished_write_is_ignored(folder):
    (folder / "40.orbax-checkpoint-tmp-1").mkdir()
    assert Checkpoints(folder).restore(state(0))[0] == 30


def test_none_yet(tmp_path):
    assert Checkpoints(tmp_path / "new").restore(state(0)) is None


@pytest.mark.parametrize("error", [
    OSError(28, "No space left on device"),
    ValueError("RESOURCE_EXHAUSTED: Error writing \"p/0\" in OCDBT database at local file\n "
               "\"/x/30.orbax-checkpoint-tmp/\": Failed to write 612707 bytes to file 14: No space left on "
               "device [os_error_code='28']")])
def test_a_full_disk_is_said_in_one_line_and_leaves_no_part(folder, monkeypatch, error):
    checkpoints = Checkpoints(folder)

    def full(step, args):
        (folder / f"{step}.orbax-checkpoint-tmp" / "state").mkdir(parents=True)
        raise error

    monkeypatch.setattr(checkpoints._manager, "save", full)
    with pytest.raises(WriteError) as caught:
        checkpoints.save(40, state(40))
    assert str(caught.value) == (
        f"the checkpoint of step 40 cannot be written to {folder} (No space left on device); free space there, or make "
        "it writable; the same command goes on from the newest good checkpoint")
    assert sorted(path.name for path in folder.iterdir()) == ["20", "30"]
    monkeypatch.undo()
    checkpoints.save(40, state(40))
    assert Checkpoints(folder).restore(state(0))[0] == 40
