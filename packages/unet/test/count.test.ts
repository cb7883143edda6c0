import { type Kernels, scope, type View } from '@dit/tensor'
import { expect, test } from 'vitest'
import { countUNet, unetConfig, unetForward } from '../src/index.js'
import { backend, inputs, randomParams, TINY } from './tiny.js'

test('the network of Nichol & Dhariwal for CIFAR-10 has its 52.5 million parameters', () => {
  const config = unetConfig({
    inputSize: 32,
    channels: 128,
    channelMultipliers: [1, 2, 2, 2],
    blocksPerLevel: 3,
    attentionLevels: [1, 2],
    headChannels: 64,
    numClasses: 10,
    learnSigma: true,
  })
  // Theirs knows no classes: without the table of 11 rows of 512.
  expect(countUNet(config).parameters - 11 * 512).toBe(52_546_438)
})

test('multiply-adds are those of the products that a forward pass asks for', () => {
  let counted = 0
  const { kernels } = backend
  const product = ({ shape }: View) => shape.reduce((a, b) => a * b, 1)
  // `reference` composes everything of matmul: its rows and columns times what both have in common.
  const original: Kernels['matmul'] = kernels.matmul.bind(kernels)
  const counting: Kernels['matmul'] = (a, b, transposeA, transposeB, out) => {
    counted += product(out) * a.shape[transposeA ? 1 : 2]
    original(a, b, transposeA, transposeB, out)
  }
  Object.assign(kernels, { matmul: counting })
  try {
    scope(() => {
      unetForward(TINY, randomParams(), inputs)
    })
  } finally {
    Object.assign(kernels, { matmul: original })
  }
  const { multiplyAdds, flops, training } = countUNet(TINY)
  expect(counted).toBe(2 * multiplyAdds) // two pictures
  expect(flops).toBe(2 * multiplyAdds)
  expect(training).toEqual({ multiplyAdds: 3 * multiplyAdds, flops: 6 * multiplyAdds })
})
