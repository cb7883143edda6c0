"""Writes what diffusers' DDIM and DPM-Solver++ schedulers do, for the tests of @dit/schedules and @dit/sampler.

    python tools/oracle/diffusers-schedulers.py packages/schedules/test/fixtures/diffusers-timesteps.json \
        packages/sampler/test/fixtures/diffusers-schedulers.json

Needs diffusers and torch; made with diffusers 0.42.1 and torch 2.15.0, in float32. The model of the chains is
0.7 tanh(x) + 0.1 sin(t / 100), the same for all prediction types.
"""

import json
import math
import sys

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler

SPACINGS = ("leading", "linspace", "trailing")
COUNTS = (1, 2, 3, 5, 7, 10, 13, 14, 15, 20, 25, 33, 50, 77, 100, 250, 333, 500, 999, 1000)

CHAINS = [
    (DDIMScheduler, dict(clip_sample=False), 10, 0.0),
    (DDIMScheduler, dict(clip_sample=False, set_alpha_to_one=False, steps_offset=1), 7, 0.0),
    (DDIMScheduler, dict(timestep_spacing="trailing", prediction_type="v_prediction"), 7, 0.5),
    (DDIMScheduler, dict(timestep_spacing="linspace", prediction_type="sample", clip_sample_range=0.6), 6, 1.0),
    (DDIMScheduler, dict(beta_schedule="squaredcos_cap_v2", clip_sample=True), 8, 0.0),
    (DDIMScheduler, dict(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, clip_sample=False), 12, 0.0),
    (DPMSolverMultistepScheduler, dict(), 10, 0.0),
    (DPMSolverMultistepScheduler, dict(), 20, 0.0),
    (DPMSolverMultistepScheduler, dict(timestep_spacing="leading", steps_offset=1), 6, 0.0),
    (DPMSolverMultistepScheduler, dict(timestep_spacing="trailing", prediction_type="v_prediction"), 16, 0.0),
    (DPMSolverMultistepScheduler, dict(use_karras_sigmas=True), 9, 0.0),
    (DPMSolverMultistepScheduler, dict(use_karras_sigmas=True, final_sigmas_type="sigma_min"), 17, 0.0),
    (DPMSolverMultistepScheduler, dict(final_sigmas_type="sigma_min", lower_order_final=False), 5, 0.0),
    (DPMSolverMultistepScheduler, dict(final_sigmas_type="sigma_min", euler_at_final=True), 16, 0.0),
    (DPMSolverMultistepScheduler, dict(solver_order=1, prediction_type="sample"), 5, 0.0),
    (
        DPMSolverMultistepScheduler,
        dict(beta_schedule="squaredcos_cap_v2", lambda_min_clipped=-5.1, timestep_spacing="linspace"),
        8,
        0.0,
    ),
    (DPMSolverMultistepScheduler, dict(beta_schedule="squaredcos_cap_v2", use_karras_sigmas=True), 8, 0.0),
]


def numbers(x):
    return [float(value) for value in x.flatten()]


def timesteps():
    cases = []
    for kind, name in ((DDIMScheduler, "ddim"), (DPMSolverMultistepScheduler, "dpm")):
        for spacing in SPACINGS:
            for count in COUNTS:
                scheduler = kind(timestep_spacing=spacing)
                try:
                    scheduler.set_timesteps(count)
                except ValueError:
                    continue
                steps = [int(t) for t in scheduler.timesteps]
                # Long lists as a checksum, which the order and every entry changes.
                text = steps if count <= 25 else sum((i + 1) * t for i, t in enumerate(steps))
                cases.append(dict(sampler=name, spacing=spacing, count=count, timesteps=text, length=len(steps)))
    return cases


def chain(kind, settings, count, eta):
    scheduler = kind(**settings)
    scheduler.set_timesteps(count)
    told = scheduler.timesteps
    if settings.get("use_karras_sigmas") and settings.get("beta_schedule") == "squaredcos_cap_v2":
        # The largest sigma, 20291, is off by 5e-4 in float32, and with it everything that follows: a table in float64.
        t = torch.arange(1001, dtype=torch.float64) / 1000
        share = torch.cos((t + 0.008) / 1.008 * math.pi / 2) ** 2
        scheduler.alphas_cumprod = torch.cumprod(1 - torch.clamp(1 - share[1:] / share[:-1], max=0.999), 0)
    scheduler.set_timesteps(count)
    # Cut to whole numbers by a last bit of float32: the network is told what the library itself would tell it.
    scheduler.timesteps = told
    if kind is DPMSolverMultistepScheduler:
        scheduler.set_begin_index(0)  # else it starts at the second step where the first two share a timestep
    torch.manual_seed(3)
    x = torch.randn(2, 1, 2, 3)
    case = dict(text=scheduler.to_json_string(), numSteps=count, eta=eta, xT=numbers(x), noise=[], xt=[])
    case["timesteps"] = [int(t) for t in scheduler.timesteps]
    for t in scheduler.timesteps:
        output = 0.7 * torch.tanh(x) + 0.1 * math.sin(int(t) / 100)
        extra = {}
        if kind is DDIMScheduler:
            noise = torch.randn_like(x)
            case["noise"].append(numbers(noise))
            extra = dict(eta=eta, variance_noise=noise if eta > 0 else None)
        x = scheduler.step(output, t, x, **extra).prev_sample
        case["xt"].append(numbers(x))
    return case


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file)
        file.write("\n")


if __name__ == "__main__":
    write(sys.argv[1], timesteps())
    write(sys.argv[2], [chain(*each) for each in CHAINS])
