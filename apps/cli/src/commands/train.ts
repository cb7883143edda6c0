import { join } from 'node:path'
import { mpiPlace } from '@dit/train-ddp/node'
import { Command } from 'commander'
import { showEngine } from '../engines/show-engine.js'
import { givenOptions } from '../settings/config-file.js'
import { type Job, outputOfRank, singleJob } from '../job/job.js'
import { runUnderMpi } from '../job/mpi-job.js'
import { supervise, SUPERVISED } from '../job/supervise.js'
import { numWorkers, runInThread, runOnThreads } from '../job/thread-job.js'
import { chosenRecipe } from '../settings/named-recipes.js'
import { addTrainOptions, TRAIN_DEFAULTS, type TrainFlags } from '../settings/train-settings.js'
import { runFolder } from '../run/run-folder.js'
import { EXIT, UsageError } from '../terminal/errors.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'
import { withTimedLength } from '../run/run-length.js'
import { steadyClock } from '../time/clock.js'
import { processOfRun } from '../run/objective-config.js'
import { describeRun } from '../run/describe-run.js'
import { type PreparedRun, prepareTraining } from '../run/prepare-training.js'
import { runTraining } from '../run/run-training.js'

const EXAMPLES = `
Examples:
  dit train --data shapes --size 16 --steps 500
  dit train --data photos --size 32 --patch 2 --out runs/photos
  dit train --data 'shards/train-{0000..0146}.tar' --size 64
  dit train --latents latents/photos --model DiT-S/2 --out runs/latents
  dit train --data photos --minutes 10
  dit train --data photos --val-share 0.1 --eval-every 500
  dit train --data photos --val-share 0.1 --predict x0 --variance fixedSmall
  dit train --objective ./mine.mjs --steps 1000
  dit train --from runs/photos --data birds --lora 8
  dit train --resume runs/photos
  dit train --config photos.json --seed 1
  dit train --workers 2 --threads 1 --shard-optimizer
  mpirun -n 4 dit train --batch 256 --out runs/large

Transparent pictures are put on white, or on --background (none: drop the alpha channel, as the reference does).
samples/data.png in the run shows pictures as the network sees them.

Ctrl-C saves a checkpoint and stops; a second Ctrl-C quits at once. A run folder holds config.json,
log.jsonl, checkpoints/, samples/ and report.html, a page to look at while it trains.`

/** `dit train` */
export function trainCommand(call: Call): Command {
  const command = new Command('train')
    .summary('train a DiT on pictures, or your own network')
    .description(
      'Trains a class-conditional DiT on pictures, or the network of your own module. --data, --size, --steps and --out are enough to begin.',
    )
  return addTrainOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const flags = givenOptions<TrainFlags>(command)
      call.exitCode = await startTraining(flags, createOutput(flags, call))
    })
}

/** Trains in this process, or starts the workers that do, or is one of them. Returns the exit code. */
async function startTraining(flags: TrainFlags, output: Output): Promise<number> {
  const { patience = TRAIN_DEFAULTS.patience, maxRestarts = 0, mpirun } = flags
  const work = (job: Job) => trainFromFlags(flags, outputOfRank(job.communicator.rank, output), job)
  const code = await runInThread(patience, work)
  if (code !== null) return code
  const place = mpiPlace()
  const workers = numWorkers(flags.workers ?? TRAIN_DEFAULTS.workers)
  if ((place !== null || mpirun !== undefined) && workers > 1) {
    throw new UsageError('--workers starts threads, but an MPI launcher starts processes; leave one of them out')
  }
  if ((maxRestarts > 0 || mpirun !== undefined) && process.env[SUPERVISED] === undefined) {
    if (place !== null) {
      throw new UsageError('--max-restarts and --mpirun start the MPI launcher: run dit itself, not the launcher')
    }
    const isResume = flags.resume !== undefined && flags.resume !== false
    return supervise({ folder: runFolder(flags), isResume, maxRestarts, mpirun }, output)
  }
  if (place !== null) return runUnderMpi(place, patience, work)
  return workers > 1 ? runOnThreads(workers, output) : work(singleJob())
}

function doneText({ folder, config }: PreparedRun): string {
  if (processOfRun(config) === null || config.data.kind === 'module') {
    return `done; docs/own-network.md shows how to read the averaged weights in ${folder}`
  }
  const vae = config.data.kind === 'latents' ? ' --vae <autoencoder>' : ''
  const page = config.report === false ? '' : `; ${join(folder, 'report.html')} shows how it went`
  return `done; see what it learned with: dit sample ${folder}${vae}${page}`
}

/** Why a new run has its recipe. */
function recipeReason({ config: { objective, data }, isResume }: PreparedRun, flags: TrainFlags): string | undefined {
  if (isResume) return undefined
  return chosenRecipe(flags, objective.kind === 'module' ? 'module' : data.kind === 'latents' ? 'latents' : 'pictures')
    .reason
}

/** Trains what flags describe, as one worker of a job. Returns the exit code; errors are thrown. */
export async function trainFromFlags(flags: TrainFlags, output: Output, job: Job): Promise<number> {
  const began = steadyClock()
  const opened = await prepareTraining(flags, output, job)
  const { data, engine } = opened
  try {
    showEngine(engine, output)
    if (job.description !== null) output.line(`workers ${job.description}`)
    const { name, size } = job.communicator
    if (size > 1) output.event({ type: 'workers', communicator: name, size, processes: job.processes ?? [] })
    const prepared = await withTimedLength(opened, output, job, { began })
    const { folder, config } = prepared
    for (const line of describeRun(config, folder, recipeReason(prepared, flags))) output.line(line)
    output.event({ type: 'run', folder, config })
    const { step, interrupted, hasBegun, isGridMissing, isEvaluationMissing } = await runTraining(prepared, output, job)
    if (interrupted !== null && !hasBegun) {
      output.notice('stopped before the first step; nothing has changed')
      return interrupted
    }
    if (interrupted !== null && step === config.steps && isGridMissing && !isEvaluationMissing) {
      output.notice(
        `all ${step} steps are done and saved, but the last grid of samples is missing. Make one with: dit sample ${folder}`,
      )
      return interrupted
    }
    if (interrupted !== null) {
      const isNothing = step === 0 ? 'nothing was trained yet' : 'a checkpoint is saved'
      const saved = isEvaluationMissing ? `${isNothing}, and the last step has yet to be evaluated` : isNothing
      output.notice(`stopped at step ${step} of ${config.steps}; ${saved}. Continue with: dit train --resume ${folder}`)
      return interrupted
    }
    output.line(doneText(prepared))
    return EXIT.ok
  } finally {
    await data.close()
    await engine.backend.dispose()
  }
}
