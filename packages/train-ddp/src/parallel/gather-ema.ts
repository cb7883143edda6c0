import { type Backend, dispose, type Params, tensor } from '@dit/tensor'
import { valueOf } from '../optimizer/optimizer-state.js'
import { averageOf, EMA, type TrainState } from '../state.js'

/** Averages in full, for sampling: views of the state, or copies where workers hold parts. */
export interface WholeEma {
  /** By state-dict name, in its order; null on workers other than rank 0 where they hold parts. */
  readonly params: Params | null
  dispose(): void
}

/** Every rank calls it; where workers hold parts, rank 0 alone gets a copy of the whole. */
export async function wholeEma(state: TrainState, rank: number, backend: Backend): Promise<WholeEma> {
  const whole = averageOf(state, EMA)
  if (whole !== null) return { params: whole, dispose() {} }
  const { trainable, buckets, optimizer, frozenAverages } = state
  const copies: Record<string, Params[string]> = {}
  for (const [index, bucket] of buckets.entries()) {
    const values = await optimizer.read(EMA, index)
    if (rank !== 0) continue
    for (const name of bucket.names) {
      const { shape } = trainable.params[name]
      copies[name] = tensor(valueOf(trainable.layout, bucket, values, name), shape, { backend })
    }
  }
  if (rank !== 0) return { params: null, dispose() {} }
  const params = Object.fromEntries(
    Object.keys(state.params).map((name) => [name, copies[name] ?? frozenAverages[EMA].params[name]]),
  )
  return { params, dispose: () => dispose(copies) }
}
