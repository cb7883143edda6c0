import { cpu } from '@dit/backend-cpu'
import { webgpu } from '@dit/backend-webgpu'
import { type FetchOptions, openPipeline, type SampleOptions, toImageData, toPng } from '@dit/pipeline'

/** What is opened and drawn, as plain data. */
export interface DrawRequest {
  readonly source: string
  readonly engine: 'wasm' | 'webgpu'
  readonly sample: SampleOptions
  readonly host?: string
  /** Aborts the download at the first news of it, or sampling after its first step. */
  readonly abort?: 'download' | 'sampling'
}

/** What came of it, as plain data. */
export interface Drawn {
  readonly error: string | null
  readonly classNames: readonly string[]
  readonly names: readonly string[]
  /** RGBA bytes of each picture, as a canvas would get them. */
  readonly pictures: readonly number[][]
  readonly png: readonly number[]
  /** Addresses of files that came, with their bytes. */
  readonly files: Readonly<Record<string, number>>
  /** Shares of the steps that were seen. */
  readonly steps: readonly number[]
}

/** Opens a model and draws. The same code runs in a page and in its Worker. */
export async function draw({ source, engine, sample, host, abort }: DrawRequest): Promise<Drawn> {
  const [loading, sampling] = [new AbortController(), new AbortController()]
  const files: Record<string, number> = {}
  const steps: number[] = []
  const fetch: FetchOptions = {
    ...(host === undefined ? {} : { host }),
    signal: loading.signal,
    onProgress({ url, bytes }) {
      files[url] = bytes
      if (abort === 'download') loading.abort(new Error('enough of the download'))
    },
  }
  const nothing = { classNames: [], names: [], pictures: [], png: [], files, steps }
  const backend = await (engine === 'wasm' ? cpu() : webgpu())
  try {
    const dit = await openPipeline(source, { backend, fetch })
    for await (const { done, total } of dit.sample({ ...sample, signal: sampling.signal })) {
      steps.push(done / total)
      if (abort === 'sampling') sampling.abort(new Error('enough of the steps'))
    }
    const made = await dit.pictures(sample)
    const drawn = {
      error: null,
      classNames: dit.classNames,
      names: made.map(({ className }) => className),
      pictures: made.map((picture) => [...toImageData(picture).data]),
      png: [...(await toPng(made[0]))],
      files,
      steps,
    }
    dit.dispose()
    return drawn
  } catch (error) {
    return { ...nothing, error: `${(error as Error).name}: ${(error as Error).message}` }
  } finally {
    await backend.dispose()
  }
}
