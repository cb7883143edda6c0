import { sameShape } from '../shape.js'
import { commonBackend, type Tensor } from '../tensor.js'
import { checkFloats, refuseHalves } from './check-floats.js'
import { misfit } from './misfit.js'

/**
 * x += scale * y, in place. Not recorded by the tape.
 *
 * @throws RangeError when the shapes differ
 */
export function accumulate(x: Tensor, y: Tensor, scale = 1): void {
  if (!sameShape(x.shape, y.shape)) {
    throw misfit('accumulate: shapes must be equal', [x, y])
  }
  checkFloats('accumulate', [x, y])
  commonBackend('accumulate', [x, y]).kernels.accumulate(x, y, scale)
}

/** Sets every element, in place. Not recorded by the tape. */
export function fill(x: Tensor, value: number): void {
  refuseHalves('fill', [x])
  x.backend.kernels.fill(x, value)
}

/** Copies values in place, converting where the dtypes differ. Not recorded by the tape. */
export function assign(target: Tensor, source: Tensor): void {
  if (target.size !== source.size) {
    throw misfit('assign: sizes must be equal', [target, source])
  }
  refuseHalves('assign', [target, source])
  commonBackend('assign', [target, source]).kernels.copy(source, target)
}
