import { dispose, globalNorm, type Tensor, zeros } from '@dit/tensor'
import type { Bucket } from '../parallel/buckets.js'
import { readElements, writeElements } from '../parallel/staging.js'
import { bytesOf, floats, type OptimizerOptions, type OptimizerState, updateStretch } from './optimizer-state.js'

/**
 * Every worker holds the slots and averages of whole parameters, those of its buckets, updates these, and sends them to the
 * others. For optimizers whose unit is the matrix, which need a parameter's whole gradient: gradients are summed on every worker.
 */
export function ownedOptimizer(options: OptimizerOptions): OptimizerState {
  const { optimizer, averages, communicator, backend, trainable, gradients, buckets, groupOf } = options
  const { rank } = communicator
  const owners = balancedOwners(buckets, communicator.size)
  const names = [...optimizer.slots, ...averages]
  const own = buckets.flatMap((bucket, i) => (owners[i] === rank ? bucket.names : []))
  /** By what is kept, then by parameter. */
  const kept: Record<string, Record<string, Tensor>> = {}
  for (const name of names) {
    kept[name] = Object.fromEntries(own.map((of) => [of, zeros(trainable.params[of].shape, { backend })]))
  }
  for (const name of averages) {
    for (const of of own) backend.kernels.copy(trainable.params[of], kept[name][of])
  }
  const segmentOf = new Map(trainable.layout.entries.map(({ name, segment }) => [name, segment]))
  return {
    slots: optimizer.slots,
    averages,
    gradientNorm: () => globalNorm(gradients.segments),
    async update(step) {
      for (const [i, bucket] of buckets.entries()) {
        if (owners[i] === rank) {
          for (const of of bucket.names) {
            const [parameter, gradient] = [trainable.params[of], gradients.params[of]]
            const tensors = Object.fromEntries(names.map((name) => [name, kept[name][of]]))
            updateStretch(options, groupOf[segmentOf.get(of)!], { name: of, parameter, gradient, kept: tensors }, step)
          }
        }
        const segment = trainable.segments[bucket.segment]
        const values = floats(backend, bucket.size)
        if (owners[i] === rank) await readElements(segment, bucket.offset, values)
        await communicator.broadcast(values, owners[i]).wait()
        if (owners[i] !== rank) writeElements(segment, bucket.offset, values)
      }
    },
    async read(name, index) {
      const bucket = buckets[index]
      const values = floats(backend, bucket.size)
      if (owners[index] === rank) {
        for (const of of bucket.names) {
          const { offset } = trainable.layout.entries.find((entry) => entry.name === of)!
          const x = kept[name][of]
          const place = values.subarray(offset - bucket.offset, offset - bucket.offset + x.size)
          place.set(await x.data())
        }
      }
      await communicator.broadcast(values, owners[index]).wait()
      return values
    },
    load(name, parameter, values) {
      const target = kept[name][parameter]
      if (target !== undefined) backend.upload(target, values)
    },
    average: () => null,
    bytes: names.reduce((sum, name) => sum + bytesOf(Object.values(kept[name])), 0),
    dispose: () => dispose(Object.values(kept)),
  }
}

/** The rank that updates each bucket: the largest first, each to whoever has least. */
function balancedOwners(buckets: readonly Bucket[], workers: number): number[] {
  const loads = Array.from({ length: workers }, () => 0)
  const owners = buckets.map(() => 0)
  const order = [...buckets.keys()].toSorted((a, b) => buckets[b].size - buckets[a].size || a - b)
  for (const index of order) {
    const owner = loads.indexOf(Math.min(...loads))
    owners[index] = owner
    loads[owner] += buckets[index].size
  }
  return owners
}
