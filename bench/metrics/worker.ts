import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { float64 } from '@dit/backend-cpu/float64'
import {
  authenticity,
  type Features,
  frechetDistance,
  kernelDistance,
  precisionRecall,
  type Products,
} from '@dit/metrics'
import { processMemory, resetPeak } from '../memory.js'
import type { Answer, Question } from './run-metrics.js'

// The process of one engine: reads two sets, computes the measures asked for, and writes a line for each.

type Measure = (real: Features, generated: Features, products: Products) => readonly number[]

const prdc =
  (k: number): Measure =>
  (real, generated, products) => {
    const { precision, recall, density, coverage } = precisionRecall(real, generated, { k, products })
    return [precision, recall, density, coverage]
  }

const MEASURES: Readonly<Record<string, Measure>> = {
  fid: (real, generated, products) => [frechetDistance(real, generated, { products }).distance],
  'prdc-3': prdc(3),
  'prdc-5': prdc(5),
  kid: (real, generated, products) => [kernelDistance(real, generated, { products }).mean],
  authenticity: (real, generated, products) => [authenticity(real, generated, { products }).share],
}

const question = JSON.parse(process.argv[2]) as Question
const { engine, threads, width, files } = question
const products = await float64({ engine, threads })
const [real, generated] = files.map((file) => featuresOf(file, width))
for (const { name, count } of question.measures) {
  const [one, two] = [firstRows(real, count), firstRows(generated, count)]
  const isPeakReset = resetPeak()
  const before = processMemory().residentBytes
  const cpu = process.cpuUsage()
  const start = performance.now()
  const values = MEASURES[name](one, two, products)
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const { peakBytes } = processMemory()
  const { instructionSet } = products.description
  const answer: Answer = {
    name,
    count,
    values,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakBytes,
    addedBytes: isPeakReset ? peakBytes - before : null,
    what: `${engine} ${instructionSet}`,
  }
  console.log(JSON.stringify(answer))
}
await products.dispose()
process.exit(0)

function featuresOf(file: string, width: number): Features {
  const { buffer, byteOffset, byteLength } = readFileSync(file)
  const data = new Float32Array(buffer, byteOffset, byteLength / 4)
  return { shape: [data.length / width, width], data }
}

function firstRows({ shape: [, width], data }: Features, count: number): Features {
  return { shape: [count, width], data: data.subarray(0, count * width) }
}
