"""The tables that `experiments.tables` writes, on results of today and of older evaluations."""
import pytest


@pytest.fixture
def tables(experiment):
    """The module that knows all tables."""
    return experiment("tables.files")


@pytest.fixture
def changed(experiment, monkeypatch):
    """`changed(change)`: every result passes through `change(name, result)` as it is loaded."""
    common = experiment("tables.common")
    load = common.load
    return lambda change: monkeypatch.setattr(common, "load", lambda name: change(name, load(name)))


@pytest.mark.parametrize(("result", "split"), [
    ({}, "selection"), ({"split": "test"}, "test"), ({"settings": {"split": "test"}}, "test"), ({"settings": {}},
                                                                                                "selection")])
def test_the_split_comes_from_the_results(experiment, result, split):
    assert experiment("tables.common").judged_by(result | {"showers": 5000}) == f"5,000 `{split}`"


def test_every_table_names_the_split(tables, changed):
    def change(name, result):
        parts = result["sets"] if name == "prd_benchmark" else [result]
        for part in parts:
            part["split"] = "fresh"
        return result

    changed(change)
    auxiliary, checks = tables.auxiliary, tables.checks
    for table in (tables.systems.systems, tables.systems.cards, lambda: auxiliary.table_1("auxiliary"),
                  auxiliary.auxiliary_targets,
                  auxiliary.auxiliary_anchored, tables.lineage.lineage, checks.ranking, checks.reconstruction,
                  tables.speed.precision, checks.prd_benchmark):
        text = table()
        assert "`fresh`" in text and "00 `selection`" not in text and "test showers" not in text, table


def test_samples_of_one_test_split(tables):
    assert "900 `test` showers" in tables.lineage.wgan_1d() and "800 `test` showers" in tables.lineage.adagan()


def unmatched(result):
    """A result as evaluations without repeated showers give it."""
    for part in (*result["prd"].values(), *result["c2st"].values()):
        for field in [field for field in part if field.startswith("matched_")] if isinstance(part, dict) else ():
            del part[field]
    return result


def test_the_matched_ceiling_is_shown_where_it_is_known(tables, changed):
    changed(lambda name, result: unmatched(result))
    cards = tables.systems.cards()
    assert "matched" not in tables.systems.systems() + cards and "same conditions" not in cards

    def change(name, result):
        result = unmatched(result)
        if name == "anchored":
            for features, ceiling in (("raw", 0.931), ("physics", 0.942)):
                result["prd"][features] |= dict(matched_ceiling=ceiling, matched_ceiling_std=0.002, matched_n=2000,
                                                matched_auc=0.913)
            result["c2st"]["cells"]["matched_floor"] = 0.487
        return result

    changed(change)
    assert ("the first 2,000 particles a second time" in tables.systems.systems() and tables.systems.systems().endswith(
        "`anchored` physics 0.913 (0.942 ± 0.002), raw 0.913 (0.931 ± 0.002)."))
    cards = tables.systems.cards()
    assert "| physics PRD-AUC of the first 2,000 (matched ceiling) | 0.913 (0.942 ± 0.002) |" in cards
    assert cards.count("matched ceiling") == 2
    assert "| cells, floor at the same conditions | 0.487 |" in cards


@pytest.mark.parametrize("name", ["ring_shares", "ring_energies"])
def test_the_rings_of_either_name(tables, changed, name):
    def change(_, result):
        for row in [result["real_against_real"], *result["runs"]]:
            row["w1"][name] = row["w1"].pop("ring_energies")
        return result

    changed(change)
    assert f"W1 of the {name.replace('_', ' ')}" in tables.lineage.reached("vae")


def prd(seed, shift=0.0):
    """The PRD-AUCs of a made-up run."""
    return {features: {"auc": 0.8 + 0.01 * seed + shift, "std": 0.01, "clusters": 400, "runs": 10, "n": 200}
            for features in ("physics", "raw")}


def partial(*runs, regressor=True):
    """Results with made-up runs: (variant, seed, what the PRD-AUC is shifted by)."""
    w1 = dict.fromkeys(("longitudinal_asymmetry", "transverse_asymmetry", "visible_fraction"), 0.1)
    row = lambda variant, seed, shift: {
        "variant": variant, "seed": seed, "steps": 20, "batch_size": 8, "seconds": {"gan": 60.0},
        "prd": prd(seed, shift), "auc": 0.9, "w1": w1} | (
            {"mse": {}, "mean_unexplained": 0.3 - shift} if regressor and variant != "baseline" else {})
    return {"preset": "test", "showers": 200, "settings": {"split": "test"}, "provenance": {"device": "x, 1 core"},
            "real_against_real": {"prd": prd(0), "auc": 0.5, "w1": w1}, "runs": [row(*run) for run in runs]}


@pytest.mark.parametrize("runs, cells", [
    ([("cnn", 0, 0.01)], ["–", "–"]), ([("baseline", 0, 0), ("cnn", 0, 0.01)], ["one seed", "one seed"]),
    ([("baseline", 0, 0), ("baseline", 1, 0), ("cnn", 0, 0.01), ("cnn", 1, 0.03), ("cnn", 2, 0.03)],
     ["0.85, not told", "0.85, not told"])])
def test_table_1_of_some_of_its_runs(tables, monkeypatch, runs, cells):
    """Two differences, 0.01 and 0.03: t = 2 with one degree of freedom, 1/2 + arctan(2) / pi = 0.852."""
    auxiliary = tables.auxiliary
    monkeypatch.setattr(auxiliary, "exists", lambda name: True)
    monkeypatch.setattr(auxiliary.common, "load", lambda name: partial(*runs))
    row, = [line for line in auxiliary.table_1("x").splitlines() if line.startswith("| CNN")]
    assert row.split(" | ")[11:13] == cells
    widths = {line.count("|") for line in auxiliary.table_1("x").splitlines() if line.startswith("|")}
    assert len(widths) == 1


def test_results_that_do_not_exist_yet(tables):
    assert tables.auxiliary.table_1("of_tomorrow") == "No run of `experiments/results/of_tomorrow.json` has ended yet."


def test_few_showers_of_some_of_its_runs(tables, monkeypatch):
    """A row for each number of training showers, in order, with the mean over the seeds."""
    run = lambda variant, seed, auc: {"variant": variant, "seed": seed, "auc": {"observables": auc},
                                      "physics_prd": {"auc": 0.8}, "seconds": {"prior": 30.0, "gan": 90.0}}
    real = {"auc": {"observables": 0.501}, "physics_prd": {"auc": 0.83, "clusters": 400, "runs": 3}}
    result = {"runs": [run("electrons, 1000, alone", 0, 0.7), run("electrons, 300, started", 0, 0.6),
                       run("electrons, 300, started", 1, 0.62)],
              "showers": {"electrons": 2_000, "photons": 1_000}, "real_against_real": {"electrons": real},
              "settings": {"prior": 10, "steps": 2_000, "size": "light", "split": "test"},
              "provenance": {"device": "a core, 1 core"}}
    monkeypatch.setattr(tables.anchored.common, "load", lambda name: result)
    rows = tables.anchored.few_showers().splitlines()
    assert rows[2] == "| electrons | 300 | – | 0.610 [0.600, 0.620] | – | 0.800 [0.800, 0.800] | 2 |"
    assert rows[3] == "| electrons | 1,000 | 0.700 | – | 0.800 | – | 2 |"
    assert rows[4] == "| electrons | other real showers | 0.501 | 0.501 | 0.830 | 0.830 |  |" and len(rows) == 7
    assert rows[-1].startswith("10 steps of the prior and 2,000 of the GAN, size `light`, seeds 0, 1, a core; PRD: ")
    assert rows[-1].endswith("2,000 electrons of `test` judge.")


def test_figure_3_of_some_of_its_runs(tables, monkeypatch):
    """The better the regressor, the better the generator, in these made-up runs; the best one comes first."""
    auxiliary, runs = tables.auxiliary, [(f"fit {k}", 0, 0.01 * k) for k in range(5)]
    monkeypatch.setattr(auxiliary, "exists", lambda name: True)
    monkeypatch.setattr(auxiliary.common, "load", lambda name: partial(*runs))
    text = auxiliary.figure_3()
    assert "physics -1.00 [-1.00, -1.00]; raw -1.00" in text
    assert text.index("fit 4") < text.index("fit 0") and "| fit 4 | 0 | 0.260 | 0.840 | 0.840 | 0.900 |" in text
