"""Files that torch saves, for the tests of @dit/checkpoint.

    python tools/oracle/torch-files.py packages/checkpoint/test/fixtures/torch

Needs torch and numpy. Every tensor holds 0, 1, 2, ... in the order of its storage, so that the tests can state the values.
"""

import argparse
import os
import sys
from collections import Counter, OrderedDict, defaultdict

import numpy
import torch


def every_dtype():
    names = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8"
    tensors = {name: torch.arange(3).to(getattr(torch, name)) for name in names.split()}
    return tensors | {"bool": torch.tensor([False, True])}


def untyped_dtypes():
    """Those that have no storage class of their own, which the format before zip cannot hold."""
    names = "uint16 uint32 uint64 float8_e4m3fn float8_e5m2"
    return {name: torch.arange(3).to(torch.float32).to(getattr(torch, name)) for name in names.split()}


def views():
    base = torch.arange(24.0)
    tagged = torch.nn.Parameter(torch.arange(2.0))
    tagged.note = "attribute"
    labelled = torch.arange(2.0)
    labelled.note = "attribute"
    return OrderedDict(
        whole=base,
        offset=base[20:],
        matrix=base.view(4, 6),
        transposed=base.view(4, 6).t(),
        column=base.view(4, 6)[:, 1],
        block=base.view(2, 3, 4)[:, 1:, ::2],
        repeated=torch.arange(2.0).expand(3, 2),
        scalar=torch.tensor(7.0),
        empty=torch.zeros(0, 5),
        one=torch.arange(1.0).view(1, 1, 1),
        channels_last=torch.arange(16.0).view(1, 2, 2, 4).permute(0, 3, 1, 2),
        parameter=torch.nn.Parameter(torch.arange(3.0)),
        tagged=tagged,
        labelled=labelled,
    )


def plain_values():
    counts = defaultdict(list)
    counts["a"].append(1)
    return {
        "none": None,
        "flags": [True, False],
        "integers": [0, -1, 255, 65535, 65536, -(2**31), 2**31, 2**53, 2**53 + 1, -(2**80)],
        "floats": [0.5, -1e300, float("inf")],
        "text": ["", "plain", "Grüße 🙂"],
        "bytes": b"\x00\xff",
        "tuple": (1, (2,), ()),
        "ordered": OrderedDict(b=1, a=2),
        "counts": counts,
        "counter": Counter("aab"),
        "set": {1},
        "frozen": frozenset({2}),
        "keys": {1: "one", True + 1: "two", "3": 3, 4.5: "half"},
        "args": argparse.Namespace(data="here", size=(4, 4), lr=1e-4, model=None),
        "size": torch.Size([2, 3]),
        "dtype": torch.bfloat16,
        "device": torch.device("cuda:1"),
        "layout": torch.strided,
        "numpy": [numpy.float64(0.25), numpy.int32(-3), numpy.float16(1.5), numpy.bool_(True)],
    }


def training_state():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.LayerNorm(3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.arange(parameter.numel(), dtype=torch.float32).view(parameter.shape))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.5, betas=(0.5, 0.25))
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [10, 20])
    return {"model": model.state_dict(), "opt": optimizer.state_dict(), "scheduler": scheduler.state_dict(), "step": 1}


def main(folder):
    os.makedirs(folder, exist_ok=True)
    zoo = {"dtypes": every_dtype(), "views": views(), "values": plain_values(), "training": training_state()}

    def save(name, value, **options):
        torch.save(value, os.path.join(folder, f"{name}.pt"), **options)

    save("zip-2", zoo | {"untyped": untyped_dtypes()})
    for protocol in (3, 4, 5):
        save(f"zip-{protocol}", {"views": views(), "values": plain_values()}, pickle_protocol=protocol)
    save("legacy-2", zoo, _use_new_zipfile_serialization=False)
    save("legacy-4", {"views": views()}, pickle_protocol=4, _use_new_zipfile_serialization=False)
    save("complex", {"a": torch.zeros(1, dtype=torch.complex64)})
    save("conjugate", {"a": torch.zeros(1, dtype=torch.complex64).imag.neg(), "b": torch._neg_view(torch.ones(1))})
    save("quantized", {"a": torch.quantize_per_tensor(torch.zeros(1), 0.1, 0, torch.quint8)})
    save("sparse", {"a": torch.eye(2).to_sparse()})
    save("module", torch.nn.Linear(1, 1))
    torch.serialization.set_crc32_options(False)
    save("no-crc", {"a": torch.arange(3.0)})


main(sys.argv[1])
