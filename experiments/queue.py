"""Work through the long runs of `experiments/queue.md` in order; a rerun goes on where the last one stopped.

    python -m experiments.queue --list                          # what is done, and what is next
    python -m experiments.queue --core=1 --log=runs/queue.log   # on one core, until all is done
    python -m experiments.queue --minutes=9                     # a piece, on a machine that is lent by the minute

Every command continues from its results and checkpoints. SIGINT and SIGTERM are passed to the running command, which
saves and exits, and the queue ends. A command that fails is reported, and the next one is run.
"""
import contextlib
import datetime
import importlib
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import threading
import time
from typing import NamedTuple

from experiments.command import ROOT, new_parser

PAGE = ROOT / "experiments" / "queue.md"
BEGIN = "python -m "
NATIVE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables that limit the threads of native libraries."""
POLL = 0.2
"""Seconds between two looks at the running command."""


class Entry(NamedTuple):
    """A row of the queue: its cells in the page, and its command, `module` and `flags` of `python -m`."""

    cells: list[str]
    module: str
    flags: list[str]


def make_parser():
    """The flags of the command."""
    parser = new_parser(__doc__)
    add = parser.add_argument
    add("--page", type=pathlib.Path, default=PAGE, help="Markdown file with the table (experiments/queue.md)")
    add("--list", action="store_true", help="print what is done and what is next, from the results; run nothing")
    add("--core", type=int, help="core on which the commands run (any)")
    add("--minutes", type=float, help="stop after this time, as by SIGTERM")
    add("--log", type=pathlib.Path, help="file to which the output of the commands is appended (the terminal)")
    return parser


def main():
    """List the queue or work through it; the exit code is 1 if a command failed, 128 + n after signal n."""
    args = make_parser().parse_args()
    entries = read_entries(args.page.read_text())
    if args.list:
        return print("\n".join(listed(entries)))
    if args.core is not None:
        use_core(args.core)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(open_log(args.log)) if args.log else None
        raise SystemExit(work(entries, log, args.minutes))


def read_entries(text):
    """The `Entry` of every row of the page's table whose command begins with `python -m`.

    Raises:
      SystemExit: a row has another command, or none.
    """
    entries = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells[0] == "run" or set(line) <= set("|- "):
            continue
        commands = [cell.strip("`") for cell in cells if cell.startswith(f"`{BEGIN}")]
        if len(commands) != 1:
            raise SystemExit(f"error: the row {cells[0]!r} of the queue has {len(commands)} commands `{BEGIN}...`; "
                             "give it one")
        module, *flags = shlex.split(commands[0].removeprefix(BEGIN))
        entries.append(Entry(cells, module, flags))
    return entries


def progress(entry):
    """(runs in the results, runs that the command asks for); a command that is no sweep makes one file of results."""
    if not (ROOT / f"{entry.module.replace('.', '/')}.py").exists():
        return 0, 1
    module = importlib.import_module(entry.module)
    args = module.make_parser().parse_args(entry.flags)
    if not hasattr(module, "SWEEP"):
        return int(args.results.exists()), 1
    from experiments.sweeps.engine import count_runs
    return count_runs(module.SWEEP, args)


def listed(entries):
    """A line for each entry: `done`, `next` or `later`, how many of its runs are there, and its title."""
    lines, following = [], "next "
    for entry in entries:
        there, wanted = progress(entry)
        word = "done " if there == wanted else following
        following = "later" if there < wanted else following
        lines.append(f"{word}  {there:>3} of {wanted:<3}  {entry.cells[0]}")
    return lines


def work(entries, log=None, minutes=None):
    """Run every command in turn; the exit code of the queue.

    Args:
      entries: of `read_entries`.
      log: an open file for the output of the commands; this process's own when None.
      minutes: after which the queue stops; None for no limit.
    """
    failed = []
    with stop_signals(minutes) as stopped:
        for number, entry in enumerate(entries, 1):
            name, start = f"{number}/{len(entries)} {entry.cells[0]}", time.monotonic()
            say(f"{name}: starts", log)
            code = run(entry, stopped, log)
            ended = f"after {(time.monotonic() - start) / 60:.1f} minutes"
            if stopped:
                say(f"{name}: stopped by {signal.Signals(stopped[0]).name} {ended}; the same command goes on", log)
                return 128 + stopped[0]
            say(f"{name}: {f'FAILED with exit code {code}' if code else 'ended'} {ended}", log)
            failed += [entry.cells[0]] if code else []
    say(f"the end; {len(failed)} of {len(entries)} failed{': ' * bool(failed)}{', '.join(failed)}", log)
    return int(bool(failed))


def run(entry, stopped, log):
    """Run one command to its end, and pass it the signals that arrive; its exit code.

    It has a session of its own, so that Ctrl-C in a terminal reaches it once: a second signal would not let it save.
    """
    if stopped:
        return None
    child = subprocess.Popen([sys.executable, "-m", entry.module, *entry.flags], stdout=log,
                             stderr=subprocess.STDOUT if log else None, start_new_session=True)
    passed = 0
    while child.poll() is None:
        for number in stopped[passed:]:
            child.send_signal(number)
            passed += 1
        time.sleep(POLL)
    return child.returncode


@contextlib.contextmanager
def stop_signals(minutes):
    """A list to which the numbers of SIGINT and SIGTERM are appended; a SIGTERM comes after so many minutes."""
    stopped, before = [], {}
    timer = threading.Timer(60 * (minutes or 0), os.kill, (os.getpid(), signal.SIGTERM))
    timer.daemon = True
    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.signal(number, lambda number, frame: stopped.append(number))
    try:
        if minutes:
            timer.start()
        yield stopped
    finally:
        timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def say(line, log):
    """Print a line with the time; append it to the log as well."""
    line = f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M} {line}"
    for file in filter(None, (sys.stdout, log)):
        print(line, file=file, flush=True)


def use_core(core):
    """Run this process and its commands on one core, with one native thread each.

    Raises:
      SystemExit: there is no such core, or the system cannot bind a process to one.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if core not in cores:
        raise SystemExit(f"error: --core={core} is not one of {', '.join(map(str, cores)) or 'none'}; name one of "
                         "these, or leave --core out")
    os.sched_setaffinity(0, {core})
    os.environ |= dict.fromkeys(NATIVE, "1")


def open_log(path):
    """The log, opened to append; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(path, "a", encoding="utf-8")


if __name__ == "__main__":
    main()
