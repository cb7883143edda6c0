import { float64 } from '@dit/backend-cpu/float64'
import { featuresOf, type PictureSource } from '@dit/evaluate'
import { folderFeatureStore } from '@dit/evaluate/node'
import { mpiPlace } from '@dit/train-ddp/node'
import { Command } from 'commander'
import { dirname, join } from 'node:path'
import { chosenBackend } from '../engines/engine-options.js'
import { openEngine } from '../engines/open-engine.js'
import { compareWith } from '../evaluate/compare-job.js'
import { addEvalOptions, EVAL_DEFAULTS, type EvalFlags } from '../evaluate/eval-settings.js'
import { inEvalFlags } from '../evaluate/eval-words.js'
import { findEvaluation } from '../evaluate/find-evaluation.js'
import { openExtractorOf } from '../evaluate/open-extractor.js'
import { openSet, sideOfFolder } from '../evaluate/open-sets.js'
import { evalFromFlags } from '../evaluate/run-eval.js'
import { stageProgress } from '../evaluate/stage-progress.js'
import { asTypedCommand } from '../evaluate/write-page.js'
import { writeStatistics } from '../evaluate/write-statistics.js'
import { type Job, outputOfRank, singleJob } from '../job/job.js'
import { numWorkers, runInThread, runOnThreads } from '../job/thread-job.js'
import { givenOptions } from '../settings/config-file.js'
import { withPretrainedSampling } from '../settings/pretrained.js'
import { path } from '../settings/values.js'
import { EXIT, UsageError } from '../terminal/errors.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'

const EXAMPLES = `
Examples:
  dit eval runs/shapes
  dit eval runs/photos --data photos-test --steps 25 --sampler dpmpp-2m --guidance 1.5
  dit eval model.safetensors --data photos-test --train photos-train --workers 2
  dit eval samples.npz --data VIRTUAL_imagenet256_labeled.npz --extractor pt_inception-2015-12-05-6726825d.pth
  dit eval runs/longer --compare runs/shorter
  dit eval --compare runs/a runs/b
  dit eval --data photos-test --write-statistics photos.npz

A run is judged by what it held out (dit train --val-share), and copies are looked for among what it was trained
on. Every measure stands beside its floor, which is what real pictures reach against other real ones: a model
cannot be expected beyond it. A distance is titled FID only on the features of FID.

Stopped? The same command goes on where it was. docs/evaluating.md says how to read each number, and how many
samples it needs.`

/** Seconds that workers wait for each other: measures hold a thread for long. */
const PATIENCE = 24 * 3600

/** `dit eval` */
export function evalCommand(call: Call): Command {
  const command = new Command('eval')
    .summary('measure how good a model is, and look for copies')
    .description(
      'Judges a run, weights or pictures by real pictures: measures with intervals and floors, copies of training pictures, and a report page.',
    )
    .argument('[model]', 'a run, a checkpoint, weights, a folder of pictures, tar shards, or an npz with arr_0', path)
  return addEvalOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async (given: string | undefined) => {
      const flags = withPretrainedSampling(given, givenOptions<EvalFlags>(command))
      const typed = asTypedCommand((command.parent as unknown as { readonly rawArgs: readonly string[] }).rawArgs)
      call.exitCode = await startEval(given, flags, createOutput(flags, call), typed)
    })
}

/** Evaluates in this process, or starts the workers that do, or is one of them. Returns the exit code. */
async function startEval(given: string | undefined, flags: EvalFlags, output: Output, typed: string): Promise<number> {
  const { compare = [] } = flags
  if (compare.length > 2 || (compare.length === 2 && given !== undefined)) {
    throw new UsageError(
      `--compare takes one evaluation beside a model, or two without one (got ${compare.length}${given === undefined ? '' : ` and ${given}`})`,
    )
  }
  if (given === undefined && compare.length === 2) return compareTwo(compare[0], compare[1], flags, output, typed)
  if (given === undefined) {
    if (flags.writeStatistics !== undefined) return onlyStatistics(flags.writeStatistics, flags, output)
    throw new UsageError('what is to be judged? Give a run, weights, a folder of pictures or an npz: `dit eval <run>`')
  }
  if (compare.length === 1) await findEvaluation(compare[0])
  const work = (job: Job) => evalFromFlags(given, flags, outputOfRank(job.communicator.rank, output), job, typed)
  const code = await runInThread(PATIENCE, work)
  if (code !== null) return code
  if (mpiPlace() !== null)
    throw new UsageError(
      'dit eval uses threads (--workers), not the processes of an MPI launcher; start it without one',
    )
  const workers = numWorkers(flags.workers ?? EVAL_DEFAULTS.workers)
  return workers > 1 ? runOnThreads(workers, output, 'stopping') : work(singleJob())
}

async function compareTwo(
  first: string,
  second: string,
  flags: EvalFlags,
  output: Output,
  command: string,
): Promise<number> {
  const [one, other] = [await findEvaluation(first), await findEvaluation(second)]
  const products = await float64({ threads: flags.threads ?? 'auto' })
  try {
    await inEvalFlags(() => compareWith(one, other, flags.out ?? null, { flags, command, products, output }))
    return EXIT.ok
  } finally {
    await products.dispose()
  }
}

/** Statistics of `--data`, and nothing else. */
async function onlyStatistics(file: string, flags: EvalFlags, output: Output): Promise<number> {
  const { data, skipBad, background } = flags
  if (data === undefined) throw new UsageError('--write-statistics: give the pictures with --data')
  const isNpz = /\.npz$/i.test(data)
  const size = flags.size ?? (isNpz ? 1 : await sideOfFolder(data))
  const set = await openSet('--data', data, { size, skipBad, background }, output)
  try {
    if ('statistics' in set.source) throw new UsageError(`--data ${data}: it holds statistics already`)
    const { threads, precision, tf32 } = flags
    const engine = await openEngine(chosenBackend(flags), { threads, precision, tf32 })
    const products = await float64({ threads: flags.threads ?? 'auto' })
    const progress = stageProgress(output)
    try {
      const extractor = await openExtractorOf(flags.extractor ?? EVAL_DEFAULTS.extractor, engine.backend)
      const layer = flags.layer ?? extractor.defaultLayer
      const spatial = extractor.layers.some(({ name }) => name === 'spatial') ? ['spatial'] : []
      const store = folderFeatureStore(flags.cache ?? join(dirname(file), 'evaluation-cache'))
      const {
        features,
        count,
        size: own,
      } = await inEvalFlags(() =>
        featuresOf(set.source as PictureSource, {
          extractor,
          layers: [...new Set([layer, ...spatial])],
          store,
          onProgress: (done, total) => progress.update({ stage: 'real pictures', done, total }),
        }),
      )
      const side = { features: features[layer], spatial: features.spatial ?? null }
      await writeStatistics(file, { side, extractor, layer, size: own, products })
      output.line(`wrote  ${file}, statistics of ${count} pictures by ${extractor.name}, layer ${layer}`)
      output.event({ type: 'statistics', file, count, extractor: extractor.name, layer })
      return EXIT.ok
    } finally {
      progress.stop()
      await products.dispose()
      await engine.backend.dispose()
    }
  } finally {
    await set.close()
  }
}
