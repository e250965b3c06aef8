"""The command `ecalgen`: its subcommands are modules, its help is quick, its completion knows every option."""
import pathlib
import runpy
import subprocess
import sys

import commands
import pytest

import ecalgen
from ecalgen import cli

HEAVY = ("jax", "flax", "tensorflow_datasets")


def ecalgen_command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["ecalgen", *words])
    monkeypatch.setattr(sys, "path", list(sys.path))
    return cli.main()


def test_every_subcommand_is_a_module_with_a_parser():
    assert list(cli.COMMANDS) == ["train", "evaluate", "sample", "simulate", "refine", "export", "benchmark", "models",
                                  "warmup", "completion"]
    whole = cli.make_parser(whole=True).format_help()
    assert all(name in whole for name in cli.COMMANDS)


def test_a_subcommand_is_run_as_a_module_with_its_own_words(monkeypatch):
    seen = []
    run = lambda name, **options: seen.append((name, sys.argv[1:], options)) or {"a": "module's names"}
    monkeypatch.setattr(runpy, "run_module", run)
    words = ["train", "--config=anchored:cpu", "--config.train.steps=3"]
    assert ecalgen_command(monkeypatch, *words) is None  # the exit status of the script: success
    assert seen == [("ecalgen.main", ["--config=anchored:cpu", "--config.train.steps=3"],
                     {"run_name": "__main__", "alter_sys": True})]


def test_the_version_is_quick():
    code = "import sys; sys.argv = ['ecalgen', '--version']; from ecalgen import cli\ntry: cli.main()\n" \
           f"finally: assert not set({HEAVY}) & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"ecalgen {ecalgen.__version__}\n"


def test_without_a_command_it_shows_its_help(monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        ecalgen_command(monkeypatch)
    assert ended.value.code == 0 and "warmup" in capsys.readouterr().out


def test_an_unknown_command_is_refused(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        ecalgen_command(monkeypatch, "trian")
    assert "invalid choice: 'trian'" in capsys.readouterr().err


@pytest.mark.parametrize("shell", cli.SHELLS)
def test_completion_knows_the_options_of_every_subcommand(monkeypatch, capsys, shell):
    ecalgen_command(monkeypatch, "completion", shell)
    script = capsys.readouterr().out
    for option in ("workdir", "seeds", "protocol", "particles", "calorimeter", "precision"):
        assert option in script


def test_bash_completes(monkeypatch, capsys, tmp_path):
    ecalgen_command(monkeypatch, "completion", "bash")
    script = tmp_path / "completion.sh"
    script.write_text(capsys.readouterr().out)
    completes = f"source {script}; COMP_WORDS=(ecalgen exp); COMP_CWORD=1; _shtab_ecalgen; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", completes], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["export"]


def test_models():
    done = commands.command("ecalgen.cli", "models")
    assert done.output.startswith("anchored: ") and "400 clusters, 10 runs, 10,000 showers" in done.output


def test_a_reader_may_leave():
    root = pathlib.Path(cli.__file__).parents[1]
    for words in ("models", "completion bash"):
        code = f"{sys.executable} -m ecalgen.cli {words} | head -1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=root)
        assert done.stdout.splitlines()[-1] == "0" and not done.stderr


def test_train_takes_a_recipe_by_name_in_any_folder(tmp_path):
    done = commands.command("ecalgen.cli", "train", "--config=anchored:test", "--mode=evaluate",
                            f"--workdir={tmp_path / 'none'}", check=False)
    assert f"error: {tmp_path / 'none'} holds no run; train it first" in done.output
