"""`ecalgen evaluate` refuses options that are missing, or that it would not use, before any work."""
import pytest

from ecalgen.evaluation.__main__ import main


@pytest.mark.parametrize("words, message", [
    ([], "--real and --generated not given: the files of showers to judge; or --run DIR"),
    (["--real=a.npz", "--generated=b.npz"], "--out not given"),
    (["--run=x", "--real=a.npz"], "--run judges a run or a model of its own; leave out --real"),
    (["--run=x", "--out=y"], "--run judges a run or a model of its own; leave out --out"),
    (["--run=x", "--compare=a", "--compare=b"], "--run judges a run or a model of its own; leave out --compare"),
    (["--compare=a", "--compare=b", "--seed=3", "--out=o"], "--compare takes judged runs; leave out --seed"),
    (["--judge=large"], "--judge=large judges a generator; name it with --run"),
    (["--judge=large", "--run=anchored"], "--out not given"),
    (["--run=runs/x", "--refine=2"], "--run judges .*; leave out --refine"),
    (["--real=a.npz", "--generated=b.npz", "--refine=2"], "--refine is for --run with --judge=large"),
    (["--judge=large", "--run=anchored", "--out=o", "--real=a.npz"], "--run judges .*; leave out --real"),
    (["--run=nowhere"], "config.json is no recipe"),
    (["--metrics=no_module", "--run=x"], "--metrics=no_module: No module named 'no_module'"),
])
def test_faults(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=f"error: .*{message}"):
        main(words)
