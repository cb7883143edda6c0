import { adamw, type Backend, slice, toFloat32Array, zeros } from '@dit/tensor'
import type { CaseFiles } from '../case-files.js'
import { checkedValues, EMA_DECAY } from './optimizer-check.js'
import type { Workload } from '../workload.js'
import { readTensor } from './files.js'
import { ADAM } from './training.js'

/** Adam with an average over one segment. */
export async function optimizerWorkload(backend: Backend, { inputs }: CaseFiles): Promise<Workload> {
  const parameter = await readTensor(inputs, 'parameter', backend)
  const gradient = await readTensor(inputs, 'gradient', backend)
  const [m, v, ema] = Array.from({ length: 3 }, () => zeros(parameter.shape, { backend }))
  let step = 0
  const update = () =>
    adamw(
      { parameter, gradient, m, v, ema },
      { ...ADAM, weightDecay: 0, step: ++step, gradientScale: 1, emaDecay: EMA_DECAY },
    )
  return {
    stateBytes: 5 * parameter.byteLength,
    async verify() {
      update()
      return checkedValues(await toFloat32Array(parameter), await toFloat32Array(ema))
    },
    async run() {
      update()
      const one = slice(parameter, 0, 0, 1) // waits for the engine
      await one.data()
      one.dispose()
    },
  }
}
