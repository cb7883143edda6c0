import type { Floats } from '@dit/collectives'
import type { Tensor } from '@dit/tensor'
import { type Moment, valueOf } from '../optimizer-state.js'
import type { TensorSource } from '../run/run-store.js'
import type { TrainState } from '../state.js'
import type { TensorPart } from './names.js'

/** Reads the values of a bucket of moments. */
export type ReadMoment = (moment: Moment, bucket: number) => Promise<Floats>

/**
 * Tensors of the parts of a checkpoint, to write.
 *
 * @param read  called for a bucket once where the tensors in it follow each other in `names`
 * @param names of the parameters to write, in the order of the files
 */
export function partSources(
  state: TrainState,
  read: ReadMoment,
  names: readonly string[],
): Readonly<Record<TensorPart, ReadonlyMap<string, TensorSource>>> {
  const moment = momentSources(state, read)
  const trainable = names.filter((name) => name in state.trainable.params)
  const average = (name: string) =>
    name in state.trainable.params ? moment('ema', name) : source(state.emaFrozen.params[name])
  return {
    model: new Map(names.map((name) => [name, source(state.params[name])])),
    ema: new Map(names.map((name) => [name, average(name)])),
    optimizer: new Map(
      (['exp_avg', 'exp_avg_sq'] as const).flatMap((kind) =>
        trainable.map((name) => [`${kind}.${name}`, moment(kind, name)] as const),
      ),
    ),
  }
}

function momentSources(
  { trainable, buckets }: TrainState,
  read: ReadMoment,
): (moment: Moment, name: string) => TensorSource {
  const bucketOf = new Map(buckets.flatMap(({ names }, i) => names.map((name) => [name, i])))
  let [key, values]: [string, Promise<Floats> | null] = ['', null]
  return (moment, name) => {
    const { shape, dtype } = trainable.params[name]
    const index = bucketOf.get(name)!
    const data = async () => {
      const wanted = `${moment} ${index}`
      if (key !== wanted || values === null) [key, values] = [wanted, read(moment, index)]
      return valueOf(trainable.layout, buckets[index], await values, name)
    }
    return { dtype: dtype === 'f64' ? 'F64' : 'F32', shape, data }
  }
}

function source(tensor: Tensor): TensorSource {
  return { dtype: tensor.dtype === 'f64' ? 'F64' : 'F32', shape: tensor.shape, data: () => tensor.data() }
}
