"""How far the long runs of `experiments/queue.md` are."""
from experiments.queue import PAGE, progress, read_entries
from experiments.tables.common import table

DONE = 4
"""Index of the column that says how many runs are in the results."""


def rows():
    """The table of the queue as it stands in the page, with its column `done` brought up to date."""
    entries = read_entries(PAGE.read_text())
    done = ["{} of {}".format(*progress(entry)) for entry in entries]
    cells = [[*entry.cells[:DONE], text, *entry.cells[DONE + 1:]] for entry, text in zip(entries, done, strict=True)]
    return table(["run", "why", "command", "core hours", "done"], cells)
