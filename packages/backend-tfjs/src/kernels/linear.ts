import type { FusedKernels } from '@dit/tensor'
import { mul } from './arithmetic.js'
import type { Runner, SavedTensors } from '../runner.js'
import { gelu, geluAndSlope, silu, siluAndSlope } from './activation.js'
import { multiply, multiplyByTransposed, multiplyTransposed } from './product.js'

const functions = { gelu, silu }
const functionsAndSlopes = { gelu: geluAndSlope, silu: siluAndSlope }

/** Letters: M rows, K channels in, O channels out. */
export function linearKernels(runner: Runner): Pick<FusedKernels, 'linear' | 'linearBackward'> {
  return {
    linear(x, weight, bias, activation, out, keep) {
      let saved: SavedTensors | null = null
      runner.run(out, () => {
        const sum = multiplyByTransposed(runner.read(x), runner.read(weight), bias && runner.read(bias)) // [M, O]
        if (activation === 'none') return sum
        if (!keep) return functions[activation](sum)
        const { value, slope } = functionsAndSlopes[activation](sum)
        saved = runner.save([slope])
        return value
      })
      return saved
    },
    linearBackward(x, weight, activation, saved, dout, outputs) {
      runner.runAll(outputs, () => {
        const gradient = runner.read(dout)
        const dsum = activation === 'none' ? gradient : mul(gradient, (saved as SavedTensors).tensors[0]) // [M, O]
        const wanted = { product: outputs.dweight !== null, sums: outputs.dbias !== null }
        const { product: dweight, sums: dbias } = multiplyTransposed(dsum, runner.read(x), wanted) // [O, K], [O]
        return {
          ...(outputs.dx && { dx: multiply(dsum, runner.read(weight)) }), // [M, K]
          ...(dweight && { dweight }),
          ...(dbias && { dbias }),
        }
      })
    },
  }
}
