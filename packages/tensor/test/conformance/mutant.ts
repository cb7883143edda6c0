import { type Backend, type Kernels, reference, type View } from '@dit/tensor'
import { conformanceCases } from '@dit/tensor/conformance'
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

/** Whether one of these cases fails; those after it do not run. */
export async function isCaught(backend: Backend, filter: RegExp): Promise<boolean> {
  const cases = conformanceCases().filter(({ name }) => filter.test(name))
  expect(cases).not.toEqual([])
  for (const { run } of cases) {
    const hasPassed = await run(backend).then(
      (worst) => worst <= 1,
      () => false,
    )
    if (!hasPassed) return true
  }
  return false
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
