import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openSafetensorsFile } from '@dit/checkpoint/node'
import { forward, holdParams, loadParams } from '@dit/model'
import { openWeights } from '@dit/model/node'
import { scope, tensor } from '@dit/tensor'
import { processMemory } from './memory.js'
import { openBackend } from './open-engine.js'

const USAGE = `npm run bench:held -- <folder> [--engine cpu-native] [--threads N] [--whole]

Loads the weights that tools/oracle/diffusers-xl.py has written, holds them in half precision, and runs one guided forward pass
(a class and the null class) of a 256-pixel picture. Tells times, the peak of resident memory, and the difference from PyTorch.
--whole puts the weights on the engine in float32 instead, for comparison. Fails where the difference is more than rounding.`

const GUIDANCE = 4

/** Float32 sums of up to 4,608 terms through 28 blocks, in units of the largest output. */
const ROUNDING = 1e-4

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      engine: { type: 'string', default: 'cpu-native' },
      threads: { type: 'string', default: String(availableParallelism()) },
      whole: { type: 'boolean', default: false },
    },
  })
  const [folder] = positionals
  if (folder === undefined) return (console.error(USAGE), 2)
  const { backend, description } = await openBackend(values.engine, Number(values.threads))
  console.log(`engine ${description}`)
  const clock = lap()
  const weights = await openWeights(folder)
  const params = await (values.whole ? loadParams(weights, { backend }) : holdParams(weights, { backend }))
  await weights.close()
  const count = [...weights.entries.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
  console.log(
    `loaded ${(count / 1e6).toFixed(1)} million parameters ${values.whole ? 'to the engine' : 'in half precision'}: ${clock()}, ${(backend.memory().bytes / 1e9).toFixed(2)} GB on the engine`,
  )

  const expected = await openSafetensorsFile(join(folder, 'expected.safetensors'))
  const [x, t, y] = await Promise.all(['x', 't', 'y'].map((name) => expected.tensor(name)))
  const want = await expected.float32('out')
  await expected.close()
  const inputs = {
    xt: tensor(x.data as Float32Array, x.shape, { backend }),
    timesteps: t.data as Int32Array,
    labels: y.data as Int32Array,
  }
  clock()
  for (const pass of ['first', 'second']) {
    const out = scope(() => forward(weights.config, params, inputs))
    const got = (await out.data()) as Float32Array
    console.log(`${pass} guided forward pass: ${clock()}`)
    out.dispose()
    if (pass === 'first') continue
    const plain = difference(got, want)
    const guided = difference(guidedNoise(got), guidedNoise(want))
    console.log(
      `difference from PyTorch: ${plain.toExponential(1)} of the largest output, guided ${guided.toExponential(1)}`,
    )
    console.log(`peak of resident memory: ${(processMemory().peakBytes / 1e9).toFixed(2)} GB`)
    await backend.dispose()
    return plain < ROUNDING && guided < ROUNDING ? 0 : 1
  }
  return 1
}

/** Noise without the variance channels: uncond + scale (cond - uncond), on all four. */
function guidedNoise(out: Float32Array): Float32Array {
  const size = out.length / 2
  const noise = size / 2
  return Float32Array.from({ length: noise }, (_, i) => out[size + i] + GUIDANCE * (out[i] - out[size + i]))
}

function difference(got: Float32Array, want: Float32Array): number {
  let [most, largest] = [0, 0]
  for (let i = 0; i < want.length; i++) {
    most = Math.max(most, Math.abs(got[i] - want[i]))
    largest = Math.max(largest, Math.abs(want[i]))
  }
  return most / largest
}

/** Seconds since the last call, and memory now. */
function lap(): () => string {
  let last = performance.now()
  return () => {
    const [now, before] = [performance.now(), last]
    last = now
    return `${((now - before) / 1000).toFixed(1)} s, ${(processMemory().residentBytes / 1e9).toFixed(2)} GB resident`
  }
}

process.exitCode = await main()
