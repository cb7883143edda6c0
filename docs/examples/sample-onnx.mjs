// Pictures from a file of `dit export`, made by ONNX Runtime. All that is known of the model is in the file.
// node docs/examples/sample-onnx.mjs denoiser.onnx [--classes ring,disc] [--count 1] [--steps 25] [--guidance 1] [--seed 0] [--out .]
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { flowProcess, gaussianProcess } from '@dit/diffusion'
import { descriptionFromMetadata, outChannels } from '@dit/model'
import { onnxMetadata } from '@dit/onnx'
import { normals, randomStream } from '@dit/random'
import * as ort from 'onnxruntime-web'

ort.env.logLevel = 'error'
ort.env.wasm.numThreads = 1

/** Samples `[N, C, H, W]` from the bytes of a file: DDIM for a Gaussian diffusion, Euler's method for a flow. */
export async function sampleOnnx(bytes, { classes, count = 1, steps = 25, guidance = 1, seed = 0 }) {
  const { network, process, classNames, pixelRange } = describe(bytes)
  const { inChannels: C, inputSize } = network
  const [H, W] = typeof inputSize === 'number' ? [inputSize, inputSize] : inputSize
  const labels = classes.flatMap((each) => Array.from({ length: count }, () => labelOf(each, classNames, network)))
  const shape = [labels.length, C, H, W]
  const predict = await predictor(bytes, { network, labels, shape, guidance })

  // What the network's output means, and which levels a solver goes through.
  const { kind, ...settings } = process
  const isFlow = kind === 'flow'
  const known = isFlow ? flowProcess(settings) : gaussianProcess({ ...settings, respacing: [steps] })
  const path = isFlow ? known.path({ numSteps: steps, shift: settings.times?.shift }) : known.path()
  // Estimates of pixels stay within their range; latents have none.
  const limit = pixelRange?.[0] === -1 && pixelRange[1] === 1 ? 1 : Infinity

  const x = normals(randomStream(seed, 'sampler', 'start'), shape[0] * C * H * W)
  for (const { from, to } of path.steps) {
    const output = await predict(x, from.timestep)
    const { alpha, sigma } = from
    for (let i = 0; i < x.length; i++) {
      const x0 = Math.min(limit, Math.max(-limit, estimate(known.prediction, output[i], x[i], from)))
      const noise = (x[i] - alpha * x0) / sigma
      x[i] = isFlow
        ? x[i] + (to.t - from.t) * (from.dAlpha * x0 + from.dSigma * noise)
        : to.alpha * x0 + to.sigma * noise
    }
  }
  return { samples: x, shape, labels, classNames, pixelRange }
}

/** What a file says of its model. */
function describe(bytes) {
  const description = descriptionFromMetadata(onnxMetadata(bytes))
  if (description === null) throw new RangeError('the file does not say what its network is: dit did not write it')
  if (description.process === null) throw new RangeError('the file does not say what its network was trained on')
  if (description.network.conditions !== undefined)
    throw new RangeError('the network has conditions; this program gives classes')
  return description
}

/** The estimate of x0 in an output, at xt = alpha x0 + sigma noise. */
function estimate(prediction, out, xt, { alpha, sigma, dAlpha, dSigma, velocityScale = 1 }) {
  if (prediction === 'x0') return out
  if (prediction === 'velocity') return (sigma * velocityScale * out - dSigma * xt) / (sigma * dAlpha - alpha * dSigma)
  if (prediction === 'score') return (xt + sigma * sigma * out) / alpha
  return (xt - sigma * out) / alpha // epsilon
}

/** The network: `(xt, timestep) => output`, without channels for a variance. */
async function predictor(bytes, { network, labels, shape, guidance }) {
  const session = await ort.InferenceSession.create(bytes)
  const isGuided = session.inputNames.includes('guidance_scale')
  if (guidance !== 1 && !isGuided) throw new RangeError('there is no guidance in the file; export it with --guidance')
  const [N, C, H, W] = shape
  const isTable = network.timestepEmbedding === 'table' // whole timesteps only
  const inputs = {
    labels: new ort.Tensor('int64', BigInt64Array.from(labels, BigInt), [N]),
    ...(isGuided ? { guidance_scale: new ort.Tensor('float32', [guidance], []) } : {}),
  }
  return async (xt, timestep) => {
    const { output } = await session.run({
      ...inputs,
      xt: new ort.Tensor('float32', xt, shape),
      timesteps: isTable
        ? new ort.Tensor('int64', new BigInt64Array(N).fill(BigInt(timestep)), [N])
        : new ort.Tensor('float32', new Float32Array(N).fill(timestep), [N]),
    })
    const [size, stride] = [C * H * W, outChannels(network) * H * W]
    const part = new Float32Array(N * size)
    for (let n = 0; n < N; n++) part.set(output.data.subarray(n * stride, n * stride + size), n * size)
    return part
  }
}

/** A class by its name, or by its number. */
function labelOf(name, classNames, { numClasses }) {
  const label = classNames?.includes(name) ? classNames.indexOf(name) : /^\d+$/.test(name) ? Number(name) : -1
  if (label >= 0 && label < numClasses) return label
  throw new RangeError(`there is no class ${name}; there are ${classNames?.join(', ') ?? `0 to ${numClasses - 1}`}`)
}

/** Samples of pixels as bytes, `[N, H, W, C]`. */
export function toBytes({ samples, shape: [N, C, H, W], pixelRange }) {
  if (pixelRange === null) throw new RangeError('the model makes latents; give them to vae_decoder.onnx')
  const [black, white] = pixelRange
  return Uint8Array.from({ length: N * H * W * C }, (_, i) => {
    const [n, at, c] = [Math.floor(i / (H * W * C)), Math.floor(i / C) % (H * W), i % C]
    const share = (samples[(n * C + c) * H * W + at] - black) / (white - black)
    return Math.max(0, Math.min(255, Math.floor(255 * share + 0.5)))
  })
}

/** A picture as PPM (colour) or PGM (grey), which need no library. */
function picture(bytes, [, C, H, W], index) {
  const size = H * W * C
  return Buffer.concat([
    Buffer.from(`P${C === 1 ? 5 : 6} ${W} ${H} 255\n`),
    bytes.subarray(index * size, (index + 1) * size),
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = (value) => ({ type: 'string', default: value })
  const options = {
    classes: text(''),
    count: text('1'),
    steps: text('25'),
    guidance: text('1'),
    seed: text('0'),
    out: text('.'),
  }
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const bytes = await readFile(positionals[0])
  const { network, classNames } = describe(bytes)
  const all = classNames ?? Array.from({ length: network.numClasses }, (_, label) => String(label))
  const numbers = Object.fromEntries(['count', 'steps', 'guidance', 'seed'].map((name) => [name, Number(values[name])]))
  const classes = values.classes === '' ? all : values.classes.split(',')
  const made = await sampleOnnx(bytes, { ...numbers, classes })
  const pixels = toBytes(made)
  for (const [i, label] of made.labels.entries()) {
    const file = join(values.out, `${i}.${made.shape[1] === 1 ? 'pgm' : 'ppm'}`)
    await writeFile(file, picture(pixels, made.shape, i))
    console.log(`${file}: ${all[label]}`)
  }
}
