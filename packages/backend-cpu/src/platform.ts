import type * as nodeModule from 'node:module'
import type * as os from 'node:os'
import type * as v8 from 'node:v8'
import type * as workerThreads from 'node:worker_threads'

/** Modules of Node that are used where they are. */
interface Builtins {
  'node:module': typeof nodeModule
  'node:os': typeof os
  'node:v8': typeof v8
  'node:worker_threads': typeof workerThreads
}

/** A module of Node, or undefined in a page. No import names it, so bundlers do not look for it. */
export function builtin<Name extends keyof Builtins>(name: Name): Builtins[Name] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } }
  return process?.getBuiltinModule?.(name) as Builtins[Name] | undefined
}

/** Processors that this process may use. */
export function processorCount(): number {
  return builtin('node:os')?.availableParallelism() ?? globalThis.navigator?.hardwareConcurrency ?? 1
}

/** Memory of the machine in bytes. */
export function memoryBytes(): number {
  return builtin('node:os')?.totalmem() ?? 0
}

/**
 * Why threads cannot share memory here, or null where they can: Node, and workers of pages that are cross-origin
 * isolated. The main thread of a page may not wait for others.
 */
export function threadsObstacle(): string | null {
  if (builtin('node:worker_threads') !== undefined) return null
  const { crossOriginIsolated, document } = globalThis as { crossOriginIsolated?: boolean; document?: unknown }
  if (crossOriginIsolated !== true) {
    return 'the page is not cross-origin isolated (it needs the headers Cross-Origin-Opener-Policy and -Embedder-Policy)'
  }
  if (document !== undefined) return 'the main thread of a page may not wait; make the backend in a Worker'
  return null
}
