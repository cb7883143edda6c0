import { type Backend, type Kernels, reference, type View } from '@dit/tensor'
import { runConformance } from '@dit/tensor/conformance'
import { expect } from 'vitest'

/** A fault that an author of kernels could make. */
export interface Mutation {
  readonly what: string
  /** Which cases see it; the fewer, the faster. */
  readonly filter: RegExp
  readonly mutate: Mutate
}

type Mutate = (kernels: Kernels) => Partial<Kernels>

export function mutant(mutate: Mutate, base: Backend = reference()): Backend {
  return { ...base, name: 'mutant', kernels: { ...base.kernels, ...mutate(base.kernels) } }
}

/** What the cases of the suite say that fail. */
export async function failuresOf(backend: Backend, filter: RegExp): Promise<string[]> {
  const results = await runConformance(backend, { filter })
  expect(results).not.toEqual([])
  return results.flatMap(({ name, error }) => (error === null ? [] : [`${name}: ${error.message}`]))
}

/** Values of a view of the float64 engines. */
export const floats = ({ buffer, byteOffset, shape }: View): Float64Array =>
  new Float64Array(
    buffer as ArrayBuffer,
    byteOffset,
    shape.reduce((size, extent) => size * extent, 1),
  )

/** Changes what a kernel has written. */
export function mapOutput(out: View, change: (value: number, index: number) => number): void {
  floats(out).set(floats(out).map(change))
}

/** A plain view, which can be spread. */
export function view({ buffer, byteOffset, shape, dtype }: View): View {
  return { buffer, byteOffset, shape, dtype }
}
