import type { Activation, FusedKernels } from '@dit/tensor'
import * as tf from '@tensorflow/tfjs-core'
import type { Runner, SavedTensors } from '../runner.js'
import { gelu, geluSlope, silu, siluSlope } from './activation.js'
import { multiply } from './product.js'
import { sumRows } from './reduce.js'
import { transposed } from './permute.js'

const functions = { gelu, silu }
const slopes = { gelu: geluSlope, silu: siluSlope }

export function linearKernels(runner: Runner): Pick<FusedKernels, 'linear' | 'linearBackward'> {
  return {
    linear(x, weight, bias, activation, out, keep) {
      let saved: SavedTensors | null = null
      runner.run(out, () => {
        const rows = runner.read(x)
        const sum = multiply(rows, transposed(runner.read(weight)), bias && runner.read(bias))
        if (activation === 'none') return sum
        if (keep) saved = runner.save([sum])
        return functions[activation](sum)
      })
      return saved
    },
    linearBackward(x, weight, activation, saved, dout, outputs) {
      runner.runAll(outputs, () => {
        const dsum = throughActivation(activation, saved as SavedTensors | null, runner.read(dout)) // [M, O]
        return {
          ...(outputs.dx && { dx: multiply(dsum, runner.read(weight)) }), // [M, K]
          ...(outputs.dweight && { dweight: multiply(transposed(dsum), runner.read(x)) }), // [O, K]
          ...(outputs.dbias && { dbias: tf.reshape(sumRows(dsum), [dsum.shape[1]!]) }), // [O]
        }
      })
    },
  }
}

function throughActivation(activation: Activation, saved: SavedTensors | null, dout: tf.Tensor): tf.Tensor {
  return activation === 'none' ? dout : tf.mul(dout, slopes[activation](saved!.tensors[0]))
}
