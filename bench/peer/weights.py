"""Reads safetensors with nothing but the standard library and torch."""
import json
import mmap
import struct

import torch


def load(path):
    with open(path, "rb") as f:
        data = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_COPY)
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        assert entry["dtype"] == "F32", entry["dtype"]
        if end == begin:
            tensors[name] = torch.zeros(entry["shape"])
            continue
        flat = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=8 + length + begin)
        tensors[name] = flat.view(entry["shape"])
    return tensors
