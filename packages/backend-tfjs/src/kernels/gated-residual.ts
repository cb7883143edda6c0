import type { FusedKernels } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import { add, mul } from './arithmetic.js'
import type { Runner } from '../runner.js'

type GatedResidual = Pick<FusedKernels, 'gatedResidual' | 'gatedResidualBackward'>

export function gatedResidualKernels(runner: Runner): GatedResidual {
  return {
    gatedResidual(x, gate, h, out) {
      const [B, , D] = x.shape
      runner.run(out, () => add(runner.read(x), mul(runner.read(h), runner.read(gate, [B, 1, D]))))
    },
    gatedResidualBackward(gate, h, dout, outputs) {
      const [B, , D] = dout.shape
      runner.runAll(outputs, () => {
        const gradient = runner.read(dout)
        return {
          dgate: tf.sum(mul(gradient, runner.read(h)), 1), // [B, D]
          dh: mul(gradient, runner.read(gate, [B, 1, D])), // [B, N, D]
        }
      })
    },
  }
}
