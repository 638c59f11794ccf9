"""Writes and reads safetensors files: 8 bytes length, JSON header, raw little-endian tensors."""
import json
import pathlib
import struct

import numpy as np

DTYPES = {"float32": "F32", "uint32": "U32", "int32": "I32", "uint8": "U8"}
ALIGNMENT = 64  # of the data and of each tensor, so that a mapping can be read in place


def save(path, tensors, metadata):
    """`tensors`: name -> numpy array; `metadata`: string -> string."""
    header = {"__metadata__": metadata}
    end = 0
    for name, array in tensors.items():
        begin = -(-end // 4) * 4
        if begin != end:
            raise ValueError(f"{name}: put tensors of odd sizes last")
        end = begin + array.nbytes
        header[name] = {"dtype": DTYPES[array.dtype.name], "shape": list(array.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(array.tobytes())


def load(path):
    """(tensors, metadata) as save() takes them. Raises OSError, or ValueError for what is no such file."""
    data = pathlib.Path(path).read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
        metadata = header.pop("__metadata__", {})
        names = {kind: name for name, kind in DTYPES.items()}
        tensors = {}
        for name, entry in header.items():
            begin, end = (8 + length + offset for offset in entry["data_offsets"])
            tensors[name] = np.frombuffer(data[begin:end], np.dtype(names[entry["dtype"]]).newbyteorder("<")).reshape(entry["shape"])
    except (struct.error, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a safetensors file: {error}")
    return tensors, metadata
