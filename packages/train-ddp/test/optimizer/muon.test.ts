import { reference, tensor, zeros } from '@dit/tensor'
import { describe, expect, test } from 'vitest'
import { localCommunicators } from '../../../../test/support/local-communicators.js'
import { memoryRunStore, muon, type RunStore, type TrainOptions } from '../../src/index.js'
import { losses, run, stoppingAfter, tinyData, tinyObjective, tinyRecipe } from '../setting.js'

const backend = reference()
const recipe = { ...tinyRecipe, learningRate: 1e-2, maxGradientNorm: null }
const optimizer = muon({ scale: 'matchRms' })
const base: TrainOptions = { objective: tinyObjective, recipe, data: tinyData(), backend, seed: 2, steps: 4, optimizer }

async function expectSame(a: RunStore, b: RunStore): Promise<void> {
  for (const file of ['model', 'ema', 'optimizer']) {
    const path = `checkpoints/step-0000004/${file}.safetensors`
    expect(await a.inspect(path), file).toEqual(await b.inspect(path))
  }
}

describe('muon', () => {
  test('learns, and resumes to the bit', async () => {
    const [whole, broken] = [memoryRunStore(), memoryRunStore()]
    const all = losses(await run({ ...base, store: whole }))
    expect(all.at(-1)!).toBeLessThan(all[0])
    await run({ ...base, store: broken, ...stoppingAfter(2) })
    await run({ ...base, store: broken })
    await expectSame(whole, broken)
  })

  test('does the same where workers hold whole parameters', async () => {
    const storesOf = async (options: Partial<TrainOptions>) => {
      const store = memoryRunStore()
      const one = (communicator: ReturnType<typeof localCommunicators>[number]) =>
        run({ ...base, ...options, communicator, store: communicator.rank === 0 ? store : undefined })
      await Promise.all(localCommunicators(2).map(one))
      return store
    }
    await expectSame(await storesOf({}), await storesOf({ bucketBytes: 512, shardOptimizer: true }))
  })

  test('is not resumed with other settings', async () => {
    const store = memoryRunStore()
    await run({ ...base, store, ...stoppingAfter(2) })
    const other = muon({ scale: 'matchRms', beta: 0.9 })
    await expect(run({ ...base, optimizer: other, store })).rejects.toThrow('beta of the optimizer')
  })

  test('gives matrices to Muon and the rest, by shape or name, to AdamW', async () => {
    const settings = { numSteps: 0, epsilon: 0, beta: 0, nesterov: false }
    const rule = muon({ ...settings, adam: { learningRateFactor: 0.5, epsilon: 0, weightDecay: 0 } })
    const step = { step: 1, learningRate: 0.1, weightDecay: 0, gradientScale: 1 }
    const moved = async (name: string, shape: readonly number[]) => {
      const parameter = zeros(shape, { backend })
      const gradient = tensor(new Float64Array(4).fill(3), shape, { backend })
      const slots = { momentum_buffer: zeros(shape, { backend }), exp_avg_sq: zeros(shape, { backend }) }
      rule.update({ name, parameter, gradient, slots }, step, null)
      return (await parameter.data())[0]
    }
    // Muon: a matrix of norm 1, entries 1 / 2. AdamW: the first step is the learning rate.
    expect(await moved('blocks.0.attn.qkv.weight', [2, 2])).toBeCloseTo(-0.05, 12)
    expect(await moved('blocks.0.attn.qkv.bias', [4])).toBeCloseTo(-0.05, 12)
    expect(await moved('blocks.0.mlp.fc1.weight', [1, 4])).toBeCloseTo(-0.05, 12)
    expect(await moved('blocks.0.mlp.fc1.weight', [4, 1])).toBeCloseTo(-0.1, 12)
    expect(await moved('final_layer.linear.weight', [4, 1])).toBeCloseTo(-0.05, 12)
  })

  test('names what is wrong', () => {
    expect(() => muon({ beta: 1 })).toThrow('muon: beta must be in [0, 1) (got 1)')
    expect(() => muon({ adam: { beta2: -1 } })).toThrow('muon: beta2 must be in [0, 1) (got -1)')
    expect(() => muon({ adam: { epsilon: -1 } })).toThrow('muon: epsilon of adam must be a finite number, 0 or more')
    expect(() => muon({ except: '(' })).toThrow(SyntaxError)
  })
})
