import { openWorkerPipeline, type WorkerPipeline } from '../open-worker-pipeline.js'
import type { EngineChoice } from '../worker/messages.js'

/** How far a download is. */
export type LoadProgress = (bytes: number, total: number | null) => void

/** A pipeline that one of several elements uses. */
export interface Lease {
  readonly pipeline: Promise<WorkerPipeline>
  /** Gives it back: with the last one the Worker ends. */
  release(): void
}

interface Shared {
  readonly pipeline: Promise<WorkerPipeline>
  readonly listeners: Set<LoadProgress>
  users: number
}

const pipelines = new Map<string, Shared>()

/** The pipeline of an address and an engine: elements of one page share the Worker, and with it the weights. */
export function leasePipeline(src: string, engine: EngineChoice, onProgress: LoadProgress): Lease {
  const key = `${engine} ${src}`
  const shared = pipelines.get(key) ?? open(key, src, engine)
  shared.users++
  shared.listeners.add(onProgress)
  let isReleased = false
  return {
    pipeline: shared.pipeline,
    release() {
      if (isReleased) return
      isReleased = true
      shared.listeners.delete(onProgress)
      if (--shared.users > 0) return
      forget(key, shared)
      void shared.pipeline.then((pipeline) => pipeline.dispose()).catch(() => {})
    },
  }
}

function open(key: string, src: string, engine: EngineChoice): Shared {
  const listeners = new Set<LoadProgress>()
  const onProgress = ({ bytes, total }: { readonly bytes: number; readonly total: number | null }) => {
    for (const listener of listeners) listener(bytes, total)
  }
  const pipeline = openWorkerPipeline(src, { engine, fetch: { onProgress } })
  const shared: Shared = { pipeline, listeners, users: 0 }
  pipelines.set(key, shared)
  // One that did not open, or is gone, is opened anew for whoever asks next.
  pipeline.then(({ lost }) => lost.then(() => forget(key, shared))).catch(() => forget(key, shared))
  return shared
}

function forget(key: string, shared: Shared): void {
  if (pipelines.get(key) === shared) pipelines.delete(key)
}
