import { type DType, sizeOf, type View } from '@dit/tensor'
import type { Engine, Extension } from '../engine.js'
import { addressOf, type CpuBuffer } from '../memory.js'

/** Types of weights in half precision, in the order of `enum Half` of csrc/half.h. */
const HALVES: readonly DType[] = ['f16', 'bf16']

export const isHalf = (dtype: DType) => HALVES.includes(dtype)

/** How tensors are written and read: matrices in half precision lie as the products want them, others are copied. */
export function transfers(engine: Engine): Pick<Extension, 'write' | 'read'> {
  /** Runs `work` with room for so many bytes beside the tensors. */
  function beside(byteLength: number, work: (address: number) => void): void {
    const address = engine.allocate(byteLength)
    work(address)
    engine.free(address, byteLength)
  }
  const isArranged = ({ dtype, shape }: View) => isHalf(dtype) && shape.length > 1 && sizeOf(shape) > 0
  return {
    write(view, data) {
      const address = addressOf(view)
      if (!isArranged(view)) return engine.write(address, data)
      const { rows, columns } = matrixOf(view)
      beside(data.byteLength, (plain) => {
        engine.write(plain, data)
        engine.call('arrange_half', plain, address, rows, columns, 0)
      })
      bufferOf(view).rows = rows
    },
    read(view, into) {
      const address = addressOf(view)
      if (!isArranged(view)) return engine.read(address, into)
      const rows = bufferOf(view).rows!
      beside(into.byteLength, (plain) => {
        engine.call('arrange_half', address, plain, rows, sizeOf(view.shape) / rows, 1)
        engine.read(plain, into)
      })
    },
  }
}

/**
 * The number by which kernels know the type of a weight.
 *
 * @throws RangeError where it has other rows than those it was made with
 */
export function halfOf(weight: View): number {
  const { rows } = bufferOf(weight)
  if (rows !== undefined && rows !== weight.shape[0]) {
    throw new RangeError(
      `cpu: a weight in ${weight.dtype} that was made with ${rows} rows cannot be read with ${weight.shape[0]}; its first axis must stay`,
    )
  }
  return HALVES.indexOf(weight.dtype)
}

/** The first axis against all others. */
function matrixOf({ shape }: View): { readonly rows: number; readonly columns: number } {
  return { rows: shape[0], columns: sizeOf(shape.slice(1)) }
}

function bufferOf({ buffer }: View): CpuBuffer {
  return buffer as CpuBuffer
}
