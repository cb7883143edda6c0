import type { Backend } from './backend.js'

let current: Backend | null = null

/**
 * Chooses the backend on which tensors are created from now on. Backends stay alive side by side; ops run where their
 * inputs live.
 *
 * @param backend an engine, or the promise of one: `await useBackend(webgpu())`
 * @returns the backend
 */
export async function useBackend(backend: Backend | Promise<Backend>): Promise<Backend> {
  current = await backend
  return current
}

/**
 * The backend chosen last.
 *
 * @throws Error when none was chosen
 */
export function currentBackend(): Backend {
  if (current === null) {
    throw new Error(
      'currentBackend: no backend was chosen; call `await useBackend(...)` first, for example with reference(), or pass { backend }',
    )
  }
  return current
}
