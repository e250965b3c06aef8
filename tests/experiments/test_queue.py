"""The queue of long runs: what it reads, what it lists, and what a signal, a failure and a rerun do."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
HEAD = "| run | why | command | core hours | done |\n| --- | --- | --- | --- | --- |\n"
RUN = '''"""Counts to a number, and goes on from where it was stopped."""
import pathlib, signal, sys, time
path, last, stopped = pathlib.Path(sys.argv[1]), int(sys.argv[2]), []
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda number, _: stopped.append(number))
count = int(path.read_text()) if path.exists() else 0
print("counts from", count, flush=True)
while count < last:
    count += 1
    path.write_text(str(count))
    time.sleep(0.1)
    if stopped:
        sys.exit(128 + stopped[0])
'''


def page(folder, *commands):
    """The page of a queue with these commands, and the module `counting`."""
    (folder / "counting.py").write_text(RUN)
    rows = "".join(f"| run {number} | for a test | `python -m {command}` | 0 | 0 |\n"
                   for number, command in enumerate(commands, 1))
    (folder / "queue.md").write_text(f"Words before.\n\n{HEAD}{rows}\nWords after.\n")


def queue(folder, *flags):
    """A queue at work in the folder."""
    return subprocess.Popen([sys.executable, "-m", "experiments.queue", "--page=queue.md", "--log=log", *flags],
                            cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True)


def ended(process, seconds=60):
    """The exit code of a queue and what it printed."""
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output


def wait_until(true, seconds=60):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_run_save_and_a_rerun_goes_on(tmp_path, number):
    page(tmp_path, "counting a 2", "counting b 1000000", "counting c 2")
    process = queue(tmp_path)
    wait_until(lambda: (tmp_path / "b").exists())
    process.send_signal(number)
    code, output = ended(process)
    assert code == 128 + number
    assert f"2/3 run 2: stopped by {number.name} after" in output and "3/3" not in output
    assert (tmp_path / "a").read_text() == "2" and not (tmp_path / "c").exists()
    counted = int((tmp_path / "b").read_text())
    assert 0 < counted < 1000
    page(tmp_path, "counting a 2", f"counting b {counted + 1}", "counting c 2")
    code, output = ended(queue(tmp_path))
    assert code == 0 and "the end; 0 of 3 failed" in output
    log = (tmp_path / "log").read_text()
    assert "counts from 2\n" in log and f"counts from {counted}\n" in log  # the finished run was not made again
    assert "run 3: ended after" in log and "run 3: ended after" in output


def test_a_run_that_fails_is_reported_and_the_next_one_is_made(tmp_path):
    page(tmp_path, "nothing_of_this_name", "counting a 1")
    code, output = ended(queue(tmp_path))
    assert code == 1 and (tmp_path / "a").read_text() == "1"
    assert "1/2 run 1: FAILED with exit code 1 after" in output and "the end; 1 of 2 failed: run 1" in output
    assert "No module named" in (tmp_path / "log").read_text()


def test_a_piece_of_some_minutes_on_one_core(tmp_path):
    """0.05 minutes are 3 seconds; the machine may be busy, so that the run has hardly begun by then."""
    core = min(os.sched_getaffinity(0))
    page(tmp_path, "counting a 1000000")
    code, output = ended(queue(tmp_path, "--minutes=0.05", f"--core={core}"))
    assert code == 128 + signal.SIGTERM and "stopped by SIGTERM" in output


def test_the_commands_run_on_the_core_with_one_native_thread(tmp_path):
    core = min(os.sched_getaffinity(0))
    page(tmp_path, "shows")
    (tmp_path / "shows.py").write_text("import os; print(os.sched_getaffinity(0), os.environ['OMP_NUM_THREADS'])")
    assert ended(queue(tmp_path, f"--core={core}"))[0] == 0
    assert f"{{{core}}} 1\n" in (tmp_path / "log").read_text()


def test_what_cannot_be_is_refused(experiment):
    module = experiment("queue")
    with pytest.raises(SystemExit, match="--core=5000 is not one of"):
        module.use_core(5000)
    for row in ("| run | `make` | 3 |\n", "| x | `python -m a` | `python -m b` |\n"):
        with pytest.raises(SystemExit, match="of the queue has [02] commands `python -m ...`; give it one"):
            module.read_entries(HEAD + row.replace("| run |", "| x |"))


def test_the_list_says_what_is_done_from_the_results(experiment, tmp_path):
    """Two of the seven models of table 1 are there, both runs of the ablation's subset, and no AdaGAN."""
    module, results = experiment("queue"), lambda name: f"--results={tmp_path / name}.json"
    write = lambda name, *runs: (tmp_path / f"{name}.json").write_text(json.dumps(
        {"runs": [{"variant": variant, "seed": seed} for variant, seed in runs]}))
    write("table1", ("baseline", 0), ("cnn", 0), ("cnn", 1))
    write("ablation", ("full", 0), ("full", 1), ("prior alone", 0))
    entries = [module.Entry([name], f"experiments.sweeps.{name}", [*flags, results(name)]) for name, *flags in (
        ("ablation", "--only=full", "--seeds=0,1"), ("table1", "--seeds=0"), ("adagan",), ("of_tomorrow",))]
    assert [module.progress(entry) for entry in entries] == [(2, 2), (2, 7), (0, 1), (0, 1)]
    lines = [" ".join(line.split()) for line in module.listed(entries)]
    assert lines == ["done 2 of 2 ablation", "next 2 of 7 table1", "later 0 of 1 adagan", "later 0 of 1 of_tomorrow"]


def test_every_row_of_the_page_is_a_command_that_exists(experiment):
    module, engine = experiment("queue"), experiment("sweeps.engine")
    entries = module.read_entries(module.PAGE.read_text())
    assert len(entries) > 8 and all(len(entry.cells) == 5 and float(entry.cells[3]) > 0 for entry in entries)
    for entry in entries:
        sweep = experiment(entry.module.removeprefix("experiments."))
        args = sweep.make_parser().parse_args(entry.flags)
        if hasattr(sweep, "SWEEP"):
            engine.check_variants(args, sweep.SWEEP.variants(args))
            if args.results.exists():
                engine.check_settings(args)


@pytest.mark.slow
def test_sweeps_in_the_queue(few_showers, tmp_path):
    """A regressor alone, then its GAN, which takes the regressor over; a rerun finds both in their results."""
    flags = (f"--preset=test --steps=20 --source={few_showers} --showers=200 --only=early "
             f"--workdir={tmp_path}/runs")
    page(tmp_path, f"experiments.sweeps.regressors {flags} --results={tmp_path}/regressors.json",
         f"experiments.sweeps.figure3 {flags} --results={tmp_path}/figure3.json")
    for _ in range(2):
        assert ended(queue(tmp_path), 1_800)[0] == 0, (tmp_path / "log").read_text()
    log = (tmp_path / "log").read_text()
    assert log.count("holds all of these runs") == 2
    alone, run = (json.loads((tmp_path / f"{name}.json").read_text())["runs"] for name in ("regressors", "figure3"))
    assert [len(alone), len(run)] == [1, 1] and alone[0]["mean_unexplained"] > 0 and run[0]["mean_unexplained"] > 0
    assert run[0]["seconds"]["regressor"] == alone[0]["seconds"]["regressor"]  # it was not trained again
