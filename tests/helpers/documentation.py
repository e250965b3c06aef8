"""The site of the documentation for tests: built, and its hooks as modules."""
import importlib.util
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]


def build_site(folder):
    """Build the site into a folder; a warning is a failure. For `shared_folder`."""
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", f"--site-dir={folder}"], cwd=ROOT,
                          env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True)
    assert done.returncode == 0 and "WARNING" not in done.stderr, done.stderr[-2000:]


def load_hook(path):
    """A hook of mkdocs, such as `docs/browser/build.py`, as a module."""
    spec = importlib.util.spec_from_file_location(pathlib.Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
