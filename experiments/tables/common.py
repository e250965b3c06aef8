"""What the tables share: results, Markdown, and the cells and notes that several of them have."""
import statistics

from experiments.command import RESULTS, read

FEATURES = ("physics", "raw")
OTHERS = "other real showers"


def load(name):
    """The results of that name."""
    return read(RESULTS / f"{name}.json")


def exists(name):
    """Whether there are results of that name."""
    return (RESULTS / f"{name}.json").exists()


def table(head, rows, note=None):
    """A table in Markdown, with a note below it."""
    return "\n".join([*markdown(head, rows), *(["", note] if note else [])])


def markdown(head, rows):
    """The lines of a table."""
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def fixed(values, digits=3):
    """A cell for each value."""
    return [f"{value:.{digits}f}" for value in values]


def spread(values):
    """The mean of several values, with the least and the greatest."""
    between = f" [{min(values):.3f}, {max(values):.3f}]" if len(values) > 1 else ""
    return f"{statistics.mean(values):.3f}{between}"


def prd_cell(result, features):
    """PRD-AUC, its standard deviation and its ceiling."""
    entry = result["prd"][features]
    return f"{entry['auc']:.3f} ± {entry['std']:.3f} ({entry['ceiling']:.3f})"


def auc_cell(result, judge):
    """Classifier AUC and its floor."""
    test = result["c2st"][judge]
    return f"{test['auc']:.3f} ({test['floor']:.3f})"


def prd_note(result, prd):
    """Settings of a PRD-AUC and the showers that it judged."""
    return f"PRD: {prd['clusters']} clusters, {prd['runs']} runs, {judged_by(result, prd['n'])} showers"


def trained_for(result):
    """Steps and minutes of the training, or of the fit."""
    training = result["training"]
    if "parameters" in training:
        return (f"{training['parameters']} corrections fitted to {training['showers']:,} showers in several fits, the "
                f"last of {training['seconds'] / 60:.0f} minutes")
    return f"{training['steps']:,} steps of {training['batch_size']}, {training['seconds'] / 60:.0f} minutes"


def split_of(result):
    """The split that judged; results that do not name it were judged by what is now `selection`."""
    return result.get("split", result.get("settings", {}).get("split", "selection"))


def judged_by(result, showers=None):
    """The number of showers that judged, and their split; a noun follows."""
    return f"{showers or result['showers']:,} `{split_of(result)}`"


def runs_of(name, result):
    """The runs of a variant."""
    return [run for run in result["runs"] if run["variant"] == name]


def minutes(runs):
    """Mean minutes of training."""
    return f"{statistics.mean(sum(run['seconds'].values()) for run in runs) / 60:.0f}"


def preset(result):
    """The preset of the configs."""
    return result["preset"] or "full"


def device(result):
    """The processor or accelerator, without its number of cores; all of them where the runs name several."""
    made = [run["provenance"] for run in result.get("runs", []) if "provenance" in run] or [result["provenance"]]
    return " and ".join(dict.fromkeys(provenance["device"].split(",")[0] for provenance in made))
