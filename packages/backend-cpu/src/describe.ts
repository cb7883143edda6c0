import type { Backend } from '@dit/tensor'
import type { CpuDescription } from './engine.js'

export type { CpuDescription }

const descriptions = new WeakMap<Backend, CpuDescription>()

/**
 * What a backend of `cpu` runs on.
 *
 * @throws TypeError when the backend is not one of `cpu`
 */
export function describeCpu(backend: Backend): CpuDescription {
  const description = descriptions.get(backend)
  if (description === undefined) {
    throw new TypeError(`describeCpu: the backend must be one that cpu() made (got ${backend.name})`)
  }
  return description
}

/** Notes what a backend runs on. */
export function setDescription(backend: Backend, description: CpuDescription): void {
  descriptions.set(backend, description)
}
