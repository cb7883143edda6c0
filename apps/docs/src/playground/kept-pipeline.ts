import { type EngineChoice, fetchFile, openWorkerPipeline, type WorkerPipeline } from '@dit/browser'

/** How far a download is; `total` is null where the server does not say. */
export type LoadProgress = (bytes: number, total: number | null) => void

/** Opens the model of an address on an engine. */
export type OpenModel = (source: string, engine: EngineChoice, onProgress: LoadProgress) => Promise<WorkerPipeline>

/** One opened model at a time. */
export interface KeptPipeline {
  /** The model of an address on an engine: the one that is open already, or a new one in its place. */
  open(source: string, engine: EngineChoice, onProgress: LoadProgress): Promise<WorkerPipeline>
  /** Whether that one is open, so that nothing has to be loaded. */
  isOpen(source: string, engine: EngineChoice): boolean
  /** Frees what is open. */
  dispose(): void
}

interface Kept {
  readonly key: string
  readonly pipeline: Promise<WorkerPipeline>
  /** Who is told of the download. */
  readonly listener: { onProgress: LoadProgress }
  isOpen: boolean
}

/**
 * Keeps the model that was opened last. One that did not open, or whose Worker or graphics device is gone, is opened anew by the next
 * call.
 *
 * @param open what opens it
 */
export function keepPipeline(open: OpenModel = openFetched): KeptPipeline {
  let kept: Kept | null = null

  function drop(which: Kept): void {
    if (kept === which) kept = null
    void which.pipeline.then((pipeline) => pipeline.dispose()).catch(() => {})
  }

  return {
    async open(source, engine, onProgress) {
      const key = keyOf(source, engine)
      if (kept?.key === key) {
        kept.listener.onProgress = onProgress
        return kept.pipeline
      }
      if (kept !== null) drop(kept)
      const listener = { onProgress }
      const pipeline = open(source, engine, (bytes, total) => listener.onProgress(bytes, total))
      const mine: Kept = { key, pipeline, listener, isOpen: false }
      kept = mine
      const watch = async () => {
        const { lost } = await pipeline
        mine.isOpen = true
        await lost
      }
      watch().then(
        () => drop(mine),
        () => drop(mine),
      )
      return pipeline
    },
    isOpen: (source, engine) => kept !== null && kept.isOpen && kept.key === keyOf(source, engine),
    dispose() {
      if (kept !== null) drop(kept)
    },
  }
}

function keyOf(source: string, engine: EngineChoice): string {
  return `${engine} ${source}`
}

/** The weights come as a whole file, which stays in the browser's storage: the next visit needs no network for it. */
const openFetched: OpenModel = async (source, engine, onProgress) => {
  const weights = await fetchFile(source, { onProgress: ({ bytes, total }) => onProgress(bytes, total) })
  return openWorkerPipeline(weights, { engine })
}
