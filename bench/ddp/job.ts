// One rank of a measured job: threads of this process, or the processes that an MPI launcher has started. Rank 0 prints JSON.
import { cpu } from '@dit/backend-cpu'
import type { DiTConfig } from '@dit/model'
import { integers, normals, randomStream } from '@dit/random'
import { type BatchSource, type Communicator, paperRecipe, singleCommunicator, train } from '@dit/train-ddp'
import { mpiCommunicator, mpiPlace, runThreads, threadSeat } from '@dit/train-ddp/node'

/** What `run-ddp.ts` asks for. */
export interface DdpJob {
  readonly what: 'train' | 'all-reduce'
  readonly engine: 'wasm' | 'native'
  readonly model: DiTConfig
  readonly batchPerWorker: number
  readonly warmUp: number
  readonly steps: number
  readonly shardOptimizer: boolean
  /** Floats of an all-reduce. */
  readonly size: number
}

export interface DdpResult {
  /** Seconds of each timed step, or of the fastest all-reduce. */
  readonly seconds: readonly number[]
  /** Share of the timed steps that rank 0 waited for others. */
  readonly waitShare: number
  readonly losses: readonly number[]
}

async function trained(communicator: Communicator, job: DdpJob): Promise<DdpResult> {
  const { engine, model, batchPerWorker, warmUp, steps, shardOptimizer } = job
  const backend = await cpu({ engine, threads: 1 })
  const batchSize = batchPerWorker * communicator.size
  const recipe = {
    ...paperRecipe,
    batchSize,
    diffusion: { ...paperRecipe.diffusion, varianceType: 'fixedSmall' as const },
  }
  const side = model.inputSize as number
  const size = model.inChannels * side * side
  const rows = async (step: number, start: number, end: number) => ({
    x0: normals(randomStream(1, 'x0', step), (end - start) * size, start * size),
    labels: integers(randomStream(1, 'labels', step), model.numClasses, batchSize).slice(start, end),
  })
  const data: BatchSource = { batch: (step) => rows(step, 0, batchSize), rows }
  const seconds: number[] = []
  const losses: number[] = []
  let [before, waited, waitedBefore] = [performance.now(), 0, 0]
  const options = { model, recipe, data, backend, seed: 0, steps: warmUp + steps, communicator, shardOptimizer }
  for await (const event of train(options)) {
    if (event.type !== 'step') continue
    const now = performance.now()
    if (event.record.step > warmUp) seconds.push((now - before) / 1000)
    else waitedBefore = event.traffic.waitSeconds
    waited = event.traffic.waitSeconds - waitedBefore
    losses.push(event.record.loss)
    before = performance.now()
  }
  await backend.dispose()
  return { seconds, waitShare: waited / seconds.reduce((a, b) => a + b, 0), losses }
}

/** The fastest of ten. */
async function allReduced(communicator: Communicator, { size }: DdpJob): Promise<DdpResult> {
  const values = new Float32Array(size).fill(1)
  let best = Infinity
  for (let round = 0; round < 12; round++) {
    await communicator.allReduce(new Float32Array(1)).wait()
    const began = performance.now()
    await communicator.allReduce(values).wait()
    if (round >= 2) best = Math.min(best, (performance.now() - began) / 1000)
  }
  return { seconds: [best], waitShare: 0, losses: [] }
}

const [, , text, workers] = process.argv
const job = JSON.parse(text) as DdpJob
const isMpi = mpiPlace() !== null
const seat = threadSeat()
if (!isMpi && seat === null && Number(workers) > 1) {
  process.exitCode = await runThreads(new URL(import.meta.url), { size: Number(workers) }).ended
} else {
  const communicator = isMpi ? await mpiCommunicator() : (seat?.communicator ?? singleCommunicator())
  const result = await (job.what === 'train' ? trained : allReduced)(communicator, job)
  if (communicator.rank === 0) process.stdout.write(`${JSON.stringify(result)}\n`)
  await communicator.close()
}
