import type { RunSetting } from '../settings/run-setting.js'
import type { FlagsOf, Settings } from '../settings/setting.js'
import { threadCount } from '../settings/values.js'
import { UsageError } from '../terminal/errors.js'
import { ENGINES_ELSEWHERE } from './elsewhere.js'
import { type BackendName, BACKENDS, CPU_ENGINES, DEFAULT_BACKEND } from './names.js'

/** What computes; the same for every command that does. */
export const ENGINE_SETTINGS = {
  backend: {
    flag: '--backend <name>',
    help: 'engine that computes (default {default}: cpu-native if it was built, else cpu-wasm)',
    choices: BACKENDS,
    elsewhere: ENGINES_ELSEWHERE,
    default: DEFAULT_BACKEND,
    mayChange: true,
  },
  engine: {
    flag: '--engine <build>',
    help: 'short for --backend cpu-native or cpu-wasm',
    choices: CPU_ENGINES,
    mayChange: true,
  },
  threads: {
    flag: '--threads <n|auto>',
    help: 'threads of the engine (default auto: one per processor)',
    parse: threadCount,
    mayChange: true,
    perRank: true,
  },
  precision: {
    flag: '--precision <f32|f16|bf16>',
    help: 'precision of matrix products (default f32): f16 on webgpu, faster on graphics cards; bf16 on cpu-native',
    choices: ['f32', 'f16', 'bf16'],
    mayChange: true,
  },
  tf32: {
    flag: '--tf32',
    help: 'let tfjs-node-gpu compute matrix products in TF32: faster, but only about three digits',
    mayChange: true,
  },
} as const satisfies Settings<RunSetting>

/** Flags that say what computes. */
export type EngineFlags = FlagsOf<typeof ENGINE_SETTINGS>

/**
 * The backend that flags ask for.
 *
 * @param usual what is taken where they ask for none
 * @throws UsageError where `--engine` and `--backend` contradict each other
 */
export function chosenBackend({ backend, engine }: EngineFlags, usual: BackendName = DEFAULT_BACKEND): BackendName {
  if (engine === undefined) return backend ?? usual
  const own = `cpu-${engine}` as const
  if (backend !== undefined && backend !== 'cpu' && backend !== own) {
    throw new UsageError(
      `--engine ${engine} means --backend cpu-${engine}, but --backend is ${backend}; leave one of them out`,
    )
  }
  return own
}
