import { completeProcess } from '@dit/diffusion'
import { describe, expect, test } from 'vitest'
import { sizeOfRun, startingModel, startingProcess } from '../../src/fine-tune/resolve-start.js'
import { openStartingPoint } from '../../src/fine-tune/starting-point.js'
import type { TrainFlags } from '../../src/settings/train-settings.js'
import { tinyModel } from '../support/tiny-run.js'

const config = { ...tinyModel, inputSize: 8, patchSize: 4 }
const process = completeProcess({ schedule: 'squaredcos_cap_v2', numTimesteps: 50 })
const flow = completeProcess({ kind: 'flow', networkTime: 'towardsData', times: { law: 'uniform', shift: 2 } })
const start = { source: 'runs/a', config, process }

const modelOf = (flags: TrainFlags, of: object = {}) =>
  startingModel(flags, { ...start, config: { ...config, ...of } }, process, { numClasses: 4 })

describe('the network', () => {
  test('is that of the weights, for other classes, another size and dropout', () => {
    expect(modelOf({ size: 16, classDropout: 0.2, hidden: 8 })).toEqual({
      ...config,
      inputSize: 16,
      numClasses: 4,
      classDropout: 0.2,
    })
  })

  test('has channels for a variance as the process needs them; further ones of a flow stay', () => {
    const fixed = completeProcess({ varianceType: 'fixedSmall' })
    expect(startingModel({}, start, fixed, { numClasses: 6 }).learnSigma).toBe(false)
    expect(startingModel({}, { ...start, process: flow }, flow, { numClasses: 6 }).learnSigma).toBe(true)
  })

  test.each<[TrainFlags, string]>([
    [
      { hidden: 32 },
      '--hidden 32: the weights of runs/a fix a hidden size of 8; leave --hidden out, or train from scratch',
    ],
    [{ depth: 2 }, '--depth 2: the weights of runs/a fix a depth of 1; leave --depth out'],
    [{ heads: 4 }, '--heads 4: the weights of runs/a fix attention heads: 2; leave --heads out'],
    [{ patch: 2 }, '--patch 2: the weights of runs/a fix patches of 4 (another patch is another first and last layer)'],
    [{ mlpRatio: 4 }, '--mlp-ratio 4: the weights of runs/a fix an MLP ratio of 2'],
    [{ qkNorm: true }, '--qk-norm: the weights of runs/a fix the blocks; leave --qk-norm out'],
    [
      { model: 'DiT-S/2' },
      '--model DiT-S/2 has a hidden size of 384, but the weights of runs/a fix a hidden size of 8',
    ],
    [{ model: 'DiT-S/3' }, '--model DiT-S/3: it must be one of'],
    [{ size: 10 }, '--size 10 is not a multiple of 4, the patch side of runs/a'],
  ])('is not that of %j', (flags, message) => {
    expect(() => modelOf(flags)).toThrow(message)
  })

  test('of latents is not for pictures, nor for latents of other channels', () => {
    expect(() => modelOf({}, { inChannels: 4 })).toThrow(
      'runs/a was trained on latents of 4 channels, and pictures have 3; make latents of them with `dit encode`',
    )
    const onLatents = (channels: number, inChannels: number) =>
      startingModel({ latents: 'l' }, { ...start, config: { ...config, inChannels } }, process, {
        numClasses: 4,
        latents: { channels, size: 8 },
      })
    expect(onLatents(4, 4).inChannels).toBe(4)
    expect(() => onLatents(4, 3)).toThrow('--latents l: they have 4 channels, but runs/a was trained on pictures')
    expect(() => onLatents(16, 4)).toThrow('they have 16 channels, but runs/a was trained on latents of 4')
  })

  test('that is not square needs a size', () => {
    const wide = { ...start, config: { ...config, inputSize: [8, 16] as const } }
    expect(() => sizeOfRun({}, wide)).toThrow('runs/a is for 8x16, and training pictures are square; give their --size')
    expect(sizeOfRun({ size: 8 }, wide)).toBe(8)
    expect(sizeOfRun({}, start)).toBe(8)
  })
})

describe('the process', () => {
  test('is that of the weights, with what flags change', () => {
    expect(startingProcess({}, start)).toEqual(process)
    expect(startingProcess({ timesteps: 100, loss: 'kl' }, start)).toEqual({
      ...process,
      numTimesteps: 100,
      lossType: 'kl',
    })
    expect(startingProcess({ times: 'logitNormal' }, { ...start, process: flow })).toMatchObject({
      networkTime: 'towardsData',
      times: { law: 'logitNormal', shift: 2 },
    })
  })

  test.each<[TrainFlags, string]>([
    [
      { predict: 'x0' },
      '--predict x0: the final layer of runs/a gives epsilon of a Gaussian diffusion, and would have to give x0 of a Gaussian diffusion; leave --predict out, or begin that layer anew with --reset-output',
    ],
    [{ process: 'flow' }, 'would have to give the velocity of a flow; leave --process out'],
    [{ variance: 'learned' }, '--variance learned: the final layer of runs/a gives a variance as learnedRange'],
  ])('that gives the output another meaning, %j, needs a new final layer', (flags, message) => {
    expect(() => startingProcess(flags, start)).toThrow(message)
    expect(startingProcess({ ...flags, resetOutput: true }, start)).not.toEqual(process)
  })

  test('takes no settings of the other family', () => {
    expect(() => startingProcess({ path: 'vp' }, start)).toThrow('--path works only with --process flow')
    expect(() => startingProcess({ schedule: 'linear' }, { ...start, process: flow })).toThrow(
      '--schedule works only with --process gaussian',
    )
  })
})

test.each<[TrainFlags, string]>([
  [{ lora: 8 }, '--lora works only with --from, the run or weights to begin with'],
  [{ trainOnly: 'final' }, '--train-only works only with --from'],
  [
    { from: 'x', objective: './m.mjs' },
    '--from begins with the weights of a DiT, but --objective brings its own network',
  ],
  [{ from: 'no-such-thing' }, 'no-such-thing: there is no such file or folder'],
])('%j begins from nothing', async (flags, message) => {
  await expect(openStartingPoint(flags)).rejects.toThrow(message)
})

test('without any of its options there is no starting point', async () => {
  expect(await openStartingPoint({ steps: 1 })).toBeNull()
})
