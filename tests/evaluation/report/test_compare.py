"""The comparison of judged runs: the best run by each number, what cannot be compared, and invalid folders."""
import json
import pathlib
import subprocess
import sys

import evaluations
import pytest

from ecalgen.evaluation.report import compare


def saved(folder, evaluation):
    folder.mkdir(parents=True)
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    return folder


def better():
    """Another generator, better by one PRD-AUC, one distance and one classifier."""
    evaluation = evaluations.evaluation()
    evaluation["prd"]["physics"] = evaluations.feature_set(0.8, 0.927)
    evaluation["observables"]["delta_y"] = evaluations.distance(0.02)
    evaluation["c2st"]["observables"] |= {"auc": 0.7, "interval": [0.69, 0.71]}
    return evaluation


def older():
    """An evaluation of format 2, of twice as many and other real showers."""
    evaluation = evaluations.evaluation() | {"format": 2, "showers": 600}
    for name in ("physics_distance", "correlation", "memorisation", "conditions", "response", "profile", "stress"):
        evaluation.pop(name, None)
    for entry in evaluation["observables"].values():
        entry["real_mean"] += 0.2
    return evaluation


@pytest.fixture
def folders(tmp_path):
    return [saved(tmp_path / "plain", evaluations.evaluation()), saved(tmp_path / "<better>", better())]


def test_the_page_says_who_is_best_by_what(folders, tmp_path):
    page, verdict = compare.write_comparison(folders, tmp_path / "out")
    assert verdict == {
        "Best": "<better>, by 3 of 17 numbers: PRD-AUC (physics), Classifier AUC (observables), Wasserstein-1 "
                "(delta y).",
        "Even": "14 of 17 numbers have no single best run: 95 % intervals meet, or several runs are as good as real "
                "showers.",
        "Good": "as good as other real showers, plain by 5 of 17, <better> by 6 of 17."}
    source = page.read_text(encoding="utf-8")
    assert page == tmp_path / "out" / "compare.html" and (tmp_path / "out" / "figures" / "comparison.png").exists()
    assert "&lt;better&gt;, by 3 of 17" in source and "<better>" not in source and source.count("★ best") == 3
    assert '<td data-label="Real sets"><span class="n">0.927\n[0.917, 0.937]</span>' in source
    assert "http" not in source.replace("http-equiv", "") and "<script" not in source


def test_an_old_format_gets_dashes_and_warnings(folders, tmp_path):
    page, verdict = compare.write_comparison([folders[0], saved(tmp_path / "old", older())], tmp_path / "out")
    assert verdict["Beware"] == (
        "differing N, showers of each set (plain: 300, old: 600); differing format of evaluation.json (plain: 4, old: "
        "2); the real showers of old are others than those of plain; numbers of different N do not compare, so "
        "nothing is ranked; judge them on as many showers.")
    assert "Best" not in verdict and "★" not in page.read_text(encoding="utf-8")
    row = page.read_text(encoding="utf-8").split('<th scope="row">Distance, Frechet physics</th>')[1].split("</tr>")[0]
    assert row.endswith('<td data-label="old"><span>–</span></td>')


def test_rings_in_mev_of_an_older_format_stand_beside_their_shares(folders, tmp_path):
    """Format 3 gave the rings in MeV: both are shown, neither is ranked, and a warning names the formats."""
    old = evaluations.evaluation() | {"format": 3}
    old["observables"]["ring_energies"] = old["observables"].pop("ring_shares")
    page, verdict = compare.write_comparison([folders[0], saved(tmp_path / "old", old)], tmp_path / "out")
    assert verdict["Beware"].startswith("differing format of evaluation.json (plain: 4, old: 3)")
    assert "of 16 numbers" in verdict["Even"]
    source = page.read_text(encoding="utf-8")
    assert "Wasserstein-1, ring shares" in source and "Wasserstein-1, ring energies" in source


def test_other_clusters_and_protocols_are_warned_of(folders, tmp_path):
    other = better() | {"protocol": "competition"}
    for name in ("raw", "physics"):
        other["prd"][name] |= {"clusters": 100}
    _, verdict = compare.write_comparison([folders[0], saved(tmp_path / "other", other)], tmp_path / "out")
    assert "differing protocol (plain: paper, other: competition)" in verdict["Beware"]
    assert "differing clusters and runs of the PRD (plain: 400, 10, other: 100, 10)" in verdict["Beware"]
    assert verdict["Best"].startswith("other, by 2 of 15 numbers: Classifier AUC")
    assert verdict["Beware"].endswith("PRD-AUC, which depends on protocol, clusters and runs, is not ranked.")


def test_what_was_done_to_the_files_is_warned_of(folders, tmp_path):
    told = evaluations.evaluation() | {"notes": ["mine.npz: judged as they are"]}
    _, verdict = compare.write_comparison([folders[0], saved(tmp_path / "told", told)], tmp_path / "out")
    assert verdict["Beware"].startswith("told: mine.npz: judged as they are")


def test_references_that_differ_stand_with_their_runs(folders, tmp_path):
    other = evaluations.evaluation()
    other["prd"]["raw"] = evaluations.feature_set(0.717, 0.8)
    page, _ = compare.write_comparison([folders[0], saved(tmp_path / "other", other)], tmp_path / "out")
    source = page.read_text(encoding="utf-8")
    assert source.count("<span>differ</span>") == 1 and "real sets 0.800\n[0.790, 0.810]" in source


def test_names_have_as_much_of_the_path_as_tells_them_apart(tmp_path):
    paths = [saved(tmp_path / name, evaluations.evaluation()) for name in ("a/run", "b/run", "b/other")]
    assert list(compare.load_runs(paths)) == ["a/run", "b/run", "b/other"]
    assert list(compare.load_runs(paths[1:])) == ["run", "other"]


def test_many_runs_stack(tmp_path):
    paths = [saved(tmp_path / f"run{i}", evaluations.evaluation()) for i in range(5)]
    page, verdict = compare.write_comparison(paths, tmp_path / "out")
    assert '<table class="stacked">' in page.read_text(encoding="utf-8") and "Best" not in verdict


@pytest.mark.parametrize("content, message", [
    (None, r"holds no evaluation.json that can be read \(No such file"), ("{", "is no evaluation of ecalgen"),
    ("[]", "is no evaluation"), ('{"prd": {}}', "is no evaluation"), ('{"showers": 3}', "is no evaluation")])
def test_a_folder_without_an_evaluation(folders, tmp_path, content, message):
    (tmp_path / "bad").mkdir()
    if content is not None:
        (tmp_path / "bad" / "evaluation.json").write_text(content)
    with pytest.raises(compare.ComparisonError, match=message):
        compare.write_comparison([folders[0], tmp_path / "bad"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("part, field, value, message", [
    ("observables", "delta_x", {"w1": 0.1}, "field observables.delta_x.real_mean is missing"),
    ("prd", "raw", {"auc": "0.7"}, 'prd.raw.auc is "0.7"; it must be a finite number'),
    ("c2st", "images", {"auc": 0.7, "interval": [None, 1]}, r"c2st.images.interval is \[null, 1\]; it must be a list"),
    ("physics_distance", "kpd", [], r"physics_distance.kpd is \[\]; it must be an object"),
    ("memorisation", "quantile", float("nan"), "memorisation.quantile is NaN; it must be a finite number"),
    (None, "showers", 0, "showers is 0; it must be a whole number from 1"),
    (None, "notes", "one", 'notes is "one"; it must be a list'),
    (None, "training", 5, "training is 5; it must be an object"),
    (None, "format", 5, "of format 5; this version of ecalgen reads those up to 4"),
    (None, "format", "3", 'format is "3"; it must be a whole number'),
    (None, "prd", "[" * 200 + "]" * 200, "prd is .*; it must be an object"),
])
def test_a_field_that_cannot_be_is_named(folders, tmp_path, part, field, value, message):
    evaluation = evaluations.evaluation()
    (evaluation[part] if part else evaluation)[field] = value
    bad = saved(tmp_path / "bad", evaluation)
    with pytest.raises(compare.ComparisonError, match=f"bad/evaluation.json is .*{message}") as caught:
        compare.load_runs([folders[0], bad])
    assert "\n" not in str(caught.value)


def test_an_evaluation_without_numbers(folders, tmp_path):
    bad = saved(tmp_path / "bad", {"showers": 300, "prd": {}, "c2st": {}, "observables": {}})
    with pytest.raises(compare.ComparisonError, match="is no evaluation of ecalgen .no number in it.; judge the run"):
        compare.load_runs([folders[0], bad])


def test_one_folder_or_the_same_one_twice(folders):
    with pytest.raises(compare.ComparisonError, match="at least two folders"):
        compare.load_runs(folders[:1])
    with pytest.raises(compare.ComparisonError, match="plain is given twice"):
        compare.load_runs([folders[0], folders[0]])


@pytest.mark.parametrize("flags, message", [
    (["--real=x.npz", "--repeated=y.npz", "--seed=1"],
     "--compare takes judged runs; leave out --real, --repeated, --seed"),
    ([], "at least two folders")])
def test_the_command_ends_in_one_line(folders, tmp_path, flags, message):
    done = command(f"--compare={folders[0]}", f"--out={tmp_path / 'out'}", *flags)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr


def test_the_command_wants_showers_or_runs(tmp_path):
    done = command("--real=x.npz", f"--out={tmp_path / 'out'}")
    assert done.returncode == 1 and "error: --generated not given" in done.stderr


def test_the_command(folders, tmp_path):
    done = command(*(f"--compare={folder}" for folder in folders), f"--out={tmp_path / 'out'}")
    assert done.returncode == 0 and done.stdout.startswith("Best:\n  <better>, by 3 of 17 numbers: PRD-AUC (physics), ")
    assert done.stdout.strip().endswith(str(tmp_path / "out" / "compare.html"))


def command(*flags):
    return subprocess.run([sys.executable, "-m", "ecalgen.evaluation", *flags], cwd=pathlib.Path(__file__).parents[3],
                          check=False, text=True, capture_output=True)
