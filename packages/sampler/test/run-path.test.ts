import { gaussianProcess } from '@dit/diffusion'
import { reshape, type Tensor } from '@dit/tensor'
import { expect, test } from 'vitest'
import { ddim, ddpm, lastStep, type SamplerStep } from '../src/index.js'
import { half } from './models.js'
import { backend, buffersLeft, draws, numbers } from '../../diffusion/test/tensors.js'

const process = gaussianProcess({ respacing: '5', varianceType: 'fixedLarge' })
const { diffusion } = process
const xT = draws([2, 1, 2, 2], 'xT')
const steps = (signal?: AbortSignal) => ddpm(diffusion, half, xT, { seed: 0, signal })

test('yields every step, from the noisiest to t = 0', async () => {
  const seen: { index: number; timestep: number }[] = []
  for await (const { index, numSteps, timestep, xt, x0 } of steps()) {
    expect(numSteps).toBe(5)
    expect([xt.shape, x0.shape]).toEqual([xT.shape, xT.shape])
    seen.push({ index, timestep })
  }
  expect(seen.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4])
  expect(seen.map(({ timestep }) => timestep)).toEqual([999, 749, 500, 250, 0])
})

test('holds a step until the next one, and leaves the last one to the caller', async () => {
  const all: SamplerStep[] = []
  for await (const step of steps()) {
    expect(step.xt.isAlive && step.x0.isAlive).toBe(true)
    all.push(step)
    for (const earlier of all.slice(0, -1)) expect(earlier.xt.isAlive || earlier.x0.isAlive).toBe(false)
  }
  const last = all.at(-1)!
  expect(last.xt.isAlive && last.x0.isAlive).toBe(true)
  expect(xT.isAlive).toBe(true)
})

test('lets a caller hold on to a step with a handle of its own', async () => {
  let kept: Tensor | undefined
  let values: number[] = []
  for await (const { index, xt } of steps()) {
    if (index !== 1) continue
    kept = reshape(xt, xt.shape)
    values = await numbers(xt)
  }
  expect(await numbers(kept!)).toEqual(values)
})

test('holds no more buffers at the last step than at the second', async () => {
  const counts: number[] = []
  for await (const step of steps()) {
    counts.push(backend.memory().buffers)
    if (step.index === step.numSteps - 1) step.xt.dispose()
  }
  expect(counts.slice(1)).toEqual(new Array(4).fill(counts[1]))
})

test('frees everything when the loop is left early or the caller fails in it', async () => {
  const leave = async () => {
    for await (const { index } of steps()) if (index === 2) break
  }
  expect(await buffersLeft(leave)).toBe(0)
  const fail = async () => {
    for await (const { index } of steps()) if (index === 2) throw new Error('caller')
  }
  expect(await buffersLeft(() => expect(fail()).rejects.toThrow('caller'))).toBe(0)
})

test('frees everything when the model fails', async () => {
  const denoise = process.denoiser((xt, timesteps) => {
    if (timesteps[0] === 500) throw new Error('model')
    return half(xt, timesteps)
  })
  const failing = ddim(process.path(), denoise, xT)
  expect(await buffersLeft(() => expect(lastStep(failing)).rejects.toThrow('model'))).toBe(0)
})

test("throws the signal's reason and frees everything when stopped", async () => {
  const controller = new AbortController()
  const run = async () => {
    for await (const { index } of steps(controller.signal)) if (index === 2) controller.abort(new Error('enough'))
  }
  expect(await buffersLeft(() => expect(run()).rejects.toThrow('enough'))).toBe(0)
})

test('does not run at all once stopped', async () => {
  let calls = 0
  const denoise = process.denoiser((xt) => ((calls += 1), xt))
  const stopped = ddim(process.path(), denoise, xT, { signal: AbortSignal.abort() })
  await expect(lastStep(stopped)).rejects.toThrow(/aborted/)
  expect(calls).toBe(0)
})

test('lets timers have their turn between two steps', async () => {
  const controller = new AbortController()
  setTimeout(() => controller.abort(new Error('time is up')), 0)
  const whole = gaussianProcess({ varianceType: 'fixedLarge' })
  const long = ddim(whole.path(), whole.denoiser(half), xT, { signal: controller.signal })
  await expect(lastStep(long)).rejects.toThrow('time is up')
})

test('hands back the last xt alone', async () => {
  let last: number[] = []
  for await (const { xt } of steps()) last = await numbers(xt)
  const before = backend.memory().buffers
  const xt = await lastStep(steps())
  expect(await numbers(xt)).toEqual(last)
  expect(backend.memory().buffers).toBe(before + 1)
})

test('refuses to hand back the end of nothing', async () => {
  async function* nothing(): AsyncGenerator<SamplerStep, void, void> {}
  await expect(lastStep(nothing())).rejects.toThrow(
    new RangeError('lastStep: there must be at least one step (got none)'),
  )
})
