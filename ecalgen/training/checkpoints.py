"""Checkpoints of a stage, written whole or not at all and verified when read. Only this file imports Orbax."""
import contextlib
import hashlib
import pathlib
import shutil
import warnings

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging

from ecalgen.errors import UserError
from ecalgen.machine.files import WriteError
from ecalgen.machine.host import is_first
from ecalgen.machine.records import shown

FULL = "No space left on device"


class Checkpoints:
    """The newest few states of one stage, in a folder.

    Args:
      folder: where to keep them; made when missing.
      keep: how many.
    """

    def __init__(self, folder, keep=2):
        self.folder = pathlib.Path(folder).absolute()
        alone = ocp.options.MultiprocessingOptions(
            primary_host=jax.process_index(), active_processes={jax.process_index()},
            barrier_sync_key_prefix=f"{self.folder.name}-{jax.process_index()}")
        options = ocp.CheckpointManagerOptions(
            max_to_keep=keep, enable_async_checkpointing=False, create=False,
            multiprocessing_options=alone if jax.process_count() > 1 else ocp.options.MultiprocessingOptions())
        self.folder.mkdir(parents=True, exist_ok=True)
        self._manager = ocp.CheckpointManager(self.folder, options=options)

    def save(self, step, state):
        """Write `state` (arrays only) as that of `step`; it is on disk on return. Only the first process writes.

        Raises:
          WriteError: it cannot be written, such as on a full disk. No part of it stays; the checkpoints before it do.
        """
        if step in self._manager.all_steps() or not is_first():
            return
        state = jax.device_get(state)
        digest = ocp.args.JsonSave({"sha256": _digest(state)})
        try:
            with _without_logs():
                self._manager.save(step, args=ocp.args.Composite(state=ocp.args.StandardSave(state), digest=digest))
                self._manager.wait_until_finished()
        except Exception as error:  # noqa: BLE001  Orbax and tensorstore raise many kinds for a full disk
            raise WriteError(f"the checkpoint of step {step} cannot be written to {self.folder} ({_reason(error)}); "
                             "free space there, or make it writable; the same command goes on from the newest good "
                             "checkpoint") from error
        finally:
            for partial in self.folder.glob(f"{step}.orbax-checkpoint-tmp*"):
                shutil.rmtree(partial, ignore_errors=True)

    def restore(self, like):
        """(step, state) of the newest checkpoint that can be read, or None when there is none.

        A damaged checkpoint is reported as a warning, and the one before it is used; then the damaged one is removed.
        If none can be read, all stay, because another version of ecalgen may have written them.

        Args:
          like: a state of the same shapes and types.

        Raises:
          UserError: no checkpoint can be read.
        """
        steps = sorted(self._manager.all_steps(), reverse=True)
        for tried, step in enumerate(steps):
            try:
                state = self._read(step, like)
            except Exception as error:  # noqa: BLE001  Orbax raises many kinds for a damaged file
                reason = " ".join(str(error).split())[:200]
                warnings.warn(f"checkpoint {self.folder / str(step)} cannot be read ({reason}); "
                              "falling back to the one before", stacklevel=2)
            else:
                for damaged in steps[:tried] if is_first() else ():
                    self._manager.delete(damaged)
                return step, state
        if steps:
            raise UserError(f"no checkpoint in {self.folder} can be read, by this version at least; move the "
                            "folder away to start over")
        return None

    def close(self):
        """Release the folder."""
        self._manager.close()

    def _read(self, step, like):
        template = jax.tree.map(lambda leaf: np.empty(leaf.shape, leaf.dtype), like)
        args = ocp.args.Composite(state=ocp.args.StandardRestore(template), digest=ocp.args.JsonRestore())
        restored = self._manager.restore(step, args=args)
        if restored["digest"]["sha256"] != _digest(restored["state"]):
            raise ValueError("its digest does not match its contents")
        return restored["state"]


@contextlib.contextmanager
def _without_logs():
    """Silence the log, in which Orbax also writes the traceback of an error that it raises."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.FATAL)
    try:
        yield
    finally:
        logging.set_verbosity(before)


def _reason(error):
    """The reason of a failed write, in few words."""
    return FULL if FULL in str(error) else shown(error)


def _digest(state):
    """SHA-256 over every array of a state, in tree order."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(state):
        digest.update(np.ascontiguousarray(jax.device_get(leaf)).tobytes())
    return digest.hexdigest()
