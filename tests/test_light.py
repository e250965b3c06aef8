"""The package is quick to import and a sampler is quick to load: slow libraries are imported where they are used."""
import json
import subprocess
import sys

import pytest

import ecalgen

HEAVY = ("jinja2", "matplotlib", "ml_collections", "orbax", "scipy", "sklearn", "tensorflow", "tensorflow_datasets")
IMPORT = "import ecalgen"
LOAD = "import ecalgen; ecalgen.load_sampler('anchored')"
SECONDS = {IMPORT: 1.0, LOAD: 4.0}
"""Code -> CPU time that it may take, with Python's own start; several times what it takes on an idle machine."""


@pytest.mark.parametrize("code", SECONDS)
def test_nothing_heavy_is_imported(code):
    report = "import json, sys, time; print(json.dumps([time.process_time(), sorted(sys.modules)]))"
    done = subprocess.run([sys.executable, "-c", f"{code}; {report}"], capture_output=True, text=True, check=True)
    seconds, modules = json.loads(done.stdout.splitlines()[-1])
    assert not set(HEAVY).intersection(modules)
    assert ("jax" in modules) == (code == LOAD)
    assert seconds < SECONDS[code]


def test_public_names_are_found_and_listed():
    assert set(ecalgen.__all__) <= set(dir(ecalgen))
    assert set(ecalgen.__all__) == set(ecalgen.MODULES)
    assert all(getattr(ecalgen, name).__name__ == name for name in ecalgen.__all__)


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ecalgen.nothing  # noqa: B018
