import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cpu } from '@dit/backend-cpu'
import { tfjs } from '@dit/backend-tfjs'
import { webgpu } from '@dit/backend-webgpu'
import { nodeGpu } from '@dit/backend-webgpu/node'
import { type Backend, reference } from '@dit/tensor'
import type { Manifest } from './manifest.js'
import { runCase } from './run-case.js'

const engines: Readonly<Record<string, () => Backend | Promise<Backend>>> = {
  reference,
  'cpu-wasm': () => cpu({ engine: 'wasm' }),
  'cpu-wasm-simd128': () => cpu({ instructionSet: 'simd128' }),
  'cpu-native': () => cpu({ engine: 'native' }),
  'cpu-native-avx2': () => cpu({ instructionSet: 'avx2' }),
  'cpu-native-sse2': () => cpu({ instructionSet: 'sse2' }),
  'tfjs-node': () => tfjs({ engine: 'tensorflow' }),
  'tfjs-node-gpu': () => tfjs({ engine: 'tensorflow', device: 'gpu' }),
  webgpu: async () => webgpu({ gpu: await nodeGpu() }),
  'tfjs-wasm': () => tfjs({ engine: 'wasm' }),
  'tfjs-cpu': () => tfjs({ engine: 'cpu' }),
}

const USAGE = `npm run parity -- <folder> [--backend ${Object.keys(engines).join('|')}] [--filter TEXT] [--allow-unsupported] [--allow-unknown]

Runs the packages against a folder of fixtures (manifest.json and safetensors files). One line a case: its status, the largest
error over its tolerance, and where that is. Exit code 1 when a case fails; unsupported cases, and those of a kind that the runner
does not know, count as failures unless they are allowed.`

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      backend: { type: 'string', default: 'reference' },
      filter: { type: 'string', default: '' },
      'allow-unsupported': { type: 'boolean', default: false },
      'allow-unknown': { type: 'boolean', default: false },
    },
  })
  const [folder] = positionals
  const engine = engines[values.backend]
  if (folder === undefined || positionals.length > 1 || engine === undefined) {
    console.error(engine === undefined ? `parity: no backend ${values.backend}\n\n${USAGE}` : USAGE)
    return 2
  }
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as Manifest
  const backend = await engine()
  const counts = { ok: 0, FAIL: 0, unsupported: 0, unknown: 0 }
  for (const entry of manifest.cases) {
    const id = `${entry.kind}/${entry.name}`
    if (!id.includes(values.filter)) continue
    const { status, worst, where } = await runCase(folder, entry, backend)
    counts[status]++
    console.log(`${status.padEnd(12)}${id.padEnd(44)}${worst.toPrecision(3).padStart(10)}  ${where}`)
  }
  await backend.dispose()
  const { ok, FAIL, unsupported, unknown } = counts
  const total = ok + FAIL + unsupported + unknown
  console.log(
    `\nparity on ${values.backend}: ${total} cases, ${unsupported} unsupported, ${unknown} of kinds that are not known`,
  )
  const failed = FAIL + (values['allow-unsupported'] ? 0 : unsupported) + (values['allow-unknown'] ? 0 : unknown)
  console.log(`parity: ${ok} passed, ${failed} failed, ${total - ok - failed} skipped`)
  if (total === 0) console.error(`parity: no case of ${folder} matches ${JSON.stringify(values.filter)}`)
  return failed > 0 || total === 0 ? 1 : 0
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(`parity: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 2
}
