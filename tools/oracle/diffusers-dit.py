"""Tiny DiTs that diffusers and torch save, and what they compute, for the tests of @dit/model and the CLI.

    python tools/oracle/diffusers-dit.py packages/model/test/fixtures/layouts

Needs torch, diffusers, safetensors. Writes

    diffusers/      a folder by save_pretrained, float32
    sharded/        the same weights in float16 over several safetensors files with an index
    bin/            the same in bfloat16 over several .bin files with an index
    fused.safetensors   one block with attention fused
    state.pt        the same weights as a training script saves them, under official names: ema, model, opt, args; names of `model` with
                    "module." before each
    expected.safetensors    an input and what diffusers computes for it, with its own weights and after a trip through float16

Weights are random, and the embedders, of which diffusers keeps one in each block, the same in all, as converted models have them.
"""

import argparse
import json
import os
import sys

import torch
from diffusers import DiTTransformer2DModel
from safetensors.torch import save_file

SIZES = dict(
    num_attention_heads=2, attention_head_dim=4, in_channels=4, out_channels=8, num_layers=2, sample_size=4, patch_size=2,
    num_embeds_ada_norm=3,
)  # fmt: skip


def make(layers, seed):
    torch.manual_seed(seed)
    model = DiTTransformer2DModel(**(SIZES | {"num_layers": layers})).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.uniform_(-0.5, 0.5)
        for block in model.transformer_blocks[1:]:
            block.norm1.emb.load_state_dict(model.transformer_blocks[0].norm1.emb.state_dict())
    return model


def through(model, dtype):
    """Weights rounded to `dtype`; the position table, which is no weight, stays as it is."""
    table = model.pos_embed.pos_embed.clone()
    model.to(dtype).float()
    model.pos_embed.pos_embed = table
    return model


def official(model):
    """The official names, as the conversion script of diffusers reads them, the other way round."""
    state = model.state_dict()
    out = {"pos_embed": model.pos_embed.pos_embed.clone()}

    def take(ours, theirs):
        for kind in ("weight", "bias"):
            if f"{theirs}.{kind}" in state:
                out[f"{ours}.{kind}"] = state[f"{theirs}.{kind}"]

    emb = "transformer_blocks.0.norm1.emb"
    take("x_embedder.proj", "pos_embed.proj")
    take("t_embedder.mlp.0", f"{emb}.timestep_embedder.linear_1")
    take("t_embedder.mlp.2", f"{emb}.timestep_embedder.linear_2")
    take("y_embedder.embedding_table", f"{emb}.class_embedder.embedding_table")
    for i in range(len(model.transformer_blocks)):
        ours, theirs = f"blocks.{i}", f"transformer_blocks.{i}"
        for kind in ("weight", "bias"):
            out[f"{ours}.attn.qkv.{kind}"] = torch.cat([state[f"{theirs}.attn1.to_{part}.{kind}"] for part in "qkv"])
        take(f"{ours}.attn.proj", f"{theirs}.attn1.to_out.0")
        take(f"{ours}.mlp.fc1", f"{theirs}.ff.net.0.proj")
        take(f"{ours}.mlp.fc2", f"{theirs}.ff.net.2")
        take(f"{ours}.adaLN_modulation.1", f"{theirs}.norm1.linear")
    take("final_layer.linear", "proj_out_2")
    take("final_layer.adaLN_modulation.1", "proj_out_1")
    return out


def main(folder):
    os.makedirs(folder, exist_ok=True)
    path = lambda *names: os.path.join(folder, *names)
    model = make(2, seed=0)
    generator = torch.Generator().manual_seed(1)
    # Timesteps below 32: diffusers forms their features in float32, whose error grows with them.
    x = torch.randn(3, 4, 4, 4, generator=generator)
    t, y = torch.tensor([0, 7, 31]), torch.tensor([0, 2, 3])
    run = lambda model: model(x, timestep=t, class_labels=y).sample.contiguous()

    model.save_pretrained(path("diffusers"))
    make(2, seed=0).half().save_pretrained(path("sharded"), max_shard_size="6KB")
    make(2, seed=0).bfloat16().save_pretrained(path("bin"), max_shard_size="8KB", safe_serialization=False)
    fused = make(1, seed=2)
    with torch.no_grad():
        for block in fused.transformer_blocks:
            block.attn1.fuse_projections()
    save_file(fused.state_dict(), path("fused.safetensors"))

    weights = official(model)
    names = dict(model="DiT-XL/2", image_size=256, num_classes=3, global_seed=0)
    save = {
        "model": {f"module.{name}": torch.zeros_like(value, dtype=torch.float16) for name, value in weights.items()},
        "ema": weights,
        "opt": {"state": {}, "param_groups": [{"lr": 1e-4, "params": list(range(len(weights)))}]},
        "args": argparse.Namespace(**names),
    }
    torch.save(save, path("state.pt"))

    with torch.no_grad():
        outputs = {"out": run(model), "half": run(through(make(2, seed=0), torch.float16)), "fused": run(fused)}
        outputs["bf16"] = run(through(make(2, seed=0), torch.bfloat16))
    save_file({"x": x, "t": t.int(), "y": y.int(), **outputs}, path("expected.safetensors"))
    for name in ("diffusers", "sharded", "bin"):
        config = json.load(open(path(name, "config.json")))
        assert "/" not in json.dumps(config), "a path in config.json"


main(sys.argv[1])
