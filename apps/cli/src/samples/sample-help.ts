/** What `dit sample --help` says after the options: examples, and when to use which sampler and spacing. */
export const SAMPLE_HELP = `
Examples:
  dit sample
  dit sample @dit/pretrained/heroes --classes elf,troll --count 8
  dit sample runs/shapes
  dit sample runs/shapes --classes disc,cross --count 8 --guidance 2 --out some.png
  dit sample runs/shapes/checkpoints/step-0002000 --sampler ddim --steps 25
  dit sample runs/shapes --total 50000 --npz shapes.npz
  dit sample runs/shapes --image sketch.png --strength 0.7 --classes disc
  dit sample DiT-XL-2-256 --classes 'golden retriever,balloon' --guidance 4 --steps 25
  dit sample DiT-XL-2-512x512.pt --vae sd-vae-ft-ema --classes 207,417 --sampler dpm --steps 20
  dit sample DiT-XL-2-256x256.pt --half f16 --classes 207 --count 1 --guidance 4 --latents dog.npz
  dit sample SiT-XL-2-256.pt --process flow --vae sd-vae-ft-ema --classes 207 --guidance 4 --steps 25
  dit sample SiT-XL-2-256.pt --process flow --vae sd-vae-ft-ema --classes 207 --sampler sde --steps 250

Stopped? With --npz, --singles, --latents or --trajectory the same command goes on where it was and ends with
the same bytes. It refuses other settings or weights; --force begins anew. The grid alone is not kept.

Samplers, by number of steps (docs/choosing.md has measurements). A call is one evaluation of the network:
  up to 10      unipc: second order, one call per step
  10 to 25      unipc, dpmpp-2m, deis, dpmpp-2s: second order, one call per step
                dpmpp-3m: third order; from 15 steps, without strong guidance
  25 and more   euler-a, dpmpp-2m-sde, dpmpp-3m-sde: add fresh noise in every step, which hides errors of
                the network
  50            euler, lms: add no noise, so a seed keeps its picture
Only for a Gaussian diffusion:
  ddpm          fresh noise in every step, as in the DDPM paper; 50 steps and more (default)
  ddim          euler, with noise set by --eta; 50 steps
  dpm, plms     dpmpp-2m and PNDM with the step layout of diffusers, to reproduce its pictures
Only for a flow:
  midpoint      second order, two calls per step; 4 to 25 steps (default)
  rk4, dopri5   four calls per step and more; dopri5 chooses its own steps. For likelihoods and comparisons
  sde           fresh noise in every step; 50 steps and more
  heun-sde      the same, second order, two calls per step
heun is second order with two calls per step: from 10 steps for a flow, from 40 for a Gaussian diffusion.
On a flow, dpmpp-*, unipc, deis and lms divide by the signal. They start at t = 0.999, where the noise is 999
times as strong.

Spacings of a Gaussian diffusion: trailing starts at pure noise, leading does not. exponential (equal steps in
the log of noise over signal) is the most exact from 12 steps; karras lies between. beta is for models that
end at low noise.

SiT: its weights have the tensor names of a DiT. Training checkpoints of SiT say that they are a flow; for bare
weights give --process flow, and --path and --predict if they are not linear and velocity. Without --process
flow they are sampled as a diffusion, and the pictures are wrong. num_steps of SiT is --steps for sde and
heun-sde; for other samplers it counts points, one more than --steps.

Without a model: @dit/pretrained/heroes, which comes with dit, two pictures a class. For models of @dit/pretrained
--guidance, and --sampler with --steps, are those that suit them. \`dit demo\` trains a model of your own.`
