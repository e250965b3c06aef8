"""Every fault of the user's is one kind of error, which the command line catches."""
import pytest

from ecalgen.data.showers import BadShowers
from ecalgen.errors import ConfigError, RunError, UserError
from ecalgen.evaluation.metrics.prd import EvaluationError
from ecalgen.machine.files import WriteError
from ecalgen.machine.lock import LockError
from ecalgen.machine.records import RecordError
from ecalgen.sampling.weights import WeightsError
from ecalgen.training.loop import TrainingError
from ecalgen.training.metrics_log import MetricsError


@pytest.mark.parametrize("kind", [
    BadShowers, ConfigError, EvaluationError, LockError, MetricsError, RecordError, RunError, TrainingError,
    WeightsError, WriteError])
def test_one_family(kind):
    assert issubclass(kind, UserError) and issubclass(kind, ValueError)
