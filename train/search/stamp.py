"""What a folder of search_exits.py is of: what was trained and measured in it is true of one network and its examples."""
import hashlib
import json

NAME = "search.json"
KEPT = ("examples.pt", "branches.pt", "cost.json")  # what a search goes on from


def claim(folder, checkpoint, **options):
    """Makes the folder, or finds it left by a search of the same checkpoint with the same options."""
    if not checkpoint.exists():
        raise SystemExit(f"{checkpoint}: no such checkpoint")
    stamp = {"checkpoint": hashlib.sha256(checkpoint.read_bytes()).hexdigest(), **options}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    if path.exists():
        known = json.loads(path.read_text())
        other = sorted(key for key in stamp if known.get(key) != stamp[key])
        if other:
            raise SystemExit(f"{folder} is of a search with another {' and another '.join(other)}: give another --run")
    elif any((folder / name).exists() for name in KEPT):
        raise SystemExit(f"{folder} is of a search that did not tell its checkpoint: give another --run")
    path.write_text(json.dumps(stamp))
