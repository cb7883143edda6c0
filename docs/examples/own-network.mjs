// A network of your own: dit train --objective docs/examples/own-network.mjs --data shapes --size 16
import { normals, randomStream } from '@dit/random'
import { add, conv2d, gather, reshape, silu, tensor } from '@dit/tensor'
import { defineNetwork, denoising } from '@dit/train-ddp'

const WIDTH = 32
const NOISE_LEVELS = 20

/** Three convolutions that know the class and how noisy the picture is. Pictures are [C, H, W]. */
export const convolutions = (numClasses, [C, H, W]) =>
  defineNetwork({
    // Whatever fixes the results: a run resumes exactly only under an equal spec.
    spec: { kind: 'convolutions', width: WIDTH, numClasses, shape: [C, H, W] },
    parameters: {
      'in.weight': { shape: [WIDTH, C, 3, 3] },
      'class.table': { shape: [numClasses, WIDTH] },
      'level.table': { shape: [NOISE_LEVELS, WIDTH] },
      'mid.weight': { shape: [WIDTH, WIDTH, 3, 3] },
      'out.weight': { shape: [C, WIDTH, 3, 3] },
    },
    blocks: 0, // nothing for --recompute to compute twice
    inputShape: [C, H, W],
    outputsPerChannel: 1, // 2 if it also predicts a variance
    init({ seed, backend }) {
      const draw = (name, shape, size) => {
        const count = shape.reduce((a, b) => a * b)
        const values = normals(randomStream(seed, 'init', name), count).map((x) => size * x)
        return tensor(values, shape, { backend })
      }
      return {
        'in.weight': draw('in', [WIDTH, C, 3, 3], 0.2),
        'class.table': draw('class', [numClasses, WIDTH], 0.5),
        'level.table': draw('level', [NOISE_LEVELS, WIDTH], 0.5),
        'mid.weight': draw('mid', [WIDTH, WIDTH, 3, 3], 0.06),
        'out.weight': draw('out', [C, WIDTH, 3, 3], 0.02),
      }
    },
    // Further inputs of the network, read from a training batch.
    conditions: (batch) => batch.arrays.labels.data,
    // `timesteps` is a host array; everything that the network computes with must be a tensor on the engine of xt.
    forward(params, { xt, timesteps, conditions: labels }) {
      const B = xt.shape[0]
      const indices = (values) => tensor(Int32Array.from(values), [B], { backend: xt.backend })
      const levels = Array.from(timesteps, (t) => Math.floor((t / 1000) * NOISE_LEVELS))
      const told = add(gather(params['class.table'], indices(labels)), gather(params['level.table'], indices(levels)))
      const first = conv2d(xt, params['in.weight'], null, { padding: 1 }) // [B, WIDTH, H, W]
      const hidden = silu(add(first, reshape(told, [B, WIDTH, 1, 1])))
      const middle = silu(conv2d(hidden, params['mid.weight'], null, { padding: 1 }))
      return conv2d(middle, params['out.weight'], null, { padding: 1 }) // [B, C, H, W]
    },
  })

// Called with the classes and the shape of the pictures. The network predicts the clean picture.
export const objective = ({ classes, shape }) =>
  denoising(convolutions(classes.length, shape), { meanType: 'x0', varianceType: 'fixedSmall' })
