"""Saves a tiny pipeline of diffusers, and the images that it draws, for test/pipeline.test.ts and the tests of the CLI.

    python tools/oracle/diffusers-pipeline.py test/fixtures/pipeline

Needs torch, diffusers, safetensors; made with diffusers 0.42.1 and torch 2.15.0 on the CPU, in float32. Weights are random. The
folder is one that `DiTPipeline.save_pretrained` writes, with a second scheduler beside it (`scheduler-dpm`), and
`expected.safetensors`: the latents that the pipeline starts from, and its images, `[B, H, W, 3]` in 0 .. 1, for each case.
"""

import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel, DPMSolverMultistepScheduler
from safetensors.torch import save_file

LABELS = [3, 998]
CASES = {"ddim_guided": ("ddim", 5, 4.0), "ddim_plain": ("ddim", 7, 1.0), "dpm_guided": ("dpm", 6, 2.5)}
NAMES = {i: f"class {i}" for i in range(1000)}


def main(folder):
    torch.manual_seed(1)
    transformer = DiTTransformer2DModel(
        num_attention_heads=2, attention_head_dim=4, in_channels=4, out_channels=8, num_layers=2, sample_size=4,
        patch_size=2, num_embeds_ada_norm=1000,
    ).eval()  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(4, 8), down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2, layers_per_block=1, norm_num_groups=2, sample_size=8,
    ).eval()  # fmt: skip
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.uniform_(-0.3, 0.3)
        for block in transformer.transformer_blocks[1:]:
            block.norm1.emb.load_state_dict(transformer.transformer_blocks[0].norm1.emb.state_dict())
        for parameter in vae.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    schedulers = {
        "ddim": DDIMScheduler(clip_sample=False),
        "dpm": DPMSolverMultistepScheduler(timestep_spacing="trailing", use_karras_sigmas=False),
    }
    pipeline = DiTPipeline(transformer, vae, schedulers["ddim"])
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(folder)
    schedulers["dpm"].save_pretrained(folder / "scheduler-dpm")

    expected = {}
    for name, (scheduler, steps, scale) in CASES.items():
        pipeline.scheduler = schedulers[scheduler]
        seed = torch.Generator().manual_seed(5)
        images = pipeline(LABELS, scale, generator=seed, num_inference_steps=steps, output_type="np").images
        expected[name] = torch.from_numpy(images).float().contiguous()
    expected["latents"] = torch.randn((len(LABELS), 4, 4, 4), generator=torch.Generator().manual_seed(5))
    save_file(expected, folder / "expected.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
