import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describeWebGpu, webgpu } from '@dit/backend-webgpu'
import { nodeGpu } from '@dit/backend-webgpu/node'
import { countedNetwork, ditConfig, forward } from '@dit/model'
import { countMultiplyAdds } from '@dit/scaling'
import {
  attention,
  type Backend,
  dispose,
  linear,
  mean,
  randomNormal,
  randomStream,
  scope,
  stopGradient,
  type Tensor,
  valueAndGrad,
} from '@dit/tensor'
import { runConformance } from '@dit/tensor/conformance'
import { faviconModel, faviconParams, faviconSample, FAVICON_STEPS } from '../../bench/favicon/case.js'
import { createTrainer } from '../../bench/workloads/training.js'
import { ratios, torchRates } from './pytorch.js'
import { ATTENTIONS, GEMMS, peaksOf, type Precision, type Rate } from './rates.js'

// What a real graphics card does: correctness of all kernels, then rates. Runs from a folder that bundle.ts writes, on a
// machine that has nothing but a driver for Vulkan.

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: 'conformance,gemm,attention,favicon,train,sample' },
    /** With `+units`: through matrix units, which are left out with a line where the card offers none of that precision. */
    precisions: { type: 'string', default: 'f32,f32+units,f16,f16+units' },
    models: { type: 'string', default: 'DiT-S/2,DiT-B/2,DiT-XL/2' },
    batch: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '5' },
    adapter: { type: 'string' },
    /** `null` tries everything but the card. */
    backend: { type: 'string' },
    out: { type: 'string', default: 'bench/results' },
    unsafe: { type: 'boolean', default: false },
    /** A Python with torch: measures the same in PyTorch afterwards, eager and compiled, f32 and bf16. */
    pytorch: { type: 'string' },
    /** TFLOP/s of products that the card can do at most, such as `f32:66.9,f16:989.4`; some cards are known. */
    peak: { type: 'string' },
  },
})
const SECONDS = Number(values.seconds)
const BATCH = Number(values.batch)
const parts = values.parts.split(',')

async function open(wanted: Precision): Promise<Backend> {
  const [precision, units] = wanted.split('+') as ['f32' | 'f16', 'units'?]
  const toggles = [
    // Without the clamping of every index that pages need and a program of one's own does not.
    ...(values.unsafe ? ['disable_robustness'] : []),
    ...(values.unsafe || units !== undefined ? ['allow_unsafe_apis'] : []),
  ]
  const gpu = await nodeGpu({
    ...(values.backend === undefined ? {} : { backend: values.backend as 'vulkan' | 'null' }),
    ...(values.adapter === undefined ? {} : { adapter: values.adapter }),
    toggles,
  })
  return webgpu({ gpu, precision, matrixUnits: units !== undefined })
}

/** Time of a call: runs of so many calls that each takes a fifth of the seconds, with one read at the end. */
async function time(call: () => Tensor): Promise<readonly number[]> {
  const finish = async (count: number) => {
    const began = performance.now()
    for (let i = 1; i < count; i++) call().dispose()
    const last = call()
    const sum = mean(last)
    await sum.data()
    dispose([last, sum])
    return (performance.now() - began) / count
  }
  await finish(1)
  const one = await finish(2)
  const count = Math.max(1, Math.min(500, Math.floor((SECONDS * 200) / one)))
  const runs: number[] = []
  for (let i = 0; i < 5; i++) runs.push(await finish(count))
  runs.sort((a, b) => a - b)
  return [runs[0], runs[2], runs[4]]
}

async function measure(
  backend: Backend,
  about: { part: string; name: string; precision: Precision; flops: number; images?: number },
  call: () => Tensor,
): Promise<Rate> {
  const { part, name, precision, flops, images } = about
  const milliseconds = await time(() => stopGradient(call))
  const rate: Rate = {
    part,
    name,
    precision,
    milliseconds,
    teraflops: flops / milliseconds[1] / 1e9,
    ...(images === undefined ? {} : { imagesPerSecond: (1000 * images) / milliseconds[1] }),
    peakBytes: backend.memory().peakBytes,
  }
  console.log(JSON.stringify(rate))
  return rate
}

const draw = (backend: Backend, name: string, shape: readonly number[]) =>
  randomNormal(shape, randomStream(0, name), { backend })

async function gemmRates(backend: Backend, precision: Precision, [M, N, K]: (typeof GEMMS)[number]): Promise<Rate[]> {
  // Through linear layers, which are what `precision` is about; one with an activation is never put off or left out.
  const [x, weight] = [draw(backend, 'x', [M, K]), draw(backend, 'w', [N, K])]
  const about = { part: 'gemm', name: `${M}x${N}x${K}`, precision, flops: 2 * M * N * K }
  return [await measure(backend, about, () => linear(x, weight, null, { activation: 'silu' }))]
}

async function attentionRates(
  backend: Backend,
  precision: Precision,
  [B, N, heads, headDim]: (typeof ATTENTIONS)[number],
): Promise<Rate[]> {
  const qkv = draw(backend, 'qkv', [B, N, 3 * heads * headDim])
  const name = `${B} x ${N} tokens, ${heads} heads of ${headDim}`
  const flops = 4 * B * heads * N * N * headDim
  const forwards = await measure(backend, { part: 'attention', name, precision, flops }, () => attention(qkv, heads))
  // Five products go back where two came forward; the scores are made again.
  const both = () => valueAndGrad({ qkv }, (p) => ({ loss: mean(attention(p.qkv, heads)) }))
  const about = { part: 'attention with gradient', name, precision, flops: 3.5 * flops }
  const backwards = await measure(backend, about, () => {
    const { loss, gradients } = scope(both)
    dispose(gradients)
    return loss
  })
  return [forwards, backwards]
}

/** A model with the operations of its forward pass. */
function modelOf(name: string) {
  const config = { ...ditConfig(name), numClasses: 1000 }
  return { name, config, forwardFlops: countMultiplyAdds(countedNetwork(config)).flops }
}

const shareOf =
  (peaks: Readonly<Record<'f32' | 'f16', number>>) =>
  ({ part, name, precision, teraflops }: Rate) => ({
    part,
    name,
    precision,
    share: teraflops / peaks[precision.startsWith('f32') ? 'f32' : 'f16'],
  })

async function modelRates(backend: Backend, precision: Precision, name: string, part: string): Promise<Rate[]> {
  const { config: model, forwardFlops: one } = modelOf(name)
  const trainer = createTrainer(backend, model, 'none')
  const [B, side] = [BATCH, model.inputSize as number]
  const batch = {
    xt: draw(backend, 'xt', [B, 4, side, side]),
    noise: draw(backend, 'noise', [B, model.learnSigma ? 8 : 4, side, side]),
    timesteps: Int32Array.from({ length: B }, (_, i) => (i * 31) % 1000),
    labels: Int32Array.from({ length: B }, (_, i) => i % 1000),
  }
  // Not zeros, of which cards are faster.
  for (const [i, weight] of Object.values(trainer.params).entries()) {
    backend.kernels.randomNormal!(randomStream(2, i), 0, weight)
    backend.kernels.affine(weight, 0.02, 0, weight)
  }
  const forwardFlops = one * B
  if (part === 'train') {
    const about = { part, name: `${name}, batch ${B}`, precision, flops: 3 * forwardFlops, images: B }
    const step = () => {
      const loss = trainer.gradients(batch)
      trainer.update()
      return loss
    }
    return [await measure(backend, about, step)]
  }
  const about = { part: 'sample: one forward pass', name: `${name}, batch ${B}`, precision, flops: forwardFlops }
  return [await measure(backend, { ...about, images: B }, () => forward(model, trainer.params, batch))]
}

/** A whole picture of 32 steps, read at its end, as favicon-diffusion times it. */
async function faviconRate(backend: Backend, precision: Precision): Promise<Rate> {
  const params = faviconParams(backend)
  await faviconSample(backend, params)
  const milliseconds: number[] = []
  for (let i = 0; i < 5; i++) {
    const began = performance.now()
    await faviconSample(backend, params)
    milliseconds.push(performance.now() - began)
  }
  dispose(params)
  milliseconds.sort((a, b) => a - b)
  const flops = FAVICON_STEPS * countMultiplyAdds(countedNetwork(faviconModel)).flops
  const rate: Rate = {
    part: 'favicon',
    name: `a picture of ${FAVICON_STEPS} steps`,
    precision,
    milliseconds: [milliseconds[0], milliseconds[2], milliseconds[4]],
    teraflops: flops / milliseconds[2] / 1e9,
    imagesPerSecond: 1000 / milliseconds[2],
    peakBytes: backend.memory().peakBytes,
  }
  console.log(JSON.stringify(rate))
  return rate
}

async function conformance(precision: Precision) {
  const backend = await open(precision)
  const results = await runConformance(backend, precision.startsWith('f32') ? {} : { operands: 'f16' })
  const failed = results.filter(({ error }) => error !== null)
  const worst = results.toSorted((a, b) => b.worst - a.worst).slice(0, 10)
  const { adapter } = describeWebGpu(backend)
  await backend.dispose()
  const report = {
    precision,
    adapter,
    cases: results.length,
    failed: failed.map(({ name, error }) => `${name}: ${error!.message}`),
    worst: worst.map(({ name, worst: ratio }) => ({ name, ratio })),
  }
  console.log(JSON.stringify(report))
  return report
}

/** Why there are no rates of a precision. */
const refused: Partial<Record<Precision, string>> = {}
const units: Partial<Record<Precision, unknown>> = {}
const suites = []
const rates: Rate[] = []
/** What could not be measured, for want of memory perhaps; the rest goes on. */
const failed: string[] = []
let description: ReturnType<typeof describeWebGpu> | null = null

/** Measures on a backend of its own. */
async function attempt(precision: Precision, what: string, work: (backend: Backend) => Promise<readonly Rate[]>) {
  const backend = await open(precision)
  try {
    rates.push(...(await work(backend)))
  } catch (error) {
    failed.push(`${precision}, ${what}: ${(error as Error).message}`)
    console.log(JSON.stringify({ failed: failed.at(-1) }))
  } finally {
    await backend.dispose()
  }
}

for (const precision of values.precisions.split(',') as Precision[]) {
  const backend = await open(precision).catch((error: unknown) => {
    if (!precision.endsWith('+units') || !(error instanceof RangeError)) throw error
    refused[precision] = error.message
  })
  if (backend === undefined) {
    console.log(JSON.stringify({ precision, refused: refused[precision] }))
    continue
  }
  description ??= describeWebGpu(backend)
  units[precision] = describeWebGpu(backend).matrixUnits
  await backend.dispose()
  if (parts.includes('conformance')) suites.push(await conformance(precision))
  if (parts.includes('gemm')) {
    for (const size of GEMMS)
      await attempt(precision, `gemm ${size.join('x')}`, async (on) => gemmRates(on, precision, size))
  }
  if (parts.includes('attention')) {
    for (const shape of ATTENTIONS) {
      await attempt(precision, `attention ${shape.join(' x ')}`, async (on) => attentionRates(on, precision, shape))
    }
  }
  if (parts.includes('favicon')) await attempt(precision, 'favicon', async (on) => [await faviconRate(on, precision)])
  for (const part of ['train', 'sample'].filter((name) => parts.includes(name))) {
    for (const name of values.models.split(',')) {
      await attempt(precision, `${part} ${name}`, async (on) => modelRates(on, precision, name, part))
    }
  }
}
const adapter = description?.adapter ?? 'none'
const peaks = peaksOf(adapter, values.peak)
const shares = peaks === null ? null : rates.map(shareOf(peaks))
const pytorch =
  values.pytorch === undefined
    ? null
    : await torchRates({
        python: values.pytorch,
        parts,
        models: values.models.split(',').map((name) => modelOf(name)),
        batch: BATCH,
        seconds: SECONDS,
      })
const compared = pytorch === null ? null : ratios(rates, pytorch.rates)
for (const { part, name, precision, times } of compared ?? []) {
  const text = Object.entries(times).map(([engine, ratio]) => `${ratio.toFixed(2)} times as fast as ${engine}`)
  console.log(`${part}, ${name}, ${precision}: ${text.join(', ')}`)
}
mkdirSync(values.out, { recursive: true })
const card = adapter.replaceAll(/[^A-Za-z0-9]+/g, '-').toLowerCase()
const file = join(values.out, `webgpu-${card}${values.unsafe ? '-unsafe' : ''}.json`)
const report = {
  device: description,
  options: values,
  units,
  refused,
  failed,
  conformance: suites,
  rates,
  peaks,
  shares,
  pytorch,
  compared,
}
writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
console.log(`written to ${file}`)
process.exit(suites.some(({ failed }) => failed.length > 0) ? 1 : 0)
