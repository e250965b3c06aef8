"""A TensorBoard log of the metrics, in addition to `metrics.jsonl`; it needs the extra `tensorboard`."""
import atexit

from ecalgen.errors import UserError


def make_writers(workdir, wanted):
    """Functions (stage, step, metrics) that write a log; none unless `wanted`.

    Raises:
      UserError: wanted, but the extra is not installed.
    """
    if not wanted:
        return ()
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise UserError("config.tensorboard needs the extra: pip install 'ecalgen[tensorboard]'") from error
    writer = SummaryWriter(logdir=str(workdir / "tensorboard"), max_queue=1)
    atexit.register(writer.close)

    def write(stage, step, metrics):
        for name, value in metrics.items():
            writer.add_scalar(f"{stage}/{name}", value, step)

    return (write,)
