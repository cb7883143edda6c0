import { existsSync, readFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, loadavg, platform, totalmem } from 'node:os'

/** What the figures were measured on. It names neither the machine nor its owner. */
export interface Machine {
  readonly cpu: string
  /** Family and model number on x86, which tell generations apart that share a name; else null. */
  readonly cpuModel: string | null
  readonly vectors: readonly string[]
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
  readonly platform: string
}

/** Vector instructions worth telling. */
const VECTORS = ['avx2', 'avx512f', 'avx512_bf16', 'amx_tile', 'asimd', 'sve']

export function describeMachine(): Machine {
  const info = existsSync('/proc/cpuinfo') ? readFileSync('/proc/cpuinfo', 'utf8') : ''
  const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(info)?.[1]
  const [family, model] = [field('cpu family'), field('model')]
  const flags = new Set((field('flags') ?? field('Features') ?? '').split(' '))
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cpuModel: family === undefined ? null : `family ${family} model ${model}`,
    vectors: VECTORS.filter((name) => flags.has(name)),
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${platform()} ${arch()}`,
  }
}

/** Processes that want to run, averaged over a minute. */
export function currentLoad(): number {
  return loadavg()[0]
}

export function machineText({ cpu, cpuModel, vectors, cores, memoryGiB, node, platform }: Machine): string {
  const model = cpuModel === null ? '' : ` (${cpuModel})`
  return `${cpu}${model}, ${cores} cores, ${vectors.join(' ')}, ${memoryGiB} GiB, ${platform}, Node ${node}`
}
