import { Option } from 'commander'
import { threadCount } from '../settings/values.js'
import { UsageError } from '../terminal/errors.js'
import { type BackendName, BACKENDS, CPU_ENGINES, type CpuEngine, DEFAULT_BACKEND, type Threads } from './names.js'

/** Flags that say what computes. */
export interface EngineFlags {
  readonly backend?: string
  readonly engine?: string
  readonly threads?: Threads
  readonly tf32?: boolean
  readonly precision?: string
}

/** The options behind `EngineFlags`, the same for every command that computes. */
export function engineOptions(): Option[] {
  return [
    new Option(
      '--backend <name>',
      `what computes (default ${DEFAULT_BACKEND}: the faster of dit's own kernels that is there)`,
    ).choices(BACKENDS),
    new Option('--engine <build>', "build of dit's own kernels").choices(CPU_ENGINES),
    new Option('--threads <n|auto>', 'threads of the engine (default auto: one for each processor)').argParser(
      threadCount,
    ),
    new Option('--precision <f32|f16>', 'operands of products on webgpu: half precision is faster on cards').choices([
      'f32',
      'f16',
    ]),
    new Option('--tf32', 'let products on tfjs-node-gpu round to TF32: faster, three digits'),
  ]
}

/**
 * The backend that flags ask for.
 *
 * @param usual what is taken where they ask for none
 * @throws UsageError where `--engine` and `--backend` contradict each other
 */
export function chosenBackend({ backend, engine }: EngineFlags, usual: BackendName = DEFAULT_BACKEND): BackendName {
  if (engine === undefined) return (backend ?? usual) as BackendName
  const own = `cpu-${engine as CpuEngine}` as const
  if (backend !== undefined && backend !== 'cpu' && backend !== own) {
    throw new UsageError(
      `--engine ${engine} is a build of dit's own kernels, but --backend is ${backend}; leave one of them out`,
    )
  }
  return own
}
