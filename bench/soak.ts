import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { type DiTConfig, initParams } from '@dit/model'
import { integers, normals, randomStream } from '@dit/random'
import { assign, type Backend, dispose, tensor, toFloat32Array } from '@dit/tensor'
import { processMemory, resetPeak } from './memory.js'
import { openBackend } from './open-engine.js'
import { median } from './statistics.js'
import { createTrainer, type StepBatch } from './workloads/training.js'

const USAGE = `npm run bench:soak -- [--engine tfjs-wasm|cpu-wasm|cpu-native|...] [--threads N] [--steps 2000]

Trains a small model and fails when buffers or memory grow. The drift of the time per step is told, not judged.`

const MODEL: DiTConfig = {
  inputSize: 8,
  patchSize: 2,
  inChannels: 4,
  hiddenSize: 64,
  depth: 2,
  numHeads: 2,
  mlpRatio: 4,
  numClasses: 10,
  classDropout: 0.1,
  learnSigma: false,
}
const BATCH = 4

/** What the heap of the script and its garbage may move by; a leak of one activation a step is far more. */
const RESIDENT_SLACK = 16 * 2 ** 20

/** One look at a run. */
interface Sample {
  readonly step: number
  readonly buffers: number
  readonly bytes: number
  readonly residentBytes: number
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      engine: { type: 'string', default: 'tfjs-wasm' },
      threads: { type: 'string', default: '1' },
      steps: { type: 'string', default: '2000' },
      help: { type: 'boolean', default: false },
    },
  })
  const steps = Number(values.steps)
  if (values.help || !(Number.isSafeInteger(steps) && steps >= 40)) {
    console.error(values.help ? USAGE : `bench: steps must be an integer from 40 (got ${values.steps})\n\n${USAGE}`)
    return values.help ? 0 : 2
  }
  const { backend, threads } = await openBackend(values.engine, Number(values.threads))
  console.log(`${values.engine} x${threads}: ${steps} steps`)
  const { times, samples, firstLoss, lastLoss } = await soak(backend, steps)
  await backend.dispose()

  const quarter = Math.floor(steps / 4)
  const [first, last] = [median(times.slice(0, quarter)), median(times.slice(-quarter))]
  const drift = 100 * (last / first - 1)
  console.log(`loss ${firstLoss.toFixed(4)} at first, ${lastLoss.toFixed(4)} at the end`)
  console.log(
    `step ${first.toFixed(2)} ms in the first quarter, ${last.toFixed(2)} ms in the last (${drift.toFixed(1)} %)`,
  )
  const problems = judge(samples)
  const [early, late] = [samples[Math.floor(samples.length / 4)], samples.at(-1)!]
  const resident = ({ residentBytes }: Sample) => `${(residentBytes / 2 ** 20).toFixed(1)} MiB`
  console.log(`${late.buffers} buffers, ${late.bytes} bytes; resident ${resident(early)}, then ${resident(late)}`)
  for (const problem of problems) console.log(`FAIL  ${problem}`)
  if (problems.length === 0) console.log('ok    nothing grows')
  return problems.length === 0 ? 0 : 1
}

/** Trains, with a look at the memory twenty times. */
async function soak(backend: Backend, steps: number) {
  const trainer = createTrainer(backend, MODEL, 'none')
  const initial = initParams(MODEL, { seed: 0, backend })
  for (const [name, param] of Object.entries(initial)) assign(trainer.params[name], param)
  dispose(initial)
  const times: number[] = []
  const samples: Sample[] = []
  let [firstLoss, lastLoss] = [NaN, NaN]
  for (let step = 1; step <= steps; step++) {
    const start = performance.now()
    const batch = drawBatch(backend, step)
    const loss = trainer.gradients(batch)
    trainer.update()
    const [value] = await toFloat32Array(loss)
    dispose([loss, batch.xt, batch.noise])
    times.push(performance.now() - start)
    if (step === 1) firstLoss = value
    lastLoss = value
    if (step % Math.floor(steps / 20) === 0) {
      resetPeak() // collects garbage
      const { buffers, bytes } = backend.memory()
      samples.push({ step, buffers, bytes, residentBytes: processMemory().residentBytes })
    }
  }
  return { times, samples, firstLoss, lastLoss }
}

/** Data full of zeros, so that the noise can be read off: the loss falls if training works. */
function drawBatch(backend: Backend, step: number): StepBatch {
  const stream = (name: string) => randomStream(0, 'soak', name, step)
  const shape = [BATCH, MODEL.inChannels, 8, 8]
  const noise = normals(stream('noise'), BATCH * MODEL.inChannels * 64)
  return {
    xt: tensor(noise, shape, { backend }),
    noise: tensor(noise, shape, { backend }),
    timesteps: integers(stream('timesteps'), 1000, BATCH),
    labels: integers(stream('labels'), MODEL.numClasses, BATCH),
  }
}

/** What grew. The first quarter is warm-up for the resident size, but not for the engine's count. */
function judge(samples: readonly Sample[]): string[] {
  const problems: string[] = []
  const [first] = samples
  const grown = samples.find(({ buffers, bytes }) => buffers !== first.buffers || bytes !== first.bytes)
  if (grown !== undefined) {
    problems.push(
      `live buffers changed from ${first.buffers} (${first.bytes} bytes, step ${first.step}) to ${grown.buffers} (${grown.bytes} bytes, step ${grown.step})`,
    )
  }
  const early = samples[Math.floor(samples.length / 4)]
  const late = samples.at(-1)!
  const growth = late.residentBytes - early.residentBytes
  if (growth > RESIDENT_SLACK) {
    problems.push(
      `resident size grew by ${(growth / 2 ** 20).toFixed(1)} MiB between step ${early.step} and ${late.step}`,
    )
  }
  return problems
}

try {
  process.exit(await main()) // threads of an engine would keep it alive
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(2)
}
