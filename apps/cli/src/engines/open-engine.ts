import { type Backend, reference } from '@dit/tensor'
import { Failure } from '../terminal/errors.js'
import type { EngineName } from './names.js'

/** What computes, as it is printed and kept in a run's `config.json`. */
export interface EngineDescription {
  readonly name: EngineName
  /** Of the package that has the kernels; null where they are dit's own. */
  readonly version: string | null
  readonly simd: boolean
  readonly threads: number
}

export interface OpenEngine {
  readonly backend: Backend
  readonly description: EngineDescription
}

/**
 * Starts an engine. The caller disposes of the backend.
 *
 * @throws Failure where its package is not installed or does not start
 */
export async function openEngine(name: EngineName): Promise<OpenEngine> {
  if (name === 'reference') {
    return { backend: reference(), description: { name, version: null, simd: false, threads: 1 } }
  }
  try {
    // Loaded here, so that commands that compute nothing start fast and work without an engine.
    const { describeTfjs, tfjs } = await import('@dit/backend-tfjs')
    const backend = await tfjs({ engine: name === 'tfjs-wasm' ? 'wasm' : 'cpu' })
    const { version, simd, threads } = describeTfjs(backend)
    return { backend, description: { name, version, simd, threads } }
  } catch (error) {
    throw new Failure(`the engine ${name} cannot be used: ${(error as Error).message}; see \`dit doctor\``, {
      cause: error,
    })
  }
}

/** `tfjs-wasm 4.22.0 (SIMD, 2 threads)` */
export function engineText({ name, version, simd, threads }: EngineDescription): string {
  if (name === 'reference') return 'reference (plain float64 loops, slow)'
  return `${name} ${version} (${simd ? 'SIMD' : 'no SIMD'}, ${threads} thread${threads === 1 ? '' : 's'})`
}
