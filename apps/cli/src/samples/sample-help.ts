/** What `dit sample --help` says after the options: examples, and which sampler and spacing to use when. */
export const SAMPLE_HELP = `
Examples:
  dit sample --run runs/shapes
  dit sample --run runs/shapes --classes disc,cross --count 8 --guidance 2 --out some.png
  dit sample --checkpoint runs/shapes/checkpoints/step-0002000 --sampler ddim --steps 25
  dit sample --run runs/shapes --count 1000 --npz shapes.npz --quiet
  dit sample --weights DiT-XL-2-256 --classes 'golden retriever,balloon' --guidance 4 --steps 25
  dit sample --weights DiT-XL-2-512x512.pt --vae sd-vae-ft-ema --classes 207,417 --sampler dpm --steps 20
  dit sample --weights DiT-XL-2-256x256.pt --half f16 --classes 207 --count 1 --guidance 4 --latents dog.npz
  dit sample --weights SiT-XL-2-256.pt --process flow --vae sd-vae-ft-ema --classes 207 --guidance 4 --steps 25
  dit sample --weights SiT-XL-2-256.pt --process flow --vae sd-vae-ft-ema --classes 207 --sampler sde --steps 250

Samplers, by the number of steps that suits them (docs/choosing.md has what was measured):
  up to 10      unipc: second order, one call of the network a step
  10 to 25      unipc, dpmpp-2m, deis, dpmpp-2s: second order, one call a step
                dpmpp-3m: third order, from 15 steps on and without strong guidance
  25 and more   euler-a, dpmpp-2m-sde, dpmpp-3m-sde: fresh noise in every step, which forgives errors of the network
  50            euler, lms: no noise after the start, so that a seed keeps its picture
For a Gaussian diffusion only:
  ddpm          fresh noise in every step, as in the paper; for 50 steps and more (default)
  ddim          euler with --eta; for 50 steps
  dpm, plms     dpmpp-2m and PNDM's as diffusers lays them out; pictures as others made them
For a flow only:
  midpoint      second order, two calls a step; for 4 to 25 steps (default)
  rk4, dopri5   four and more calls a step, dopri5 with steps of its own choice; for likelihoods and comparisons
  sde           fresh noise in every step; for 50 steps and more. heun-sde: second order, two calls a step
                Both have --diffusion-form and --last-step
heun has second order and two calls a step: for a flow from 10 steps, for a Gaussian diffusion from 40 on.
On a flow dpmpp-*, unipc, deis and lms divide by the signal: they begin at t = 0.999, where noise is 999 times as strong.

Spacings of a Gaussian diffusion: trailing begins at pure noise, leading does not; exponential, equal steps of the log of noise over
signal, comes nearest to the exact solution from 12 steps on; karras lies between; beta is for models whose noise ends low.

Weights of SiT have the names of a DiT's. A training checkpoint of SiT says what it is; for bare weights give --process flow,
with --path and --predict where they are not linear and velocity. Otherwise they are sampled as a diffusion, to wrong pictures.
SiT's num_steps is --steps for sde and heun-sde, which count the last step too; for the others it counts points: one more.

Without a run to sample from: npm run demo (dit demo) trains a small one.`
