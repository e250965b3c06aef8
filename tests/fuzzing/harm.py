"""Harm to JSON records: one place of a record is changed, or its text is, as damage or a wrong hand would."""
import copy
import json

DEEP, LONG = "@deep@", "@long@"
"""Marks of what `json.dumps` cannot write: lists in each other 1,000 levels deep, and a number of 5,000 digits."""
VALUES = (None, True, False, -1, 0, 3, 2**63, 10**400, 1.5, -1e308, 1e308, float("nan"), float("inf"), "", "x", "a\nb",
          "ü" * 9_000, [], {}, [1, 2], [None], [[[]]], {"a": 1}, {"name": "plain"}, DEEP, LONG)
TEXTS = ("cut", "empty", "binary", "a byte", "not an object", "two objects")
RECORDS = ("field dropped", "field retyped", "field added", "field moved")


def harmed(rng, record):
    """What was done, and the harmed text of the record, as bytes."""
    kind = str(rng.choice(TEXTS + 3 * RECORDS))
    return kind, harmed_text(rng, kind, record) if kind in TEXTS else as_bytes(harmed_record(rng, kind, record))


def harmed_record(rng, kind, record):
    """A copy of the record, one place of which is harmed."""
    record = copy.deepcopy(record)
    *path, name = pick(rng, list(places(record)))
    parent = record
    for step in path:
        parent = parent[step]
    match kind:
        case "field dropped":
            del parent[name]
        case "field retyped":
            parent[name] = pick(rng, VALUES)
        case "field added" if isinstance(parent, dict):
            parent[str(pick(rng, ("new", "a\nb", "", "format")))] = pick(rng, VALUES)
        case _:
            parent[name] = parent[pick(rng, list(parent) if isinstance(parent, dict) else range(len(parent)))]
    return record


def harmed_text(rng, kind, record):
    """The text of the record, harmed."""
    content = bytearray(as_bytes(record))
    match kind:
        case "cut":
            return bytes(content[:rng.integers(len(content))])
        case "empty":
            return b"\n" * int(rng.integers(2))
        case "binary":
            return rng.bytes(int(rng.integers(1, 300)))
        case "a byte":
            content[rng.integers(len(content))] = rng.integers(256)
            return bytes(content)
        case "not an object":
            return as_bytes(pick(rng, VALUES))
    return bytes(2 * content)


def places(record, path=()):
    """The path of every field and item of a record."""
    for name, value in record.items() if isinstance(record, dict) else enumerate(record):
        yield *path, name
        if isinstance(value, dict | list):
            yield from places(value, (*path, name))


def as_bytes(record):
    """JSON as the files of a run hold it."""
    text = json.dumps(record).replace(f'"{DEEP}"', "[" * 1000 + "]" * 1000).replace(f'"{LONG}"', "9" * 5000)
    return text.encode()


def pick(rng, choices):
    """One of them, as it is."""
    return choices[int(rng.integers(len(choices)))]
