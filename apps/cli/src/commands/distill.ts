import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isRun } from '@dit/pipeline/node'
import { type CompleteProcess, findCheckpoint } from '@dit/train-ddp'
import { folderRunStore, mpiPlace } from '@dit/train-ddp/node'
import { Command } from 'commander'
import {
  DISTILL_COMMAND_SETTINGS,
  DISTILL_DEFAULTS,
  type DistillFlags,
  distillOptions,
} from '../distill/distill-flags.js'
import { stageFlags, stageName, stagesOf } from '../distill/stages.js'
import { openStartingPoint } from '../fine-tune/starting-point.js'
import { type Job, outputOfRank, singleJob } from '../job/job.js'
import { runUnderMpi } from '../job/mpi-job.js'
import { numWorkers, runInThread, runOnThreads } from '../job/thread-job.js'
import { placeOfData } from '../run/open-data.js'
import { CONFIG_FILE, isPictureData } from '../run/run-config.js'
import { readRunConfig } from '../run/run-folder.js'
import { givenOptions } from '../settings/config-file.js'
import { TRAIN_DEFAULTS } from '../settings/train-settings.js'
import { EXIT, UsageError } from '../terminal/errors.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'
import { trainFromFlags } from './train.js'

const EXAMPLES = `
Examples:
  dit distill --from runs/photos --out runs/photos-student --guidance-range 1,3
  dit distill --from @dit/pretrained/heroes --data heroes --start-steps 16 --last 4 --out runs/quick-heroes
  dit sample runs/photos-student/4-steps --guidance 2
  dit convert runs/photos-student/4-steps photos-4.safetensors --dtype f16

Progressive distillation: in each stage a student learns to do in one step what its teacher does in two, and then teaches
the next. Every stage is a run of its own, in a folder such as 4-steps. Ctrl-C saves a checkpoint; the same command goes on.
docs/distillation.md says what to expect.`

/** `dit distill` */
export function distillCommand(call: Call): Command {
  const command = new Command('distill')
    .summary('make a student of few steps from a trained model')
    .description(
      'Trains students of a model that need fewer and fewer steps for a picture, and no second pass for guidance. Each begins with the weights of its teacher.',
    )
  return distillOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const flags = givenOptions<DistillFlags>(command)
      call.exitCode = await startDistilling(flags, createOutput(flags, call))
    })
}

/** Distils in this process, or starts the workers that do, or is one of them. Returns the exit code. */
async function startDistilling(flags: DistillFlags, output: Output): Promise<number> {
  const { patience = TRAIN_DEFAULTS.patience } = flags
  const work = (job: Job) => distil(flags, outputOfRank(job.communicator.rank, output), job)
  const code = await runInThread(patience, work)
  if (code !== null) return code
  const place = mpiPlace()
  const workers = numWorkers(flags.workers ?? TRAIN_DEFAULTS.workers)
  if (place !== null && workers > 1) {
    throw new UsageError('--workers starts threads, but an MPI launcher starts processes; leave one of them out')
  }
  if (place !== null) return runUnderMpi(place, patience, work)
  return workers > 1 ? runOnThreads(workers, output) : work(singleJob())
}

/** All stages, one after another, those that are done left out. */
async function distil(flags: DistillFlags, output: Output, job: Job): Promise<number> {
  const { out, from } = flags
  if (out === undefined)
    throw new UsageError(`${DISTILL_COMMAND_SETTINGS.out.flag} is needed: the folder of the students`)
  if (from === undefined) throw new UsageError('--from is needed: the run or weights of the teacher')
  const { process } = await teacherOf(flags)
  const data = await dataOfTeacher(flags)
  const stages = stagesOf(process.distilled, flags.startSteps, flags.last ?? DISTILL_DEFAULTS.last)
  let teacher = from
  for (const [index, numSteps] of stages.entries()) {
    const folder = join(out, stageName(numSteps))
    const stage = stageFlags(
      { ...data, ...flags },
      { teacher, numSteps, startSteps: stages[0] * 2, isFirst: index === 0 },
    )
    const state = await stateOf(folder)
    output.line(
      `stage ${index + 1} of ${stages.length}: ${stageName(numSteps)}${state === 'done' ? ', done before' : ''}`,
    )
    if (state !== 'done') {
      const place = state === 'begun' ? { ...stage, resume: folder } : { ...stage, out: folder }
      const code = await trainFromFlags(place, output, job)
      if (code !== EXIT.ok) {
        output.notice('the same dit distill command goes on')
        return code
      }
    }
    teacher = folder
  }
  return EXIT.ok
}

/** What the first teacher is, opened and closed. */
async function teacherOf({ from, fromWeights }: DistillFlags): Promise<{ readonly process: CompleteProcess }> {
  const start = await openStartingPoint({ from, fromWeights })
  await start!.model.close()
  return start!
}

/** The pictures of a teacher that is a run, where flags name none: those that it was trained on, as it saw them. */
async function dataOfTeacher({ from, data, latents }: DistillFlags): Promise<DistillFlags> {
  if (data !== undefined || latents !== undefined || !(await isRun(from!))) return {}
  const { data: own, flip } = await readRunConfig(from!)
  if (own.kind === 'module') return {}
  const place = placeOfData(own)
  if (own.kind === 'latents') return { latents: place, flip }
  const seen = isPictureData(own) ? { skipBad: own.skipBad, background: own.background ?? null } : {}
  return { data: place, flip, ...seen }
}

/** How far a stage has come. */
async function stateOf(folder: string): Promise<'none' | 'begun' | 'done'> {
  if ((await stat(join(folder, CONFIG_FILE)).catch(() => null)) === null) return 'none'
  const { steps } = await readRunConfig(folder)
  const found = await findCheckpoint(folderRunStore(folder))
  return found?.step === steps ? 'done' : 'begun'
}
