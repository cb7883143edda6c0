import type { RequiredKernels } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import type { Runner } from '../runner.js'
import { moved } from '../webgpu/integers.js'
import { permuted } from './permute.js'

type Indexing = Pick<RequiredKernels, 'permute' | 'slice' | 'concat' | 'gather' | 'scatterAdd'>

export function indexingKernels(runner: Runner): Indexing {
  return {
    permute(x, axes, out) {
      runner.run(out, () => moved([runner.read(x)], ([x]) => permuted(x, axes)))
    },
    slice(x, starts, out) {
      runner.run(out, () => moved([runner.read(x)], ([x]) => tf.slice(x, [...starts], [...out.shape])))
    },
    concat(xs, axis, out) {
      runner.run(out, () =>
        moved(
          xs.map((x) => runner.read(x)),
          (xs) => tf.concat(xs, axis),
        ),
      )
    },
    gather(table, indices, out) {
      runner.run(out, () => tf.gather(runner.read(table), runner.read(indices)))
    },
    scatterAdd(indices, updates, out) {
      runner.run(out, () =>
        tf.scatterND(runner.read(indices, [indices.shape[0], 1]), runner.read(updates), [...out.shape]),
      )
    },
  }
}
