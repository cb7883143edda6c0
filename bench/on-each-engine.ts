import type { Backend } from '@dit/tensor'
import { type EngineName, rowName, rowsOf } from './engines.js'
import { openBackend } from './open-engine.js'

/** An engine with a number of threads, as records name it. */
export interface EngineRow {
  readonly engine: string
  readonly threads: number
}

/**
 * Measures in this process, on one engine after the other; one that does not start is skipped with a line.
 *
 * @param measure given the engine and its name; its results get the engine's row, and `print` makes the table of them
 */
export async function onEachEngine<Result extends object>(
  engines: readonly EngineName[],
  threads: readonly number[],
  measure: (backend: Backend, name: string) => Promise<Result[]>,
  print: (name: string, results: readonly Result[]) => string,
): Promise<(EngineRow & Result)[]> {
  const results: (EngineRow & Result)[] = []
  for (const row of rowsOf(engines, threads)) {
    let opened: Awaited<ReturnType<typeof openBackend>>
    try {
      opened = await openBackend(row.engine, row.threads)
    } catch (error) {
      console.log(`skipped ${rowName(row)}: ${error instanceof Error ? error.message : String(error)}`)
      continue
    }
    try {
      const measured = await measure(opened.backend, rowName(row))
      results.push(...measured.map((each) => ({ ...row, ...each })))
      console.log(`${print(rowName(row), measured)}\n`)
    } finally {
      await opened.backend.dispose()
    }
  }
  return results
}
