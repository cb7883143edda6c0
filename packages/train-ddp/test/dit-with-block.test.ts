import { type DiTConfig, forward, initParams, parameterShapes } from '@dit/model'
import { adaLN } from '@dit/model/blocks'
import { dispose, randomNormal, randomStream, reference, type Tensor } from '@dit/tensor'
import { dit, ditWithBlock } from '@dit/train-ddp'
import { expect, test } from 'vitest'

const config: DiTConfig = {
  inputSize: 4,
  patchSize: 2,
  inChannels: 1,
  hiddenSize: 8,
  depth: 2,
  numHeads: 2,
  mlpRatio: 2,
  numClasses: 3,
  classDropout: 0.1,
  learnSigma: false,
}

test('blocks that are given are those that run', async () => {
  const backend = reference()
  const own = ditWithBlock(config, 'twice', {
    ...adaLN,
    parameters: (of, numTokens) => ({ ...adaLN.parameters(of, numTokens) }),
    apply: (...told) => adaLN.apply(...told),
  })
  expect(own.spec).toEqual({ kind: 'dit-with-block', block: 'twice', config })
  const plain = dit(config)
  expect(own.parameters).toEqual(plain.parameters)
  const params = own.init({ seed: 3, backend })
  const xt = randomNormal([2, 1, 4, 4], randomStream(0, 'xt'), { backend })
  const inputs = { xt, timesteps: [5, 500], conditions: Int32Array.of(1, 3) }
  const [got, want] = [own, plain].map((network) => network.forward(params, inputs, { recompute: 'block' }))
  expect(await got.data()).toEqual(await want.data())
  dispose([got, want, xt])
  dispose(params)
})

test('a block without parameters of its own names those that are too many', () => {
  const backend = reference()
  const block = { parameters: () => ({}), numScores: () => 0, apply: (x: Tensor) => x }
  expect(Object.keys(parameterShapes(config, block)).some((name) => name.startsWith('blocks.'))).toBe(false)
  const params = initParams(config, { backend })
  const xt = randomNormal([1, 1, 4, 4], randomStream(0, 'xt'), { backend })
  expect(() => forward(config, params, { xt, timesteps: [5], labels: [1] }, { block })).toThrow(
    /^checkParams: the parameters must be those of the configuration \(/,
  )
  dispose(xt)
  dispose(params)
})

test('a configuration that names blocks itself is refused', () => {
  expect(() => ditWithBlock({ ...config, block: 'adaLN' }, 'mine', adaLN)).toThrow(
    new RangeError('ditWithBlock: the configuration names blocks of its own (block: adaLN); leave it out'),
  )
})
