import { type Backend, matmul, toFloat32Array } from '@dit/tensor'
import type { CaseFiles } from '../case-files.js'
import type { GemmSpec } from '../cases.js'
import { spotValues, type Workload } from '../workload.js'
import { readTensor } from './files.js'

/** Matrix products, one after another. */
export async function gemmWorkload(
  backend: Backend,
  { transposeA, transposeB, calls }: GemmSpec,
  { inputs }: CaseFiles,
): Promise<Workload> {
  const a = await readTensor(inputs, 'a', backend)
  const b = await readTensor(inputs, 'b', backend)

  async function multiply(times: number): Promise<Float32Array> {
    for (let call = 1; call < times; call++) matmul(a, b, { transposeA, transposeB }).dispose()
    const product = matmul(a, b, { transposeA, transposeB })
    const values = await toFloat32Array(product)
    product.dispose()
    return values
  }

  return {
    stateBytes: a.byteLength + b.byteLength,
    verify: async () => spotValues(await multiply(calls)),
    run: async () => void (await multiply(calls)),
  }
}
