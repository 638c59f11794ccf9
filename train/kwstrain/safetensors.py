"""Writes safetensors files: 8 bytes length, JSON header, raw little-endian tensors."""
import json
import struct

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
