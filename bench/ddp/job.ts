// One rank of a measured job: threads of this process, or the processes that an MPI launcher has started. Rank 0 prints JSON.
import { connect } from 'node:net'
import { cpu } from '@dit/backend-cpu'
import type { DiTConfig } from '@dit/model'
import { integers, normals, randomStream } from '@dit/random'
import {
  classConditional,
  type Communicator,
  paperRecipe,
  pictureBatch,
  singleCommunicator,
  train,
} from '@dit/train-ddp'
import { mpiCommunicator, mpiPlace, runThreads, threadSeat } from '@dit/train-ddp/node'

/** What `run-ddp.ts` asks for. */
export interface DdpJob {
  readonly what: 'train' | 'all-reduce'
  readonly engine: 'wasm' | 'native'
  readonly model: DiTConfig
  readonly batchPerWorker: number
  readonly shardOptimizer: boolean
  /** A port of this machine, where a byte comes for each step that may be done, and the end when there are to be no more. */
  readonly turns?: number
  /** Floats of an all-reduce. */
  readonly size: number
}

/** A step of training, or the fastest all-reduce. */
export interface DdpStep {
  readonly seconds: number
  /** Of these, how long rank 0 waited for others. */
  readonly waited: number
}

const tell = ({ rank }: Communicator, step: DdpStep) => {
  if (rank === 0) process.stdout.write(`${JSON.stringify(step)}\n`)
}

async function trained(communicator: Communicator, job: DdpJob): Promise<void> {
  const { engine, model, batchPerWorker, shardOptimizer } = job
  const backend = await cpu({ engine, threads: 1 })
  const batchSize = batchPerWorker * communicator.size
  const recipe = { ...paperRecipe, batchSize }
  const objective = classConditional(model, { varianceType: 'fixedSmall' })
  const side = model.inputSize as number
  const size = model.inChannels * side * side
  const rows = async (step: number, start: number, end: number) => {
    const x0 = normals(randomStream(1, 'x0', step), (end - start) * size, start * size)
    const labels = integers(randomStream(1, 'labels', step), model.numClasses, batchSize).slice(start, end)
    return pictureBatch(x0, labels, [model.inChannels, side, side])
  }
  const options = { objective, recipe, data: { rows }, backend, seed: 0, steps: 1e6, communicator, shardOptimizer }
  const turns = turnsOf(job.turns!)
  await turns.next()
  let [began, waited] = [performance.now(), 0]
  for await (const event of train(options)) {
    if (event.type !== 'step') continue
    const { waitSeconds } = event.traffic
    tell(communicator, { seconds: (performance.now() - began) / 1000, waited: waitSeconds - waited })
    waited = waitSeconds
    if ((await turns.next()).done) break
    began = performance.now()
  }
  await backend.dispose()
}

/** One item for each step that may be done. A wait takes no time of a core: those are left to the jobs at work. */
async function* turnsOf(port: number): AsyncGenerator<void, void, void> {
  for await (const bytes of connect(port, '127.0.0.1')) {
    for (let step = 0; step < (bytes as Buffer).length; step++) yield
  }
}

/** The fastest of ten. */
async function allReduced(communicator: Communicator, { size }: DdpJob): Promise<void> {
  const values = new Float32Array(size).fill(1)
  let best = Infinity
  for (let round = 0; round < 12; round++) {
    await communicator.allReduce(new Float32Array(1)).wait()
    const began = performance.now()
    await communicator.allReduce(values).wait()
    if (round >= 2) best = Math.min(best, (performance.now() - began) / 1000)
  }
  tell(communicator, { seconds: best, waited: 0 })
}

const [, , text, workers] = process.argv
const job = JSON.parse(text) as DdpJob
const isMpi = mpiPlace() !== null
const seat = threadSeat()
if (!isMpi && seat === null && Number(workers) > 1) {
  process.exitCode = await runThreads(new URL(import.meta.url), { size: Number(workers) }).ended
} else {
  const communicator = isMpi ? await mpiCommunicator() : (seat?.communicator ?? singleCommunicator())
  await (job.what === 'train' ? trained : allReduced)(communicator, job)
  await communicator.close()
}
