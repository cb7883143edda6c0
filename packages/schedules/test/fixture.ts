import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { DirectSchedule, NamedSchedule } from '../src/index.js'

type Data = Float32Array | Float64Array | Int32Array

interface Tensor {
  name: string
  tolerance?: 'exact' | { atol: number; rtol: number }
  ref64?: string
}

interface Config {
  api: 'named' | 'direct'
  schedule: NamedSchedule & DirectSchedule
  num_timesteps: number
  beta_start: number
  beta_end: number
  diffusion_steps: number
  respacing: string
  dim: number
  max_period: number
  history_per_term: number
  uniform_prob: number
}

interface Fact {
  num_timesteps: number
  schedule: string
  result: string
  spec: string
  steps?: number[]
  error?: string
}

interface Case {
  kind: string
  name: string
  file?: string
  config: Config
  facts?: Fact[]
  tensors?: Tensor[]
}

const folder = fileURLToPath(new URL('./fixtures/', import.meta.url))
const { cases } = JSON.parse(readFileSync(`${folder}manifest.json`, 'utf8')) as { cases: Case[] }

/** One stored case: its settings, its facts, its tensors by name, and a comparison by the stored tolerances. */
export function fixture(name: string) {
  const found = cases.find((entry) => entry.name === name)!
  const data = found.file ? readSafetensors(folder + found.file) : {}
  const tensors = found.tensors ?? []

  /** Largest error of `got` over the tolerance stored for the tensor `out.<name>`: a pass is at most 1. */
  function excess(name: string, got: ArrayLike<number>): number {
    const { tolerance, ref64 } = tensors.find((tensor) => tensor.name === `out.${name}`)!
    const want = data[ref64 ?? `out.${name}`]
    if (got.length !== want.length) return Infinity
    let worst = 0
    for (let i = 0; i < want.length; i++) {
      if (Object.is(got[i], want[i])) continue
      if (tolerance === 'exact' || !Number.isFinite(want[i])) return Infinity
      const error = Math.abs(got[i] - want[i])
      const ratio = error === 0 ? 0 : error / (tolerance!.atol + tolerance!.rtol * Math.abs(want[i]))
      if (!(ratio <= worst)) worst = ratio
    }
    return worst
  }

  const expected = tensors.filter(({ name }) => name.startsWith('out.')).map(({ name }) => name.slice(4))
  return { config: found.config, facts: found.facts ?? [], data, expected, excess }
}

function readSafetensors(path: string): Record<string, Data> {
  const { buffer } = Uint8Array.from(readFileSync(path))
  const headerSize = Number(new DataView(buffer).getBigUint64(0, true))
  const header: Record<string, { dtype: string; data_offsets: [number, number] }> = JSON.parse(
    new TextDecoder().decode(new Uint8Array(buffer, 8, headerSize)),
  )
  const kinds = { F32: Float32Array, F64: Float64Array, I32: Int32Array }
  const tensors: Record<string, Data> = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue
    const [start, end] = entry.data_offsets
    const kind = kinds[entry.dtype as keyof typeof kinds]
    tensors[name] = new kind(buffer, 8 + headerSize + start, (end - start) / kind.BYTES_PER_ELEMENT)
  }
  return tensors
}
