import { distilledPath, processFromSpec, type ProcessSpec } from '@dit/diffusion'
import { type DiTConfig, forward } from '@dit/model'
import { ddim, startNoise } from '@dit/sampler'
import { dispose, reference, type Tensor } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { lastSamples, openPipeline, type SampleOptions } from '../../src/index.js'
import { movedParams, tinyNetwork } from '../support/tiny-models.js'

const backend = reference()
const scaled: DiTConfig = { ...tinyNetwork, guidanceRange: [1, 3] }
const distilled = { startSteps: 16, numSteps: 4 }
const PROCESSES: readonly ProcessSpec[] = [
  { kind: 'flow', distilled },
  { schedule: 'squaredcos_cap_v2', numTimesteps: 100, meanType: 'x0', varianceType: 'fixedSmall', distilled },
]

async function open(network: DiTConfig, process: ProcessSpec) {
  const params = movedParams(network, backend)
  return openPipeline({ network, process, params, classNames: ['a', 'b', 'c'], name: 'tiny' }, { backend })
}

test.each(PROCESSES)('walks its own path by itself: %o', async (process) => {
  const pipeline = await open(scaled, process)
  const { params } = pipeline
  const options = { labels: [0, 2], seed: 3, guidance: 2.5 }
  const found = await lastSamples(pipeline.sample(options))

  const known = processFromSpec(process)
  const path = distilledPath(known, distilled)
  expect(path.steps).toHaveLength(4)
  const denoise = known.denoiser(
    (xt, timesteps) => forward(scaled, params, { xt, timesteps, labels: [0, 2], guidance: [2.5, 2.5] }),
    { clipRange: 1 },
  )
  const xT = startNoise([2, 3, 4, 4], { seed: 3, firstSample: 0, backend })
  let last: Tensor | null = null
  for await (const { xt } of ddim(path, denoise, xT)) last = xt
  expect(found).toEqual(Float32Array.from(await last!.data()))

  const again = await lastSamples(pipeline.sample({ ...options, steps: 4, batchSize: 1 }))
  expect(again).toEqual(found)
  expect(await lastSamples(pipeline.sample({ ...options, guidance: 1 }))).not.toEqual(found)
  expect(await lastSamples(pipeline.sample({ labels: [0, 2], seed: 3 }))).toEqual(
    await lastSamples(pipeline.sample({ ...options, guidance: 1 })),
  )
  dispose(params)
})

describe('refuses what it has not learned', () => {
  const asked = async (network: DiTConfig, process: ProcessSpec, options: SampleOptions) => {
    const pipeline = await open(network, process)
    return lastSamples(pipeline.sample({ labels: [0], ...options }))
  }
  const [flow, gaussian] = PROCESSES
  test.each<[ProcessSpec, SampleOptions, string]>([
    [flow, { steps: 8 }, 'steps 8 must be 4, because tiny is a student of 4 steps'],
    [flow, { sampler: 'heun' }, 'sampler heun must be euler, because tiny is a student of 4 steps'],
    [gaussian, { sampler: 'ddpm' }, 'sampler ddpm must be ddim, because tiny is a student of 4 steps'],
    [gaussian, { spacing: 'trailing' }, 'spacing cannot be chosen, because tiny is a student of 4 steps'],
    [gaussian, { eta: 1 }, 'eta cannot be chosen, because tiny is a student of 4 steps'],
    [flow, { guidance: 4 }, 'guidance 4 must be 1 to 3, the scales that tiny has learned'],
    [
      flow,
      { guidance: 2, nullClass: 3 },
      'nullClass cannot be chosen, because tiny takes the scale of guidance as an input',
    ],
    [flow, { guidance: 2, guidanceInterval: [0, 1] }, 'guidanceInterval cannot be chosen'],
  ])('%o', async (process, options, message) => {
    await expect(asked(scaled, process, options)).rejects.toThrow(message)
  })

  test('guidance beside that in its weights', async () => {
    await expect(asked(tinyNetwork, flow, { guidance: 2 })).rejects.toThrow(
      'guidance 2 must be 1, because tiny has guidance in its weights',
    )
    expect(await asked(tinyNetwork, flow, {})).toHaveLength(48)
  })
})

test('a network that takes the scale needs no student', async () => {
  const pipeline = await open(scaled, { kind: 'flow' })
  const [low, high] = await Promise.all(
    [1, 3].map((guidance) => lastSamples(pipeline.sample({ labels: [0], steps: 2, sampler: 'heun', guidance }))),
  )
  expect(low).not.toEqual(high)
})
