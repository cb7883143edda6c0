import { cpu } from '@dit/backend-cpu'
import { type RunStore, train } from '@dit/train-ddp'
import { data, objective, recipe } from './train-and-sample.js'

export const STEPS = 30
/** Steps between checkpoints. */
export const EVERY = 4

/** How far a run is. It is filled while the run goes on. */
export interface RunProgress {
  resumedFrom: string | null
  losses: number[]
  /** Number of the last step. */
  step: number
  isSaving: boolean
  hasEnded: boolean
  error: string | null
}

export const noProgress = (): RunProgress => ({
  resumedFrom: null,
  losses: [],
  step: 0,
  isSaving: false,
  hasEnded: false,
  error: null,
})

/** Trains a tiny DiT in WebAssembly, with data that comes after `pause` milliseconds. The same code runs in Node and in a page. */
export async function storedRun(store: RunStore, progress: RunProgress, pause: number): Promise<void> {
  const backend = await cpu({ engine: 'wasm', threads: 1 })
  const slowData = {
    async rows(step: number, start: number, end: number) {
      progress.isSaving = false
      await new Promise((resolve) => {
        setTimeout(resolve, pause)
      })
      return data.rows(step, start, end)
    },
  }
  try {
    const options = { objective, recipe, data: slowData, backend, seed: 0, steps: STEPS, checkpoint: { every: EVERY } }
    for await (const event of train({ ...options, store })) {
      if (event.type === 'start') progress.resumedFrom = event.resumedFrom
      if (event.type !== 'step') continue
      progress.losses.push(event.record.loss)
      progress.step = event.record.step
      progress.isSaving = event.record.step % EVERY === 0
    }
    progress.hasEnded = true
  } catch (error) {
    progress.error = `${(error as Error).name}: ${(error as Error).message}`
  } finally {
    await backend.dispose()
  }
}

/** SHA-256 of the log and of all files of the last checkpoint. */
export async function digestsOf(store: RunStore): Promise<Record<string, string>> {
  const last = (await store.list('checkpoints')).at(-1)!
  const paths = (await store.list(`checkpoints/${last}`)).map((name) => `checkpoints/${last}/${name}`)
  const digests: Record<string, string> = {}
  for (const path of ['log.jsonl', ...paths]) digests[path] = (await store.inspect(path))!.sha256
  return digests
}
