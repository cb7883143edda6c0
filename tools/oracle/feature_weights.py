"""Weights and pictures by formula, for tools/oracle/features.py; packages/features/test/formula.ts has the same in TypeScript."""

import numpy as np


def uniforms(ordinal, count):
    """Numbers in [0, 1) from a 32-bit hash of the tensor's place in the sorted list of names, and the number's place in it."""
    h = (np.arange(count, dtype=np.uint64) + (ordinal << 22)).astype(np.uint32)
    h = h * np.uint32(0x9E3779B1)
    h ^= h >> np.uint32(15)
    h = h * np.uint32(0x85EBCA77)
    h ^= h >> np.uint32(13)
    return h.astype(np.float64) / 2**32


def formula_weights(shapes):
    """State dict of float32 arrays for names and shapes; normalizations have statistics that matter."""
    made = {}
    for ordinal, name in enumerate(sorted(shapes)):
        shape = shapes[name]
        u = uniforms(ordinal, int(np.prod(shape)))
        if name.endswith(".running_var"):
            offset, scale = 0.5, 1.0
        elif name.endswith((".running_mean", ".bias")):
            offset, scale = -0.2, 0.4
        elif len(shape) == 1:
            offset, scale = 0.75, 0.5
        else:
            bound = np.sqrt(6 / np.prod(shape[1:]))
            offset, scale = -bound, 2 * bound
        values = offset + scale * u
        made[name] = values.reshape(shape).astype(np.float32)
    return made


def formula_picture(height, width, number):
    """Bytes [height, width, 3]: stripes, a hyperbolic pattern and a board of squares."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    board = 90 * ((x // 16 + y // 16) % 2)
    return ((x * (5 + 7 * c) + y * 13 + x * y // 8 + 60 * c + board + 31 * number) % 256).astype(np.uint8)
