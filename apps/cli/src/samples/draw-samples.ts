import type { BatchStep, Pipeline, SampleOptions, SamplingPlan } from '@dit/pipeline'
import { writeWhole } from '../run/write-whole.js'
import { Failure } from '../terminal/errors.js'
import { formatCount } from '../terminal/format.js'
import type { Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'
import { shortOfSpace } from './free-space.js'
import type { SampleFiles } from './sample-files.js'

/** Previews in the course of a batch's steps. */
const PREVIEWS = 10

/** What is drawn, and where it goes. */
export interface Drawing {
  readonly plan: SamplingPlan
  readonly files: SampleFiles
  /** Where to show estimates while they are in work. */
  readonly preview: string | null
  /** Whether the samples are decoded to pictures. */
  readonly isShown: boolean
  readonly output: Output
}

/**
 * Draws what is not there yet, batch by batch, and hands it to the files.
 *
 * @throws Failure for samples that are not finite; the signal's reason when stopped
 */
export async function drawSamples(
  pipeline: Pipeline,
  options: SampleOptions,
  { plan, files, preview, isShown, output }: Drawing,
): Promise<void> {
  const all = plan.labels.length
  const { found, damaged, drawn, shown } = files
  tellFound(plan, files, output)
  if (found === 0) for (const text of await shortOfSpace(files.planned)) output.notice(text)
  const numBatches = Math.ceil(all / plan.batchSize)
  const todo = Array.from({ length: numBatches }, (_, batch) => batch).filter((batch) => !files.isDone(batch))
  if (todo.length === 0) return
  const total = todo.length * plan.stepsTaken
  const every = Math.max(1, Math.floor(plan.stepsTaken / PREVIEWS))
  const progress = showProgress(output, { total, unit: 'steps', rate: { unit: 'pictures', each: drawn / total } })
  let finished = found - damaged
  const onStep = async (step: BatchStep) => {
    await files.addStep(step)
    const { done, index, numSteps, first, count } = step
    if (index === numSteps - 1) finished += count
    progress.update(done, `${finished} of ${found - damaged + drawn} pictures`)
    output.event({ type: 'step', done, total, finished })
    if (preview !== null && shown !== null && (done % every === 0 || done === 1)) {
      const pictures = await pipeline.decode(await step.estimates(), options)
      await writeWhole(preview, await shown.png({ pictures, first }))
    }
  }
  try {
    for await (const batch of pipeline.batches(options, { skip: files.isDone, onStep })) {
      if (!batch.samples.every(Number.isFinite)) {
        throw new Failure(
          `the samples are not finite numbers: the weights are not finite, or sampling diverged; the samples from picture ${batch.first} on were not written`,
        )
      }
      await files.add(batch, isShown ? await pipeline.decode(batch.samples, options) : null)
    }
  } finally {
    progress.stop()
  }
}

/** Says what is there from before, and what will not be drawn since nobody would see it. */
function tellFound(plan: SamplingPlan, { found, damaged, drawn }: SampleFiles, output: Output): void {
  const all = plan.labels.length
  if (found > 0) {
    const again =
      damaged === 0 ? '' : `, ${formatCount(damaged)} of them to be drawn again, as their files are missing or damaged`
    output.line(`found  ${formatCount(found)} of ${formatCount(all)} pictures${again}; drawing ${formatCount(drawn)}`)
    output.event({ type: 'found', found, damaged, drawn, pictures: all })
  } else if (drawn < all) {
    output.notice(
      `only the grid is written, so only the ${formatCount(drawn)} pictures in and beside it are drawn of ${formatCount(all)}; --npz or --singles write all`,
    )
  }
}
