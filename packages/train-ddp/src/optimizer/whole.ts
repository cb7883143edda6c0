import { allocateFlat, disposeFlat, type FlatParams, flatten, globalNorm } from '@dit/tensor'
import { readElements } from '../parallel/staging.js'
import { bytesOf, floats, type OptimizerOptions, type OptimizerState, updateStretch } from './optimizer-state.js'

/** Every worker holds all slots and averages; averages begin as copies of the parameters, slots as zeros. */
export function wholeOptimizer(options: OptimizerOptions): OptimizerState {
  const { optimizer, averages, backend, trainable, gradients, buckets, groupOf } = options
  const { layout } = trainable
  const flats: Record<string, FlatParams> = {}
  for (const name of optimizer.slots) flats[name] = allocateFlat(layout, backend)
  for (const name of averages) flats[name] = flatten(trainable.params, layout, backend)
  const kept = (pick: (flat: FlatParams) => FlatParams['segments'][number]) =>
    Object.fromEntries(Object.entries(flats).map(([name, flat]) => [name, pick(flat)]))
  return {
    slots: optimizer.slots,
    averages,
    gradientNorm: () => globalNorm(gradients.segments),
    async update(step) {
      if (optimizer.unit === 'element') {
        trainable.segments.forEach((parameter, i) => {
          const stretch = { parameter, gradient: gradients.segments[i], kept: kept(({ segments }) => segments[i]) }
          updateStretch(options, groupOf[i], stretch, step)
        })
        return
      }
      for (const { name, segment } of layout.entries) {
        const [parameter, gradient] = [trainable.params[name], gradients.params[name]]
        updateStretch(
          options,
          groupOf[segment],
          { name, parameter, gradient, kept: kept(({ params }) => params[name]) },
          step,
        )
      }
    },
    async read(name, index) {
      const { segment, offset, size } = buckets[index]
      const values = floats(backend, size)
      await readElements(flats[name].segments[segment], offset, values)
      return values
    },
    load: (name, parameter, values) => backend.upload(flats[name].params[parameter], values),
    average: (name) => flats[name].params,
    bytes: Object.keys(flats).length * bytesOf(trainable.segments),
    dispose: () => Object.values(flats).forEach(disposeFlat),
  }
}
