"""Writes packages/unet/test/diffusers-unet.json: what a small U-Net of diffusers computes.

    python tools/oracle/diffusers-unet.py packages/unet/test/diffusers-unet.json

Needs diffusers and torch; made with diffusers 0.42.1 and torch 2.15.0 on the CPU, in float64. Weights and inputs follow from a formula,
which packages/unet/test/diffusers.test.ts repeats, so that only results are kept.
"""

import json
import math
import sys

import torch
from diffusers import UNet2DModel

CHANNELS, CLASSES, SIDE, BATCH = 8, 3, 8, 2
model = UNet2DModel(
    sample_size=SIDE,
    block_out_channels=(CHANNELS, 2 * CHANNELS),
    layers_per_block=1,
    down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    attention_head_dim=8,
    norm_num_groups=4,
    attn_norm_num_groups=4,
    norm_eps=1e-5,
    resnet_time_scale_shift="scale_shift",
    num_class_embeds=CLASSES + 1,
    flip_sin_to_cos=True,
    freq_shift=0,
    dropout=0.0,
).double()

PARTS = {"in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj"}
PARTS |= {"out_layers.0": "norm2", "out_layers.3": "conv2", "skip_connection": "conv_shortcut"}


def residual(ours, theirs):
    return {f"{ours}.{part}": f"{theirs}.{name}" for part, name in PARTS.items()}


# Names of layers: ours, which are guided-diffusion's, and theirs.
LAYERS = {
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb": "class_embedding",
    "input_blocks.0.0": "conv_in",
    **residual("input_blocks.1.0", "down_blocks.0.resnets.0"),
    "input_blocks.2.0.op": "down_blocks.0.downsamplers.0.conv",
    **residual("input_blocks.3.0", "down_blocks.1.resnets.0"),
    **residual("middle_block.0", "mid_block.resnets.0"),
    **residual("middle_block.2", "mid_block.resnets.1"),
    **residual("output_blocks.0.0", "up_blocks.0.resnets.0"),
    **residual("output_blocks.1.0", "up_blocks.0.resnets.1"),
    "output_blocks.1.2.conv": "up_blocks.0.upsamplers.0.conv",
    **residual("output_blocks.2.0", "up_blocks.1.resnets.0"),
    **residual("output_blocks.3.0", "up_blocks.1.resnets.1"),
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}
ATTENTION = {
    "input_blocks.3.1": "down_blocks.1.attentions.0",
    "middle_block.1": "mid_block.attentions.0",
    "output_blocks.0.1": "up_blocks.0.attentions.0",
    "output_blocks.1.1": "up_blocks.0.attentions.1",
}


def values(name, shape):
    """A number for each place, which differs between parameters of different names."""
    seed = sum(map(ord, name))
    flat = [0.3 * math.sin(0.37 * k * k + seed) for k in range(math.prod(shape))]
    return torch.tensor(flat, dtype=torch.float64).reshape(shape)


state = model.state_dict()
given = set()
for ours, theirs in LAYERS.items():
    for kind in ("weight", "bias"):
        if f"{theirs}.{kind}" in state:
            state[f"{theirs}.{kind}"] = values(f"{ours}.{kind}", state[f"{theirs}.{kind}"].shape)
            given.add(f"{theirs}.{kind}")
for ours, theirs in ATTENTION.items():
    width = state[f"{theirs}.to_q.weight"].shape[0]
    for kind in ("weight", "bias"):
        state[f"{theirs}.group_norm.{kind}"] = values(f"{ours}.norm.{kind}", (width,))
        rest = (width,) if kind == "weight" else ()
        together = values(f"{ours}.qkv.{kind}", (3 * width, *rest))
        for part, rows in zip("qkv", together.chunk(3)):
            state[f"{theirs}.to_{part}.{kind}"] = rows
        state[f"{theirs}.to_out.0.{kind}"] = values(f"{ours}.proj_out.{kind}", (width, *rest))
        given |= {f"{theirs}.{part}.{kind}" for part in ("group_norm", "to_q", "to_k", "to_v", "to_out.0")}
assert given == set(state), set(state) ^ given
model.load_state_dict(state)

with torch.no_grad():
    xt = values("xt", (BATCH, 3, SIDE, SIDE))
    out = model(xt, torch.tensor([7.0, 431.5], dtype=torch.float64), class_labels=torch.tensor([2, 3])).sample
with open(sys.argv[1], "w") as file:
    json.dump([round(value, 9) for value in out.flatten().tolist()], file)
    file.write("\n")
