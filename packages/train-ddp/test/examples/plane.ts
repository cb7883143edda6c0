// The first example of the package's README, word for word: here it is type-checked, and tests train its objective.
import { normals, randomStream, uniforms } from '@dit/random'
import { greater, linear, mean, reference, sigmoid, square, sub, tensor } from '@dit/tensor'
import { batchTensor, defineObjective, memoryRunStore, smallRecipe, train, wholeBatches } from '@dit/train-ddp'

// Points of the plane, and 1 for those that lie in a circle.
const data = wholeBatches(async (step) => {
  const points = uniforms(randomStream(1, 'points', step), 2 * 64).map((u) => 4 * u - 2)
  const inside = new Float32Array(64).map((_, i) => {
    return Math.hypot(points[2 * i], points[2 * i + 1]) < 1.4 ? 1 : 0
  })
  return { count: 64, arrays: { points: { data: points, shape: [2] }, inside: { data: inside, shape: [1] } } }
})

// A network with one hidden layer, and the loss that it minimises.
export const objective = defineObjective({
  spec: { kind: 'circle', hidden: 32 },
  parameters: {
    'hidden.weight': { shape: [32, 2] },
    'hidden.bias': { shape: [32] },
    'out.weight': { shape: [1, 32] },
    'out.bias': { shape: [1] },
  },
  terms: ['loss', 'wrong'],
  init({ seed, backend }) {
    const draw = [64, 32, 32].map((size, i) => normals(randomStream(seed, 'init', i), size))
    return {
      'hidden.weight': tensor(draw[0], [32, 2], { backend }),
      'hidden.bias': tensor(draw[1], [32], { backend }),
      'out.weight': tensor(draw[2], [1, 32], { backend }),
      'out.bias': tensor([0], [1], { backend }),
    }
  },
  losses(params, batch, _, { backend }) {
    const points = batchTensor(batch, 'points', backend) // [B, 2]
    const inside = batchTensor(batch, 'inside', backend) // [B, 1]
    const hidden = linear(points, params['hidden.weight'], params['hidden.bias'], { activation: 'gelu' })
    const chance = sigmoid(linear(hidden, params['out.weight'], params['out.bias'])) // [B, 1]
    const error = square(sub(chance, inside))
    const wrong = greater(error, tensor([0.25], [1, 1], { backend }))
    return { loss: mean(error, [1]), wrong: mean(wrong, [1]) }
  },
})

const recipe = { ...smallRecipe, learningRate: 0.05, warmupSteps: 10 }
const store = memoryRunStore() // folderRunStore('runs/circle') from '@dit/train-ddp/node' keeps it on disk
for await (const event of train({ objective, recipe, data, backend: reference(), seed: 0, steps: 300, store })) {
  if (event.type !== 'step' || event.record.step % 100 !== 0) continue
  console.log('step', event.record.step, 'wrong', `${Math.round(100 * Number(event.record.wrong))} %`)
}
console.log('kept', ...(await store.list('checkpoints')))
