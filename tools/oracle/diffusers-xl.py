"""A DiT of the true size of XL/2 with random weights, and what PyTorch computes with it in float32, for bench/held-weights.ts.

    python tools/oracle/diffusers-xl.py FOLDER [--layers 28]

Needs torch, diffusers, safetensors, 1.6 GB of disk and 8 GB of memory. Writes diffusers' folder in float16 and, beside it,
expected.safetensors: latents of 256-pixel pictures, timesteps, labels (a class and the null class) and the output. PyTorch
computes with the float16 values in float32.
"""

import argparse
import os
import time

import torch
from diffusers import DiTTransformer2DModel
from safetensors.torch import save_file


def main(folder, layers):
    torch.manual_seed(0)
    model = DiTTransformer2DModel(in_channels=4, out_channels=8, num_layers=layers, sample_size=32).eval()
    first = model.transformer_blocks[0].norm1.emb
    for block in model.transformer_blocks[1:]:
        block.norm1.emb.load_state_dict(first.state_dict())
    table = model.pos_embed.pos_embed.clone()
    model.half()
    model.save_pretrained(folder, max_shard_size="4GB")
    model.float()
    model.pos_embed.pos_embed = table
    # One picture, once with its class and once without; a small timestep, as torch forms its features in float32.
    x = torch.randn(1, 4, 32, 32).repeat(2, 1, 1, 1)
    t, y = torch.tensor([20, 20]), torch.tensor([207, 1000])
    with torch.no_grad():
        begun = time.perf_counter()
        out = model(x, timestep=t, class_labels=y).sample.contiguous()
    print(f"PyTorch {torch.__version__}: {time.perf_counter() - begun:.1f} s with {torch.get_num_threads()} threads")
    save_file({"x": x, "t": t.int(), "y": y.int(), "out": out}, os.path.join(folder, "expected.safetensors"))


parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--layers", type=int, default=28)
arguments = parser.parse_args()
main(arguments.folder, arguments.layers)
