"""Checks that torch reads a .pt file that @dit/checkpoint wrote, with nothing but tensors allowed.

    python tools/oracle/read-torch.py FILE.pt EXPECTED.safetensors

Needs torch and safetensors. Prints how many tensors are equal bit for bit, in dtype and in shape; fails on the first that is not. The
two files come from the same weights: dit convert A FILE.pt, dit convert A EXPECTED.safetensors.
"""

import sys

import torch
from safetensors.torch import load_file

written, expected = torch.load(sys.argv[1], weights_only=True), load_file(sys.argv[2])
assert list(sorted(written)) == list(sorted(expected)), "the names differ"
for name, tensor in expected.items():
    assert written[name].dtype == tensor.dtype and written[name].shape == tensor.shape, name
    assert written[name].contiguous().view(torch.uint8).equal(tensor.contiguous().view(torch.uint8)), name
print(f"torch {torch.__version__}: {len(expected)} tensors are equal")
