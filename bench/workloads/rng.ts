import { type Backend, randomNormal, randomStream, slice, toFloat32Array } from '@dit/tensor'
import type { RngSpec } from '../cases.js'
import { spotValues, type Workload } from '../workload.js'

/** Standard normal draws on the engine. */
export function rngWorkload(backend: Backend, { size }: RngSpec): Workload {
  const draw = () => randomNormal([size], randomStream(0, 'bench'), { backend })
  return {
    stateBytes: 0,
    async verify() {
      const x = draw()
      const values = await toFloat32Array(x)
      x.dispose()
      return spotValues(values)
    },
    async run() {
      const x = draw()
      const one = slice(x, 0, 0, 1) // waits for the engine
      await one.data()
      one.dispose()
      x.dispose()
    },
  }
}
