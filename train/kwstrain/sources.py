"""Where training takes its examples from: a folder of recordings, or a pool of features."""
import pathlib

from . import pool
from .data import LABELS
from .folder import FolderExamples, classes, folder_validation
from .sampler import CommandExamples
from .validation import Validation, command_validation

CACHE = pathlib.Path(__file__).parents[1] / "cache"


def add_arguments(parser):
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=pathlib.Path, help="folder with commands.tsv ..., or of CLASS/*.wav|flac|opus")
    source.add_argument("--pool", type=pathlib.Path, help="folder of make_pool.py instead")


def of_recordings(folder, batch, batches, seed):
    """(class names, examples, validation) of recordings."""
    if (folder / "commands.tsv").exists():
        labels, make, validation = LABELS, CommandExamples, command_validation
    else:
        labels, make, validation = classes(folder), FolderExamples, folder_validation
    return labels, make(folder, CACHE, batch, batches, seed), validation(folder, CACHE)


def of_pool(folder, batch, batches, seed):
    """The same of a folder of make_pool.py."""
    index = pool.read_index(folder)
    stored, labels = pool.read(folder, "val")
    validation = Validation(pool.restore(stored.all()), labels, index["words"], index["labels"])
    return index["labels"], pool.PoolExamples(folder, batch, batches, seed), validation


def of(args):
    """The same, as the options say."""
    take, folder = (of_recordings, args.data) if args.data else (of_pool, args.pool)
    return take(folder, args.batch, args.batches, args.seed)
