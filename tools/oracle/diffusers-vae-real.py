"""Saves an autoencoder of Stable Diffusion's size with random weights, and what diffusers computes with it.

    python tools/oracle/diffusers-vae-real.py <folder> [side of the image, 256]
    node --conditions=@dit/source --import ./tools/typescript.mjs tools/oracle/compare-vae.ts <folder> [native|wasm]

The second command prints the largest differences and the times of both. The folder takes 335 MB.
"""

import sys
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file


def main(folder: Path, side: int):
    torch.manual_seed(1)
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        sample_size=256,
    ).eval()
    vae.save_pretrained(folder)
    image, z = torch.rand(1, 3, side, side) * 2 - 1, torch.randn(1, 4, side // 8, side // 8)
    seconds = {}
    with torch.no_grad():
        start = time.perf_counter()
        posterior = vae.encode(image).latent_dist
        seconds["encode"] = time.perf_counter() - start
        start = time.perf_counter()
        decoded = vae.decode(z).sample
        seconds["decode"] = time.perf_counter() - start
    expected = {"image": image, "z": z, "mean": posterior.mean, "log_variance": posterior.logvar, "decoded": decoded}
    times = {key: f"{value:.2f}" for key, value in seconds.items()} | {"threads": str(torch.get_num_threads())}
    save_file({key: value.contiguous() for key, value in expected.items()}, folder / "expected.safetensors", times)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 256)
