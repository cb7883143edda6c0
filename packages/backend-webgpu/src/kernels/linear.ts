import type { Activation, FusedKernels, View } from '@dit/tensor'
import type { Runtime } from '../runtime/runtime.js'
import { runMap } from './elementwise.js'
import { type Product, runProduct } from './product.js'
import { placed, plain, saving, viewOf } from './saved.js'
import { runSum } from './sum.js'

const slopes: Record<Exclude<Activation, 'none'>, string> = { gelu: 'gelu_slope(a)', silu: 'silu_slope(a)' }

/**
 * Products with their epilogues. Those whose result may become part of something else wait for the next call: a gated
 * residual that follows a projection, or a sum that a gradient is added to.
 */
export function linearKernels(runtime: Runtime): Pick<FusedKernels, 'linear' | 'linearBackward'> {
  return {
    linear(givenX, givenWeight, givenBias, activation, givenOut, keep) {
      const [x, weight, out] = [givenX, givenWeight, givenOut].map(plain)
      const bias = givenBias === null ? null : plain(givenBias)
      const [O, K] = weight.shape
      const [M] = x.shape
      const saved = saving(runtime, M * O, keep && activation !== 'none')
      const inner = saved === null ? null : saved.view
      const product = (target: View, accumulates: boolean, gated: Product['gated']) =>
        runProduct(runtime, {
          a: x,
          b: weight,
          extents: { G: 1, M, N: O, K },
          transposeA: false,
          transposeB: true,
          out: target,
          accumulates,
          bias,
          activation,
          inner,
          gated,
        })
      if (activation !== 'none') {
        product(out, false, null)
        return saved
      }
      runtime.deferred.defer({
        inputs: [x, weight, ...(bias === null ? [] : [bias])],
        outputs: [out],
        canAccumulate: true,
        canGate: true,
        run([target], residual) {
          const gated = residual === null ? null : { ...residual, tokens: residual.x.shape[1] }
          product(target?.view ?? out, target?.accumulates ?? false, gated)
        },
      })
      return null
    },
    linearBackward(givenX, givenWeight, activation, saved, givenDout, outputs) {
      const [x, weight, dout] = [givenX, givenWeight, givenDout].map(plain)
      const [dx, dweight, dbias] = [outputs.dx, outputs.dweight, outputs.dbias].map((view) => view && plain(view))
      const [O, K] = weight.shape
      const [M] = x.shape
      const isPlain = activation === 'none'
      const dinner = isPlain ? dout : runtime.temporary(M * O)
      if (!isPlain) {
        runMap(runtime, `${activation} backward`, `b * (${slopes[activation]})`, [viewOf(saved!), dout], dinner, {
          useFunctions: true,
        })
      }
      if (dx !== null) deferInput(dinner, weight, { M, O, K }, dx)
      // Where rows of x are empty, so is dweight, and the product that would sum the bias beside it has no parts.
      if (dweight !== null && K > 0) deferWeight(x, dinner, { M, O, K }, dweight, dbias)
      else if (dbias !== null) {
        runSum(runtime, placed(dinner, [M, O]), [0], placed(dbias, [1, O]))
      }
      if (!isPlain) runtime.release(dinner)
    },
  }

  /** dx = dinner W */
  function deferInput(dinner: View, weight: View, { M, O, K }: Extents, dx: View): void {
    runtime.deferred.defer({
      inputs: [dinner, weight],
      outputs: [dx],
      canAccumulate: true,
      canGate: false,
      run([target]) {
        const { view: out, accumulates } = target!
        const extents = { G: 1, M, N: K, K: O }
        runProduct(runtime, {
          isGradient: true,
          a: dinner,
          b: weight,
          extents,
          transposeA: false,
          transposeB: false,
          out,
          accumulates,
        })
      },
    })
  }

  /** dW = dinner^T x, and dbias = the sums of the rows of dinner, which pass by anyway. */
  function deferWeight(x: View, dinner: View, { M, O, K }: Extents, dweight: View, dbias: View | null): void {
    runtime.deferred.defer({
      inputs: [dinner, x],
      outputs: dbias === null ? [dweight] : [dweight, dbias],
      canAccumulate: true,
      canGate: false,
      run([weightTarget, biasTarget = null]) {
        const sums = biasTarget === null ? null : { out: biasTarget.view, accumulates: biasTarget.accumulates }
        const extents = { G: 1, M: O, N: K, K: M }
        const { view: out, accumulates } = weightTarget ?? { view: dweight, accumulates: false }
        runProduct(runtime, {
          isGradient: true,
          a: dinner,
          b: x,
          extents,
          transposeA: true,
          transposeB: false,
          out,
          accumulates,
          sums,
        })
      },
    })
  }
}

interface Extents {
  readonly M: number
  readonly O: number
  readonly K: number
}
