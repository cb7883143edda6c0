import { isTracked, record } from '../autograd/tape.js'
import { empty, type Tensor } from '../tensor.js'
import { checkFloats } from './check-floats.js'
import { full } from './create.js'

/**
 * x limited to [low, high]. The gradient is 1 inside (the ends included), 0 outside.
 *
 * @throws RangeError when low > high
 */
export function clamp(x: Tensor, low: number, high: number): Tensor {
  if (!(low <= high)) throw new RangeError(`clamp: low must not exceed high (got ${low} and ${high})`)
  checkFloats('clamp', [x])
  const { backend } = x
  const { kernels } = backend
  const scalar = (value: number) => full([], value, { backend, dtype: x.dtype })
  const [lowest, highest] = [scalar(low), scalar(high)]
  const raised = empty(backend, x.shape, x.dtype)
  const out = empty(backend, x.shape, x.dtype)
  kernels.binary('maximum', x, lowest, raised)
  kernels.binary('minimum', raised, highest, out)
  for (const temporary of [lowest, highest, raised]) temporary.dispose()
  record({
    name: 'clamp',
    inputs: [x],
    outputs: [out],
    saves: isTracked(x) ? [x, out] : [],
    backward: ([dy]) => {
      const inside = empty(backend, x.shape, x.dtype)
      const dx = empty(backend, x.shape, x.dtype)
      kernels.binary('equal', x, out, inside)
      kernels.select(inside, dy!, scalar(0), dx)
      return [dx]
    },
  })
  return out
}
