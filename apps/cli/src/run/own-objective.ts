import type { CompleteProcess, DenoisingObjective, Objective } from '@dit/train-ddp'
import { UsageError } from '../terminal/errors.js'
import { importObjective, type ModuleContext, openModule } from './objective-module.js'
import type { ModuleSpec } from './objective-config.js'
import type { RunConfig } from './run-config.js'

/** An objective of a module whose network is sampled. */
export interface OwnObjective {
  readonly objective: DenoisingObjective
  /** What may have changed since the run began, in lines for the user. */
  readonly notices: readonly string[]
}

/**
 * Makes the objective of a run again, by the code of its module.
 *
 * @param moved where the module lies now, if it is no longer where it was
 * @throws UsageError where the module cannot be imported, or makes what cannot be sampled
 */
export async function ownObjectiveOf(
  config: RunConfig & { readonly objective: ModuleSpec },
  moved?: string,
): Promise<OwnObjective> {
  const { module: path, sha256, options = {} } = config.objective
  const module = await importObjective(moved ?? path)
  const { objective } = await openModule(module, contextOf(config, options))
  return {
    objective: requireDenoising(objective, module.path, 'sampling'),
    notices:
      module.sha256 === sha256
        ? []
        : [`${module.path} has changed since the run began; its network may be another one than was trained`],
  }
}

export function isModuleRun(config: RunConfig): config is RunConfig & { readonly objective: ModuleSpec } {
  return config.objective.kind === 'module'
}

/** Whether an objective is one of `denoising`. */
export function isDenoising(objective: Objective): objective is DenoisingObjective {
  return 'network' in objective && 'process' in objective
}

/**
 * An objective of a module as one that can be sampled.
 *
 * @param what needs it
 * @throws UsageError
 */
export function requireDenoising(objective: Objective, module: string, what: string): DenoisingObjective {
  if (!isDenoising(objective)) {
    throw new UsageError(
      `${what} needs an objective made by \`denoising\`, whose network makes pictures; that of ${module} is not`,
    )
  }
  if (objective.spec.process.kind !== 'own') return objective
  throw new UsageError(
    `${what} knows Gaussian diffusions and flows, but the objective of ${module} has a process of its own; sample it with the solvers of @dit/sampler`,
  )
}

/** The process of an objective that can be sampled. */
export function sampledProcess({ spec }: DenoisingObjective): CompleteProcess {
  return spec.process as CompleteProcess
}

/** What the module was told when the run began. */
function contextOf({ data, classes, recipe, seed }: RunConfig, options: ModuleContext['options']): ModuleContext {
  const { batchSize } = recipe
  if (data.kind === 'module') return { classes: [], shape: null, batchSize, seed, options }
  const channels = data.kind === 'latents' ? data.channels : 3
  return { classes, shape: [channels, data.size, data.size], batchSize, seed, options }
}
