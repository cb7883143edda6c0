import { normals, randomStream, uniforms } from '@dit/random'
import { typedArray } from '../../dtype.js'
import { add } from '../../ops/binary.js'
import { full, randomNormal, randomUniform, tensor, upload } from '../../ops/create.js'
import { matmul } from '../../ops/matmul.js'
import { formatShape, sizeOf } from '../../shape.js'
import type { Tensor } from '../../tensor.js'
import type { CaseContext, ConformanceCase } from '../case.js'
import { expectError } from '../expect-error.js'

/** Values going to the engine and coming back, random draws, and the errors of what an engine does not have. */
export function valueCases({ define, exactNormals }: CaseContext): ConformanceCase[] {
  return [
    define('values', 'upload and download keep every float, bit by bit', async (backend) => {
      const limits = [
        0,
        -0,
        1,
        -1,
        Infinity,
        -Infinity,
        NaN,
        2 ** -126,
        -(2 ** -126),
        2 ** -149,
        -(2 ** -149),
        3.4028234663852886e38,
        -3.4028234663852886e38,
        16777217,
        1 / 3,
      ]
      const own = backend.float === 'f64' ? [2 ** -1074, 1.7976931348623157e308, 0.1] : []
      const data = typedArray(backend.float, limits.length + own.length)
      data.set([...limits, ...own])
      return roundTrip(tensor(data, [data.length], { backend }), data)
    }),
    define('values', 'upload and download keep every i32', async (backend) => {
      const data = Int32Array.of(0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 16777217, -16777217)
      return roundTrip(tensor(data, [data.length], { backend }), data)
    }),
    define('values', 'tensors of rank 0 to 6', async (backend) => {
      for (const shape of [[], [1], [3], [3, 5], [2, 3, 2], [1, 2, 1, 3], [2, 1, 2, 1, 2], [1, 2, 1, 2, 1, 3]]) {
        const data = typedArray(backend.float, sizeOf(shape)).map((_, i) => i + 1)
        await roundTrip(tensor(data, shape, { backend }), data)
      }
      return 0
    }),
    define('values', 'what is downloaded is a copy', async (backend) => {
      const x = tensor([1, 2, 3], [3], { backend })
      const first = await x.data()
      first.fill(9)
      return roundTrip(x, [1, 2, 3])
    }),
    define('values', 'what is uploaded may be changed afterwards', async (backend) => {
      const data = typedArray(backend.float, 3)
      data.set([1, 2, 3])
      const x = tensor(data, [3], { backend })
      data.fill(9)
      return roundTrip(x, [1, 2, 3])
    }),
    define('values', 'upload replaces values in place', async (backend) => {
      const x = full([2, 2], 7, { backend })
      upload(x, [1, 2, 3, 4])
      return roundTrip(x, [1, 2, 3, 4])
    }),
    define('values', 'a download sees what came before it and nothing that came after', async (backend) => {
      const x = tensor([1, 2, 3], [3], { backend })
      const before = x.data()
      upload(x, [4, 5, 6])
      const [first, second] = [await before, await x.data()]
      x.dispose()
      expectEqual('first download', first, [1, 2, 3])
      return expectEqual('second download', second, [4, 5, 6])
    }),
    define('values', 'full fills floats and i32', async (backend) => {
      await roundTrip(full([3], -1.5, { backend }), [-1.5, -1.5, -1.5])
      await roundTrip(full([2], Infinity, { backend }), [Infinity, Infinity])
      return roundTrip(full([2], -9, { backend, dtype: 'i32' }), [-9, -9])
    }),
    define('random', 'randomNormal draws the numbers of @dit/random', async (backend) => {
      const bits = exactNormals ?? backend.kernels.randomNormal === undefined
      let worst = 0
      for (const [shape, start] of [
        [[1], 0],
        [[3, 5], 7],
        [[4, 1001], 0],
        [[8], 2 ** 33 + 1],
      ] as const) {
        const stream = randomStream(1, 'conformance', start)
        const want = normals(stream, sizeOf(shape), start)
        const x = randomNormal(shape, stream, { backend, start })
        const got = await x.data()
        x.dispose()
        if (bits) expectEqual(`draws ${formatShape(shape)} from ${start}`, got, want)
        else worst = Math.max(worst, withinUlps(got, want, 4))
      }
      return worst
    }),
    define('random', 'randomUniform draws the numbers of @dit/random', async (backend) => {
      const stream = randomStream(2, 'conformance')
      return roundTrip(randomUniform([3, 7], stream, { backend, start: 5 }), uniforms(stream, 21, 5))
    }),
    define('values', 'a dtype that the backend does not have is a TypeError naming it', async (backend) => {
      const missing = backend.float === 'f32' ? 'f64' : 'f32'
      if (backend.dtypes.includes(missing)) return 0
      return expectError(() => full([2], 0, { backend, dtype: missing }), TypeError, backend.name)
    }),
    define('values', 'i32 tensors are refused where floats are needed', async (backend) => {
      const i = tensor(Int32Array.of(1, 2, 3, 4), [2, 2], { backend })
      const x = tensor([1, 2, 3, 4], [2, 2], { backend })
      try {
        expectError(() => add(i, x), TypeError, 'i32')
        return expectError(() => matmul(x, i), TypeError, 'i32')
      } finally {
        i.dispose()
        x.dispose()
      }
    }),
  ]
}

async function roundTrip(x: Tensor, want: ArrayLike<number>): Promise<number> {
  try {
    return expectEqual(`values of ${formatShape(x.shape)}`, await x.data(), want)
  } finally {
    x.dispose()
  }
}

function expectEqual(what: string, got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) throw new Error(`${what}: got ${got.length} of them, expected ${want.length}`)
  for (let i = 0; i < want.length; i++) {
    if (!Object.is(got[i], want[i])) {
      throw new Error(`${what}: number ${i} is ${text(got[i])}, expected ${text(want[i])} exactly`)
    }
  }
  return 0
}

function withinUlps(got: ArrayLike<number>, want: Float32Array, ulps: number): number {
  let worst = 0
  for (let i = 0; i < want.length; i++) {
    // One unit in the last place of the float32 `want`.
    const unit = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(want[i]), 2 ** -126))) - 23)
    const error = Math.abs(got[i] - want[i]) / unit
    if (!(error <= ulps)) {
      throw new Error(
        `draw ${i} is ${got[i]}, expected ${want[i]} within ${ulps} units in the last place (off by ${error})`,
      )
    }
    worst = Math.max(worst, error / ulps)
  }
  return worst
}

const text = (value: number) => (Object.is(value, -0) ? '-0' : String(value))
