"""Write the tables of the README, of the pages and of the model cards from the files in `results/`.

    python -m experiments.tables
"""
from experiments.command import new_parser
from experiments.tables.files import renew


def make_parser():
    """The flags of the command: none."""
    return new_parser(__doc__)


if __name__ == "__main__":
    make_parser().parse_args()
    renew()
