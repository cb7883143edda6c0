"""Writes packages/vae/test/fixtures: small autoencoders with random weights, saved by diffusers, and what they compute.

    python tools/oracle/diffusers-vae.py packages/vae/test/fixtures

Needs diffusers, torch and safetensors; made with diffusers 0.42.1 and torch 2.15.0 on the CPU, in float32.

A folder for each configuration holds `config.json` and `diffusion_pytorch_model.safetensors` as diffusers writes them, and
`expected.safetensors` with images, moments of the posterior, a draw from it with its noise, latents and decoded images, tiled
"""

import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file

CASES = {
    # The shape of Stable Diffusion's, narrower: batch of 2, not square.
    "levels": {
        "config": dict(
            block_out_channels=(4, 8, 8, 12), layers_per_block=2, norm_num_groups=4, sample_size=32, latent_channels=4
        ),
        "image": (2, 3, 24, 40),
    },
    # Small tiles, so that a small image has several.
    "tiled": {
        "config": dict(block_out_channels=(4, 8), layers_per_block=1, norm_num_groups=2, sample_size=16, latent_channels=4),
        "image": (1, 3, 16, 16),
        "large": (1, 3, 40, 28),
    },
    # Everything that can be left out is left out; one level, other channels, a shift.
    "bare": {
        "config": dict(
            in_channels=1,
            out_channels=2,
            block_out_channels=(6,),
            layers_per_block=1,
            norm_num_groups=1,
            sample_size=8,
            latent_channels=3,
            scaling_factor=0.3611,
            shift_factor=0.1159,
            use_quant_conv=False,
            use_post_quant_conv=False,
            mid_block_add_attention=False,
        ),
        "image": (1, 1, 9, 7),
    },
}


def build(config):
    kinds = len(config["block_out_channels"])
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * kinds, up_block_types=("UpDecoderBlock2D",) * kinds, **config
    )
    with torch.no_grad():
        for parameter in vae.parameters():  # so that no two norms and no two biases are alike
            parameter.add_(0.1 * torch.randn_like(parameter))
    return vae.eval()


def main(folder: Path):
    for name, case in CASES.items():
        torch.manual_seed(1)
        vae = build(case["config"])
        vae.save_pretrained(folder / name)
        image = torch.rand(case["image"]) * 2 - 1
        expected = {"image": image}
        posterior = vae.encode(image).latent_dist
        expected["mean"], expected["log_variance"] = posterior.mean, posterior.logvar
        expected["noise"] = torch.randn_like(posterior.mean)
        expected["sample"] = posterior.mean + posterior.std * expected["noise"]
        z = torch.randn_like(posterior.mean)
        expected["z"], expected["decoded"] = z, vae.decode(z).sample
        slope = torch.randn_like(expected["decoded"])
        expected["slope"] = slope
        (expected["decoded"] * slope).sum().backward()
        first = "decoder.conv_in.weight"
        expected[f"gradient.{first}"] = vae.get_parameter(first).grad
        (posterior.mean.sum() + posterior.logvar.sum()).backward()
        last = "encoder.conv_in.weight"
        expected[f"gradient.{last}"] = vae.get_parameter(last).grad
        if "large" in case:
            vae.enable_tiling()
            with torch.no_grad():
                large = torch.rand(case["large"]) * 2 - 1
                tiles = vae.encode(large).latent_dist
                z = torch.randn_like(tiles.mean)
                expected |= {"large": large, "large_mean": tiles.mean, "large_log_variance": tiles.logvar}
                expected |= {"large_z": z, "large_decoded": vae.decode(z).sample}
        save_file({key: value.detach().contiguous() for key, value in expected.items()}, folder / name / "expected.safetensors")


if __name__ == "__main__":
    with torch.random.fork_rng():
        main(Path(sys.argv[1]))
