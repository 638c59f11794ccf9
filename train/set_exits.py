#!/usr/bin/python3
"""Writes what is known of a model's exits and keywords into it: `kws.exits` and `kws.keywords` of
docs/model-format.md.

    set_exits.py MODEL '{"temperature": [1.4, 1.2, 1, 1, 1], "delta": [0.3, 0.4, 0.5, 0.5, 0]}'
    set_exits.py MODEL --keywords '{"alexa": {"threshold": 0.83}}'
    set_exits.py MODEL -        # takes it away; so does --keywords -

The tensors stay as they are. `kws info` has to accept the new file before it takes the old one's place.
"""
import argparse
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[1]


def with_metadata(data, changes):
    """The bytes of the model with other metadata (None: without that key), its data aligned to 8 bytes."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    metadata = header["__metadata__"]
    for key, value in changes.items():
        metadata.pop(key, None)
        if value is not None:
            metadata[key] = json.dumps(value)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data[8 + length:]


def replace(model, data, kws):
    """Through a file beside it, so that no reader sees a half; returns what was wrong, or None."""
    with tempfile.NamedTemporaryFile(dir=model.parent, prefix=f".{model.name}.", delete=False) as draft:
        draft.write(data)
    try:
        done = subprocess.run([kws, "info", draft.name], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        problem = done.stderr.strip() if done.returncode != 0 else None
    except OSError as error:
        problem = f"{kws}: {error.strerror}; ./dev build makes it"
    if problem is None:
        os.chmod(draft.name, model.stat().st_mode)
        os.replace(draft.name, model)
    else:
        os.unlink(draft.name)
    return problem


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("exits", nargs="?", help="a JSON object, or - for none")
    parser.add_argument("--keywords", help="the same for its keywords")
    parser.add_argument("--kws", default=str(ROOT / "build/cli/kws"))
    options = parser.parse_args()
    texts = {"kws.exits": options.exits, "kws.keywords": options.keywords}
    try:
        changes = {key: None if text == "-" else json.loads(text) for key, text in texts.items() if text is not None}
        if not changes:
            parser.error("nothing to write: give exits, --keywords or both")
        data = with_metadata(options.model.read_bytes(), changes)
    except (OSError, ValueError, KeyError, struct.error) as error:
        sys.exit(f"set_exits.py: {options.model}: {error}")
    problem = replace(options.model, data, options.kws)
    if problem is not None:
        sys.exit(f"set_exits.py: {problem}")


if __name__ == "__main__":
    main()
