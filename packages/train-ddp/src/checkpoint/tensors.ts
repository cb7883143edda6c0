import type { Floats } from '@dit/collectives'
import type { Tensor } from '@dit/tensor'
import { valueOf } from '../optimizer/optimizer-state.js'
import type { TensorSource } from '../run/run-store.js'
import type { TrainState } from '../state.js'
import type { TensorPart } from './names.js'

/** Reads what the optimizer keeps under a name for a bucket. */
export type ReadKept = (name: string, bucket: number) => Promise<Floats>

/** Parts of this run's checkpoints that hold tensors, in the order in which they are written. */
export function partsOf({ optimizer }: TrainState): TensorPart[] {
  return ['model', ...optimizer.averages, 'optimizer']
}

/**
 * Tensors of the parts of a checkpoint, to write.
 *
 * @param read  called for a bucket once where the tensors in it follow each other in `names`
 * @param names of the parameters to write, in the order of the files
 */
export function partSources(
  state: TrainState,
  read: ReadKept,
  names: readonly string[],
): Readonly<Record<TensorPart, ReadonlyMap<string, TensorSource>>> {
  const { optimizer, params, trainable, frozenAverages } = state
  const kept = keptSources(state, read)
  const isTrained = (name: string) => name in trainable.params
  const averages = optimizer.averages.map((average) => {
    const sourceOf = (name: string) =>
      isTrained(name) ? kept(average, name) : source(frozenAverages[average].params[name])
    return [average, new Map(names.map((name) => [name, sourceOf(name)]))] as const
  })
  const slots = optimizer.slots.flatMap((slot) =>
    names.filter(isTrained).map((name) => [`${slot}.${name}`, kept(slot, name)] as const),
  )
  return {
    model: new Map(names.map((name) => [name, source(params[name])])),
    ...Object.fromEntries(averages),
    optimizer: new Map(slots),
  }
}

function keptSources({ trainable, buckets }: TrainState, read: ReadKept): (kept: string, name: string) => TensorSource {
  const bucketOf = new Map(buckets.flatMap(({ names }, i) => names.map((name) => [name, i])))
  let [key, values]: [string, Promise<Floats> | null] = ['', null]
  return (kept, name) => {
    const { shape, dtype } = trainable.params[name]
    const index = bucketOf.get(name)!
    const data = async () => {
      const wanted = `${kept} ${index}`
      if (key !== wanted || values === null) [key, values] = [wanted, read(kept, index)]
      return valueOf(trainable.layout, buckets[index], await values, name)
    }
    return { dtype: dtype === 'f64' ? 'F64' : 'F32', shape, data }
  }
}

function source(tensor: Tensor): TensorSource {
  return { dtype: tensor.dtype === 'f64' ? 'F64' : 'F32', shape: tensor.shape, data: () => tensor.data() }
}
