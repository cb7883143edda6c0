import { attention, type Backend, dispose, mul, scope, sum, toFloat32Array, valueAndGrad } from '@dit/tensor'
import type { CaseFiles } from '../case-files.js'
import type { AttentionSpec } from '../cases.js'
import { spotValues, type Workload } from '../workload.js'
import { readTensor } from './files.js'

/** Attention and its gradient: the loss is the sum of out * dout. */
export async function attentionWorkload(
  backend: Backend,
  { numHeads }: AttentionSpec,
  { inputs }: CaseFiles,
): Promise<Workload> {
  const qkv = await readTensor(inputs, 'qkv', backend)
  const dout = await readTensor(inputs, 'dout', backend)

  async function gradient(): Promise<Float32Array> {
    const { loss, gradients } = valueAndGrad({ qkv }, () => ({
      loss: scope(() => sum(mul(attention(qkv, numHeads), dout))),
    }))
    const values = await toFloat32Array(gradients.qkv)
    dispose([loss, gradients])
    return values
  }

  return {
    stateBytes: qkv.byteLength + dout.byteLength,
    verify: async () => spotValues(await gradient()),
    run: async () => void (await gradient()),
  }
}
