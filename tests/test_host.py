"""Setting up a process: the compilation cache is used, in a process of its own."""
import os
import re
import subprocess
import sys

from ecalgen.host import processor_kind


def test_compiled_programs_are_kept(tmp_path):
    code = ("from ecalgen import host; host.set_up(); import jax, jax.numpy as jnp; "
            "jax.config.update('jax_persistent_cache_min_compile_time_secs', 0.0); "
            "print(float(jax.jit(lambda x: jnp.sin(x) @ x)(jnp.ones((8, 8)))[0, 0]))")
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("6.73")  # 8 sin(1)
    assert any((tmp_path / "cache").iterdir())


def test_the_kind_of_processor_is_a_folders_name():
    assert re.fullmatch(r"[\w-]+-[0-9a-f]{8}", processor_kind()) and processor_kind() == processor_kind()
