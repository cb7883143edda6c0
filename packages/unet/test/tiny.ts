import { type Params, randomNormal, randomStream, reference } from '@dit/tensor'
import { unetConfig, unetParameterShapes } from '../src/index.js'

export const backend = reference()

/** Two levels, one block each; pictures of 4 x 8. */
export const TINY = unetConfig({
  inputSize: [4, 8],
  inChannels: 1,
  channels: 4,
  channelMultipliers: [1, 2],
  blocksPerLevel: 1,
  headChannels: 4,
  numGroups: 2,
  numClasses: 3,
})

/** Without zeros, so that every path counts. */
export function randomParams(config = TINY): Params {
  return Object.fromEntries(
    Object.entries(unetParameterShapes(config)).map(([name, shape]) => [
      name,
      randomNormal(shape, randomStream(1, name), { backend }),
    ]),
  )
}

export const inputs = {
  xt: randomNormal([2, 1, 4, 8], randomStream(2, 'xt'), { backend }),
  timesteps: [3, 700.5],
  labels: [0, 3],
}
