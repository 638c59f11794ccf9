# SPDX-License-Identifier: Apache-2.0
"""A model file with other names: the same network, so each word is heard by both at the same place."""

import json
import struct


def rename(source, target, name, labels):
    """Copies a model under `name`; `labels` maps its keywords to others, the rest stays."""
    data = source.read_bytes()
    length, = struct.unpack_from("<Q", data)
    header = json.loads(data[8:8 + length])
    metadata = header["__metadata__"]
    metadata["kws.name"] = name
    metadata["kws.labels"] = json.dumps(
        [labels.get(label, label) for label in json.loads(metadata["kws.labels"])])
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # the tensors stay aligned
    target.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length:])
