"""The provenance of a result: command, commit, seed, device, versions and date."""
import datetime
import importlib.metadata
import pathlib
import platform
import subprocess
import sys

import jax

from ecalgen.machine.host import cores, processor_field

PACKAGES = ("ecalgen", "jax", "flax", "optax", "orbax-checkpoint", "numpy", "scikit-learn")


def provenance(seed: int) -> dict:
    """Everything needed to repeat a result: command, commit, seed, device, versions, date (UTC)."""
    return {
        "command": " ".join(_words(sys.argv)),
        "commit": commit(),
        "seed": seed,
        "device": device(),
        "versions": versions(PACKAGES),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def versions(packages) -> dict[str, str]:
    """{name: version} of Python and the packages of these names."""
    return {"python": platform.python_version()} | {name: version(name) for name in packages}


def device() -> str:
    """The accelerators, or the processor and the number of cores that this process may use."""
    if jax.default_backend() != "cpu":
        return f"{jax.device_count()} x {jax.devices()[0].device_kind}"
    return f"{_processor()}, {cores()} {'core' if cores() == 1 else 'cores'}"


def commit() -> str:
    """The commit of the source tree, with `+changes` when it has been edited; `unknown` outside git.

    Files of results do not count as edits, since a sweep writes some while it runs the code of its commit.
    """
    root = pathlib.Path(__file__).parents[2]
    try:
        run = lambda *words: subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True,
                                            check=True).stdout.strip()
        edited = run("status", "--porcelain", "-uno", "--", ":!experiments/results")
        return run("rev-parse", "HEAD") + ("+changes" if edited else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _words(argv):
    """argv as a user types it, with a script's path inside the package turned into `-m package.module`.

    So no local path is kept. An installed package is not called by a path of its own.
    """
    script = pathlib.Path(argv[0]).resolve()
    root = pathlib.Path(__file__).parents[2]
    if not script.is_relative_to(root):
        return ["python", script.name, *argv[1:]]
    words = script.relative_to(root).with_suffix("").parts
    if words[0] not in ("ecalgen", "experiments"):
        return ["python", script.relative_to(root).as_posix(), *argv[1:]]
    return ["python", "-m", ".".join(word for word in words if word != "__main__"), *argv[1:]]


def _processor():
    model = processor_field("model name")
    return model.split(":", 1)[1].strip() if model else platform.processor() or platform.machine()


def version(name: str) -> str:
    """Version of an installed package."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
