import type { CaseSpec } from './cases.js'
import { startNodeWorker, startPythonWorker, type WorkerProcess } from './worker-process.js'

/** Engines of the bench, in the order of its table. */
export const ENGINE_NAMES = [
  'tfjs-wasm-plain',
  'tfjs-wasm',
  'tfjs-node',
  'tfjs-node-gpu',
  'cpu-wasm',
  'cpu-wasm-simd128',
  'cpu-native',
  'cpu-native-avx2',
  'cpu-native-bf16',
  'pytorch',
  'pytorch-bf16',
  'pytorch-compile',
  'pytorch-compile-bf16',
  'webgpu',
  'tfjs-cpu',
  'reference',
] as const

export type EngineName = (typeof ENGINE_NAMES)[number]

/** Those that run where nothing else is asked for; PyTorch joins them where there is an interpreter. */
export const DEFAULT_ENGINES: readonly EngineName[] = [
  'tfjs-wasm-plain',
  'tfjs-wasm',
  'tfjs-node',
  'cpu-wasm',
  'cpu-native',
]

/** PyTorch, eager or compiled. All but the first have their AdamW in one kernel. */
export const PYTORCH_ENGINES: readonly EngineName[] = [
  'pytorch',
  'pytorch-bf16',
  'pytorch-compile',
  'pytorch-compile-bf16',
]

/** Those without dit's packages. */
export const FOREIGN_ENGINES: readonly EngineName[] = ['tfjs-wasm-plain', ...PYTORCH_ENGINES]

const THREADED: readonly EngineName[] = [
  'tfjs-node',
  'cpu-wasm',
  'cpu-wasm-simd128',
  'cpu-native',
  'cpu-native-avx2',
  'cpu-native-bf16',
  ...PYTORCH_ENGINES,
]

/** An engine with a number of threads: a row of the table. */
export interface EngineRow {
  readonly engine: EngineName
  readonly threads: number
}

/** Every engine with every number of threads that it can take. */
export function rowsOf(engines: readonly EngineName[], threads: readonly number[]): EngineRow[] {
  return engines.flatMap((engine) =>
    (THREADED.includes(engine) ? threads : [1]).map((threads) => ({ engine, threads })),
  )
}

/** Whether an engine has the case: plain tfjs cannot recompute. */
export function supports(engine: EngineName, spec: CaseSpec): boolean {
  return !(engine === 'tfjs-wasm-plain' && spec.kind === 'train-step' && spec.recompute !== 'none')
}

/** Whether operands of products are rounded to bfloat16: figures agree within other tolerances. */
export function isBf16(engine: EngineName): boolean {
  return engine.endsWith('-bf16')
}

export function startWorker(engine: EngineName, python: string | null): WorkerProcess {
  return PYTORCH_ENGINES.includes(engine) ? startPythonWorker(python!) : startNodeWorker()
}

export function rowName({ engine, threads }: EngineRow): string {
  return THREADED.includes(engine) ? `${engine} x${threads}` : engine
}
