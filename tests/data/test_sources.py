"""Names of the shipped samples, and which rows are which split."""
import subprocess
import sys

import numpy as np
import pytest

from ecalgen.data import sources
from ecalgen.data.sources import sample_path


def test_unknown_sample_lists_those_there_are():
    for name in ("muon", "../samples/electron_5d", ""):
        with pytest.raises(ValueError, match="no shipped sample is called .*electron_1d, electron_5d, .*electron_l"):
            sample_path(name)


def test_the_shipped_electrons_keep_the_splits_that_models_were_trained_on():
    rows = {split: part[1] for split, part in sources.split_rows(sample_path()).items()}
    assert list(rows) == ["train", "validation", "selection", "test"]
    for split, expected in (("selection", range(10_000)), ("validation", range(10_000, 14_000)),
                            ("train", range(14_000, 60_000)), ("test", range(20_000))):
        np.testing.assert_array_equal(rows[split], expected)


def test_the_splits_need_no_tfds():
    script = ("import sys; from ecalgen.data.sources import sample_path, split_rows; split_rows(sample_path()); "
              "assert 'tensorflow_datasets' not in sys.modules")
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)
