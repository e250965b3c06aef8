"""What ships, and what it reached."""
import json
import pathlib

import ecalgen
from ecalgen.sampling import shipped
from ecalgen.sampling.weights import shipped_models

RESULTS = pathlib.Path(__file__).parents[2] / "experiments" / "results"


def test_every_generator_is_listed_with_what_it_reached():
    models = ecalgen.list_models()
    assert sorted(model.name for model in models) == shipped_models("generator")
    for model in models:
        result = json.loads((RESULTS / f"{model.name}.json").read_text())
        assert model.reached["physics_prd"] == round(result["prd"]["physics"]["auc"], 4)
        assert model.reached["images_floor"] == round(result["c2st"]["images"]["floor"], 4)
        assert ecalgen.load_sampler(model.name).grid.name == model.calorimeter


def test_the_table_has_every_number():
    model = ecalgen.list_models()[0]
    line = shipped.table([model])
    assert f"{model.reached['observables']:.3f} ({model.reached['observables_floor']:.3f})" in line
    assert "ms a shower" in line and "ms a shower" not in shipped.table(
        [model._replace(reached={k: v for k, v in model.reached.items() if k != "ms_per_shower"})])
