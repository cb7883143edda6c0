import { type Denoise, denoiser, type PredictAt } from '@dit/diffusion'
import type { Path } from '@dit/schedules'
import {
  type DiffusersPlan,
  diffusersPlan,
  type DiffusersSolve,
  type DiffusersSteps,
  diffusersSampler,
} from '@dit/sampler'
import { add, affine, keep, reshape, sin, slice, type Tensor, zeros } from '@dit/tensor'
import type { Fixture } from '../fixture.js'
import type { Case, Config } from '../manifest.js'
import type { KindRunner, Outcome } from '../outcome.js'

/** Whole trajectories of diffusers' schedulers, and the timesteps alone. */
export const schedulers: KindRunner = async (entry, fixture, outcome) => {
  if (entry.file === undefined) return timestepTables(entry, outcome)
  const { config, facts } = entry
  const json = { _class_name: config.class, ...config.init }
  const planned = diffusersPlan(json)(stepsOf(config))
  const plan = fixture.has('in.timesteps') ? retimed(planned, fixture.timesteps('timesteps')) : planned
  if (fixture.has('in.timesteps')) {
    const told = fixture.timesteps('timesteps')
    const isSame = planned.path.steps.every(({ from }, i) => from.timestep === told[i])
    outcome.fact('timesteps are cut as float32 cuts them', isSame)
  }
  const { path, reading, solve } = plan
  const seen = { timesteps: [] as number[], inputs: [] as Tensor[], outputs: [] as Tensor[], calls: [] as Call[] }
  const denoise = watchedDenoise(denoiser(watched(seen), reading), seen.calls)
  const noise = fixture.has('in.noise') ? recordedNoise(fixture.input('noise')) : undefined
  const start = affine(fixture.input('noise_init'), path.startScale)
  const options = { ...stepOptions(config.step), ...(noise === undefined ? {} : { noise: noise.draw }) }
  const [samples, estimates]: Tensor[][] = [[], []]
  for await (const { xt, x0 } of solve(path, denoise, start, options)) {
    samples.push(keep(reshape(xt, xt.shape)))
    estimates.push(keep(reshape(x0, x0.shape)))
  }
  // What a call leads to is what the next is asked about.
  const reached = [...seen.calls.slice(1).map(({ xt }) => xt), samples.at(-1)!]
  outcome.set('out.timesteps', seen.timesteps)
  outcome.set('out.sigmas', sigmasOf(path, config.class))
  await readAll('out.model_input', seen.inputs, outcome)
  await readAll('out.model_output', seen.outputs, outcome)
  await readAll('out.sample', reached, outcome)
  const perStep = estimates.length === seen.calls.length
  await readAll('out.pred_original_sample', perStep ? estimates : seen.calls.map(({ x0 }) => x0), outcome)
  const { alphaBar } = plan
  if (alphaBar !== null) {
    const stride = Math.max(1, Math.floor(alphaBar.length / 25))
    outcome.set(
      'out.alphas_cumprod',
      alphaBar.filter((_, i) => i % stride === 0),
    )
    outcome.set('out.alphas_cumprod_last', alphaBar.slice(-1))
  }
  outcome.fact(
    `${facts.model_calls} calls of the network (got ${seen.calls.length})`,
    facts.model_calls === seen.calls.length,
  )
  const drawn = noise?.drawn() ?? 0
  outcome.fact(`${facts.noise_draws} draws (got ${drawn})`, facts.noise_draws === drawn)
  const scale = facts.init_noise_sigma as number
  outcome.fact(`initial sigma ${scale} (got ${path.startScale})`, Math.abs(path.startScale / scale - 1) < 1e-5)
  await throughFolder(entry, fixture, samples.at(-1)!, outcome)
}

interface Call {
  readonly xt: Tensor
  readonly x0: Tensor
}

/** f(x, t) = 0.8 x + 0.3 sin(2 x + t / 200), the cases' stand-in for a network. */
const stand: PredictAt = (x, timesteps) => add(affine(x, 0.8), affine(sin(affine(x, 2, timesteps[0] / 200)), 0.3))

function watched(seen: { timesteps: number[]; inputs: Tensor[]; outputs: Tensor[] }): PredictAt {
  return (x, timesteps) => {
    const output = stand(x, timesteps)
    seen.timesteps.push(timesteps[0])
    seen.inputs.push(keep(reshape(x, x.shape)))
    seen.outputs.push(keep(reshape(output, output.shape)))
    return output
  }
}

function watchedDenoise(denoise: Denoise, calls: Call[]): Denoise {
  return (xt, level, step, seen) => {
    const found = denoise(xt, level, step, seen)
    const shown = seen?.xt ?? xt
    calls.push({ xt: keep(reshape(shown, shown.shape)), x0: keep(reshape(found.x0, found.x0.shape)) })
    return found
  }
}

/** Draws in the order of use, whatever the step. */
function recordedNoise(noise: Tensor) {
  let count = 0
  return { draw: () => reshape(slice(noise, 0, count++, 1), noise.shape.slice(1)), drawn: () => count }
}

function stepsOf({ num_inference_steps: numSteps, set_timesteps: more, step }: Config): DiffusersSteps {
  const usesClippedModelOutput = step?.use_clipped_model_output as boolean | undefined
  return { numSteps, ...more, ...(usesClippedModelOutput === undefined ? {} : { usesClippedModelOutput }) }
}

function stepOptions(step: Config): DiffusersSolve {
  const names: Record<string, string> = {
    s_churn: 'churn',
    s_tmin: 'churnMin',
    s_tmax: 'churnMax',
    s_noise: 'churnNoise',
  }
  // That one belongs to the steps.
  const own = Object.entries(step as object).filter(([name]) => name !== 'use_clipped_model_output')
  return Object.fromEntries(own.map(([name, value]) => [names[name] ?? name, value]))
}

/** With other timesteps for the network, where float32 cut them elsewhere than float64. */
function retimed(plan: DiffusersPlan, timesteps: ArrayLike<number>): DiffusersPlan {
  const levels = plan.path.steps.map(({ from }, i) => ({ ...from, timestep: timesteps[i] }))
  const steps = levels.map((from, i) => ({ from, to: levels[i + 1] ?? plan.path.steps[i].to }))
  return { ...plan, path: { ...plan.path, steps } }
}

/** As the scheduler keeps them: sigma / alpha, but of a flow sigma itself; twice where there are two calls a step. */
function sigmasOf({ steps }: Path, name: string): number[] {
  const levels = [...steps.map(({ from }) => from), steps.at(-1)!.to]
  const sigmas = levels.map(({ alpha, sigma, t }) => (t === undefined ? sigma / alpha : sigma))
  const isTwice = name.includes('Heun')
  return sigmas.flatMap((sigma, i) => (isTwice && i > 0 && i < sigmas.length - 1 ? [sigma, sigma] : [sigma]))
}

/** The folder's reader samples the same from unit noise. */
async function throughFolder({ config }: Case, fixture: Fixture, want: Tensor, outcome: Outcome): Promise<void> {
  if (fixture.has('in.timesteps')) return
  const sample = diffusersSampler({ _class_name: config.class, ...config.init })
  const noise = fixture.has('in.noise') ? { noise: recordedNoise(fixture.input('noise')).draw } : {}
  const steps = { ...stepsOf(config), ...stepOptions(config.step) }
  let last: Tensor | null = null
  for await (const { xt } of sample(stand, fixture.input('noise_init'), { ...steps, ...noise })) last = xt
  const [got, expected] = [await last!.data(), await want.data()]
  outcome.fact(
    'the folder reader samples as the plan',
    got.every((value, i) => value === expected[i]),
  )
}

/** Every timestep that the network is told, for each entry. */
async function timestepTables({ facts }: Case, outcome: Outcome): Promise<void> {
  for (const { class: name, init, num_inference_steps: numSteps, set_timesteps: more, timesteps } of facts) {
    const { path, reading, solve } = diffusersPlan({ _class_name: name, ...init })({ numSteps, ...more })
    const told: number[] = []
    const denoise = denoiser((x, [timestep]) => (told.push(timestep), affine(x, 0.5)), reading)
    for await (const step of solve(path, denoise, zeros([1, 1, 1, 1]), { noise: (_, shape) => zeros(shape) })) void step
    const isSame =
      told.length === timesteps.length && told.every((each, i) => Math.abs(each - timesteps[i]) <= 1e-6 * 1000)
    outcome.fact(`${name} ${JSON.stringify(init)} in ${numSteps}: ${timesteps} (got ${told})`, isSame)
  }
}

async function readAll(name: string, tensors: readonly Tensor[], outcome: Outcome): Promise<void> {
  const all: number[] = []
  for (const tensor of tensors) for (const value of await tensor.data()) all.push(value)
  outcome.set(name, all)
}
