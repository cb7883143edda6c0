import { resolve } from 'node:path'
import type { BatchStep, Pictures, SampleBatch, SamplingPlan } from '@dit/pipeline'
import { Failure } from '../terminal/errors.js'
import type { Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'
import { type ArrayFileOptions, draftPath } from './array-file.js'
import { checkSameSettings, type JobSettings } from './job-settings.js'
import type { Place } from './outputs.js'
import {
  discardBegun,
  FORMAT,
  type JobRecord,
  openProgress,
  pictureCount,
  type ProgressFolder,
} from './progress-folder.js'
import type { PlannedFile } from './free-space.js'
import {
  gridWriter,
  latentsWriter,
  npzWriter,
  type SampleWriter,
  singlesWriter,
  trajectoryWriter,
} from './sample-writers.js'
import { type PictureSize, type ShownPictures, shownPictures, shownPlan } from './shown-pictures.js'
import { type SinglePictures, singlePictures } from './single-pictures.js'

/** Milliseconds between two times at which progress is kept. */
const KEEP_EVERY = 1000

/** What is written, and of what. */
export interface SampleFilesOptions {
  readonly place: Place
  readonly plan: SamplingPlan
  readonly settings: JobSettings
  /** `[C, H, W]` of a sample. */
  readonly shape: readonly [number, number, number]
  /** Of a picture; null where samples are none. */
  readonly size: PictureSize | null
  readonly nameOf: (label: number) => string
  /** Begin anew what was begun. */
  readonly force: boolean
  /** Where a long check of what is there is shown. */
  readonly output: Output
}

/** The files of sampling, written batch by batch. */
export interface SampleFiles {
  /** Pictures that are there from before, and how many of them are drawn again since their single files are missing or damaged. */
  readonly found: number
  readonly damaged: number
  /** Pictures that are drawn now. */
  readonly drawn: number
  readonly shown: ShownPictures | null
  /** The arrays that will be written, but for the states of the steps. */
  readonly planned: readonly PlannedFile[]
  /** Whether a batch need not be drawn: it is there, or nothing would be written of it. */
  readonly isDone: (batch: number) => boolean
  /** Writes what a batch is after a step. */
  addStep(step: BatchStep): Promise<void>
  /** Writes a batch that is finished. */
  add(batch: SampleBatch, pictures: Pictures | null): Promise<void>
  /** Completes all files; a line about each. */
  finish(): Promise<string[]>
  /** Keeps what is there for another command. Harmless after `finish`. Returns how many pictures are kept; null where none can be. */
  stop(): Promise<number | null>
}

/**
 * Opens the files that samples are written to.
 *
 * @throws UsageError where what was begun has other settings, or is damaged; Failure while another process writes to it
 */
export async function openSampleFiles(options: SampleFilesOptions): Promise<SampleFiles> {
  const { place, plan, settings, shape, size, nameOf, force, output } = options
  const { outputs, anchor } = place
  const { labels, batchSize } = plan
  const total = labels.length
  const numBatches = Math.ceil(total / batchSize)
  const progress = anchor === null ? null : await openProgress(anchor)
  const writers: SampleWriter[] = []
  const closeAll = async () => {
    for (const writer of writers) await writer.close()
  }
  let isNew = false
  try {
    const begun = (await progress?.read()) ?? null
    if ((begun === null) !== (place.begun === null)) {
      throw new Failure(
        `${anchor}: another process has just ${begun === null ? 'finished' : 'begun'} it; look at what is there`,
      )
    }
    const isResumed = begun !== null && begun.done > 0 && !force
    isNew = !isResumed
    if (begun !== null && !isResumed) await discardBegun(begun)
    if (isResumed) checkSameSettings(anchor!, begun, settings)
    let record = isResumed ? begun : await newRecord(options)
    await progress?.save(record)

    const array: ArrayFileOptions = {
      isKept: progress !== null,
      resume: !isResumed ? 'no' : record.done === numBatches ? 'all' : 'draft',
    }
    const shown = outputs.out === null || size === null ? null : shownPictures(shownPlan(plan, size, nameOf), size)
    const singles =
      outputs.singles === null || size === null
        ? null
        : singlePictures(outputs.singles, total, size, (index) => nameOf(labels[index]))
    if (outputs.latents !== null) writers.push(await latentsWriter(outputs.latents, { total, shape }, array))
    if (outputs.trajectory !== null && record.trajectorySteps !== undefined) await openTrajectory(array)
    if (shown !== null) {
      writers.push(await gridWriter(outputs.out!, shown, { keptAt: progress?.gridPath ?? null, isResumed }))
    }
    if (singles !== null) writers.push(singlesWriter(outputs.singles!, singles, total))
    if (outputs.npz !== null && size !== null) writers.push(await npzWriter(outputs.npz, { total, size }, array))

    const damaged = isResumed && singles !== null ? await damagedBatches(singles, record, output) : new Set<number>()
    const isGridOnly = writers.length === 1 && shown !== null && outputs.trajectory === null
    const firstDone = record.done
    const isDone = (batch: number) => (isGridOnly ? !isShownBatch(batch) : batch < firstDone && !damaged.has(batch))
    const drawn = Array.from({ length: numBatches }, (_, batch) => (isDone(batch) ? 0 : countOf(batch)))
    const found = isResumed ? pictureCount(record) : 0
    let keptAt = performance.now()
    // On the disk, as far as the record tells.
    let onDisk = record
    let isEnded = false

    async function keep(): Promise<void> {
      if (progress === null) return
      for (const writer of writers) await writer.sync()
      await progress.save(record)
      onDisk = record
      keptAt = performance.now()
    }

    async function openTrajectory(how: ArrayFileOptions): Promise<void> {
      const steps = record.trajectorySteps!
      // After the latents, as its line is.
      const at = outputs.latents === null ? 0 : 1
      writers.splice(at, 0, await trajectoryWriter(outputs.trajectory!, { total, shape, steps }, how))
    }

    function countOf(batch: number): number {
      return Math.min(batchSize, total - batch * batchSize)
    }

    function isShownBatch(batch: number): boolean {
      return Array.from({ length: countOf(batch) }, (_, i) => batch * batchSize + i).some(
        (index) => shown!.plan.tileOf(index) !== null,
      )
    }

    return {
      found,
      damaged: [...damaged].reduce((sum, batch) => sum + countOf(batch), 0),
      drawn: drawn.reduce((sum, count) => sum + count, 0),
      shown,
      planned: plannedFiles(options),
      isDone,
      async addStep(step) {
        if (outputs.trajectory !== null && record.trajectorySteps === undefined) {
          record = { ...record, trajectorySteps: step.numSteps }
          await progress?.save(record)
          await openTrajectory({ ...array, resume: 'no' })
        }
        for (const writer of writers) await writer.addStep?.(step)
      },
      async add(batch, pictures) {
        for (const writer of writers) await writer.add?.(batch, pictures)
        record = { ...record, done: Math.max(record.done, batch.number + 1) }
        if (performance.now() - keptAt >= KEEP_EVERY) await keep()
      },
      async finish() {
        await keep()
        const lines: string[] = []
        for (const writer of writers) lines.push(await writer.finish())
        isEnded = true
        await closeAll()
        await progress?.remove()
        return lines
      },
      async stop() {
        if (isEnded) return null
        isEnded = true
        // On a full disk what was kept before stays.
        if (record.done > 0) await keep().catch(() => {})
        await closeAll()
        if (progress === null) return null
        if (onDisk.done > 0) {
          await progress.close()
          return pictureCount(onDisk)
        }
        await discardBegun(record)
        await progress.remove()
        return null
      },
    }
  } catch (error) {
    await closeAll()
    if (isNew) await giveUp(progress, error)
    else await progress?.close()
    throw error
  }
}

function plannedFiles({ place: { outputs }, plan: { labels }, shape, size }: SampleFilesOptions): PlannedFile[] {
  const each = (path: string | null, bytes: number) => (path === null ? [] : [{ path, bytes: labels.length * bytes }])
  const pixels = size === null ? 0 : size.height * size.width * 3
  return [...each(outputs.npz, pixels), ...each(outputs.latents, 4 * shape[0] * shape[1] * shape[2])]
}

/** Leaves nothing of what could not begin; but a file that was in the way is somebody else's. */
async function giveUp(progress: ProgressFolder | null, error: unknown): Promise<void> {
  if (progress === null) return
  const record = await progress.read()
  if (record !== null && (error as NodeJS.ErrnoException).code !== 'EEXIST') await discardBegun(record)
  await progress.remove()
}

async function newRecord({ place, plan, settings }: SampleFilesOptions): Promise<JobRecord> {
  const { npz, latents, trajectory } = place.outputs
  const drafts: string[] = []
  for (const path of [npz, latents, trajectory]) if (path !== null) drafts.push(resolve(await draftPath(path)))
  const { labels, batchSize } = plan
  return { format: FORMAT, settings, numbers: place.numbers, pictures: labels.length, batchSize, done: 0, drafts }
}

/** Batches that a record says are done, and some of whose single files are not there or not whole. */
async function damagedBatches(
  singles: SinglePictures,
  { done, batchSize, pictures }: JobRecord,
  output: Output,
): Promise<Set<number>> {
  await singles.removePartial()
  const damaged = new Set<number>()
  const progress = showProgress(output, { total: done, unit: 'batches', isPlainShown: 'when slow' })
  try {
    for (let batch = 0; batch < done; batch++) {
      const first = batch * batchSize
      if (!(await singles.areWhole(first, Math.min(batchSize, pictures - first)))) damaged.add(batch)
      progress.update(batch + 1, 'checking')
    }
  } finally {
    progress.stop()
  }
  return damaged
}
