import { join } from 'node:path'
import { lastSamples, openPipeline } from '@dit/pipeline'
import { dispose } from '@dit/tensor'
import { findCheckpoint, loadCheckpointParams } from '@dit/train-ddp'
import { folderRunStore } from '@dit/train-ddp/node'
import { comfortableScale, gridPng } from '../plot/grid.js'
import { denoisingOf } from './objective-config.js'
import { Failure } from '../terminal/errors.js'
import type { Output } from '../terminal/output.js'
import { showProgress } from '../terminal/progress.js'
import type { PreparedRun } from './prepare-training.js'
import { SCORE_FILE } from './demo-folder.js'
import { DEMO_SAMPLING } from './demo-recipe.js'
import { type DemoScore, scoreDemo } from './demo-score.js'

export const SAMPLES_FILE = 'samples.png'

/**
 * Samples every class from a trained demo's averaged weights, writes them as a grid, judges them and writes the score.
 *
 * @throws the signal's reason when stopped; then nothing is written
 */
export async function drawSamples(
  { folder, config, engine: { backend } }: PreparedRun,
  perClass: number,
  output: Output,
  signal: AbortSignal,
): Promise<DemoScore> {
  const store = folderRunStore(folder)
  const found = await findCheckpoint(store)
  if (found === null) throw new Failure(`${folder} has no checkpoint to sample from`)
  const { classes, seed } = config
  const { model, process } = denoisingOf(config, 'dit demo')
  const { sampler, steps, guidance } = DEMO_SAMPLING
  const labels = Array.from({ length: classes.length * perClass }, (_, i) => Math.floor(i / perClass))
  output.line(
    `sampling ${labels.length} pictures: ${steps} ${sampler.toUpperCase()} steps, guidance ${guidance}, averaged weights (EMA)`,
  )
  const progress = showProgress(output, { total: steps, unit: 'steps' })
  const params = await loadCheckpointParams(store, found.path, 'ema', backend)
  try {
    const pipeline = await openPipeline({ network: model, process, params, classNames: classes }, { backend })
    const options = {
      labels,
      steps,
      sampler,
      guidance,
      guidanceChannels: 'all',
      batchSize: labels.length,
      seed,
      signal,
    } as const
    const images = await lastSamples(pipeline.sample(options), ({ done }) => progress.update(done, ''))
    progress.stop()
    const score = await scoreDemo(images, labels)
    const pictures = await pipeline.decode(images)
    const layout = { columns: perClass, rowLabels: classes, scale: comfortableScale(pictures) }
    await store.write(SAMPLES_FILE, await gridPng(pictures, layout))
    const record = { format: 'dit-demo-score-1', step: found.step, sampling: { ...DEMO_SAMPLING, perClass }, ...score }
    await store.write(SCORE_FILE, `${JSON.stringify(record, null, 2)}\n`)
    output.event({ type: 'score', samplesFile: join(folder, SAMPLES_FILE), ...record })
    return score
  } finally {
    progress.stop()
    dispose(params)
  }
}
