"""Programs that are compiled ahead."""
import jax
import pytest
from exporting import save_run
from jax.experimental.compilation_cache import compilation_cache

import ecalgen
from ecalgen.machine import host
from ecalgen.sampling import sampler, warmup


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """A folder of compiled programs of this test's own; the one of all tests afterwards."""
    before = jax.config.jax_compilation_cache_dir
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "programs"))
    jax.config.update("jax_compilation_cache_dir", None)
    yield tmp_path / "programs"
    jax.config.update("jax_compilation_cache_dir", before)
    compilation_cache.reset_cache()


def test_a_sampler_takes_the_programs_of_an_earlier_warmup(cache, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(sampler, "chunk_size", lambda grid: 2)
    run = save_run(tmp_path / "run", "plain")
    ecalgen.load_sampler(run)
    jax.clear_caches()
    assert jax.config.jax_compilation_cache_dir is None  # a process keeps none unless its user asked for that
    warmup.main(["--models", str(run)])
    said = capsys.readouterr().out
    assert said.startswith(f"{run}: 1 in ") and said.strip().endswith(f"programs from {cache}")
    assert (cache / host.WARM).read_text() == f"{run}\n"
    assert len(list(cache.iterdir())) > 2  # the programs
    jax.config.update("jax_compilation_cache_dir", None)
    ecalgen.load_sampler(run)
    assert jax.config.jax_compilation_cache_dir == str(cache)


def test_an_unknown_model_is_named(cache):
    with pytest.raises(SystemExit, match="error: 'nobody' is neither"):
        warmup.main(["--models", "nobody"])
