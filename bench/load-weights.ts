import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { torchTensors } from '@dit/checkpoint'
import { openTorchFile, writeSafetensorsFile } from '@dit/checkpoint/node'
import { ditConfig, parameterShapes } from '@dit/model'
import { sizeOf } from '@dit/tensor'
import { pickle, tensor, text } from '../packages/checkpoint/test/torch/build.js'
import { writeSparseZip } from '../packages/checkpoint/test/torch/sparse-zip.js'
import { processMemory, resetPeak } from './memory.js'

const USAGE = `npm run bench:load -- [--model DiT-XL/2] [--folder DIR]

Writes a .pt file of the model's true size (float32 zeros, as a file with holes), then loads it whole and converts it to
safetensors. Tells the peak of resident memory against the bytes of the tensors; fails where loading takes 5 percent more, or
converting more than the largest tensor and 64 MiB.`

const MiB = 2 ** 20

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      model: { type: 'string', default: 'DiT-XL/2' },
      folder: { type: 'string', default: tmpdir() },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return (console.log(USAGE), 0)
  const folder = await mkdtemp(join(values.folder, 'dit-load-'))
  try {
    const path = join(folder, 'model.pt')
    const shapes = Object.entries(parameterShapes(ditConfig(values.model)))
    const bytesOf = (shape: readonly number[]) => 4 * sizeOf(shape)
    const total = shapes.reduce((sum, [, shape]) => sum + bytesOf(shape), 0)
    const largest = Math.max(...shapes.map(([, shape]) => bytesOf(shape)))
    const items = shapes.flatMap(([name, shape], i) => {
      const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)))
      return [text(name), tensor({ key: String(i), count: sizeOf(shape), shape, strides }), 's']
    })
    const storages = shapes.map(([, shape], i) => ({ name: `a/data/${i}`, content: bytesOf(shape) }))
    await writeSparseZip(path, [{ name: 'a/data.pkl', content: pickle('}', ...items) }, ...storages])

    const before = start()
    const file = await openTorchFile(path)
    const tensors = torchTensors(file)
    const converted = await measure('convert to safetensors', before, async () => {
      const toWrite = new Map(
        [...tensors.entries].map(([name, { dtype, shape }]) => {
          return [name, { dtype, shape, data: async () => (await tensors.tensor(name)).data }] as const
        }),
      )
      await writeSafetensorsFile(join(folder, 'model.safetensors'), toWrite)
    })
    const kept: Float32Array[] = []
    const loaded = await measure('load into memory', start(), async () => {
      for (const name of tensors.entries.keys()) kept.push(await tensors.float32(name))
    })
    await file.close()
    console.log(`tensors: ${kept.length}, ${mib(total)} MiB, the largest ${mib(largest)} MiB`)
    return converted <= largest + 64 * MiB && loaded <= 1.05 * total ? 0 : 1
  } finally {
    await rm(folder, { recursive: true })
  }
}

function start(): number {
  resetPeak()
  return processMemory().residentBytes
}

/** What the peak of resident memory rises by. */
async function measure(what: string, before: number, run: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await run()
  const rise = processMemory().peakBytes - before
  console.log(
    `${what}: ${mib(rise)} MiB above ${mib(before)} MiB, ${((performance.now() - begun) / 1000).toFixed(1)} s`,
  )
  return rise
}

function mib(bytes: number): string {
  return (bytes / MiB).toFixed(0)
}

process.exitCode = await main()
