import { isDeepStrictEqual } from 'node:util'
import type { Dataset } from '@dit/data'
import type { EngineDescription } from '../engines/open-engine.js'
import type { GeneratedConfig } from './generated-data.js'
import type { RunConfig } from './run-config.js'
import { RUN_FORMAT } from './run-config.js'
import { ditVersion } from '../version.js'
import { DEMO_MODEL, DEMO_PROCESS, DEMO_RECIPE } from './demo-recipe.js'

export interface DemoPlan {
  readonly steps: number
  readonly seed: number
}

const CHECKPOINT_EVERY = 500

/** The demo as a run like any other: `dit sample`, `dit plot` and `dit info` read it, `dit train --resume` continues it. */
export function demoRun(
  { steps, seed }: DemoPlan,
  data: { readonly dataset: Dataset; readonly config: GeneratedConfig },
  engine: EngineDescription,
): RunConfig {
  return {
    format: RUN_FORMAT,
    modelName: null,
    objective: {
      kind: 'denoising',
      network: {
        kind: 'dit',
        config: { ...DEMO_MODEL, inputSize: data.config.size, numClasses: data.dataset.classes.length },
      },
      process: DEMO_PROCESS,
      timestepSampler: 'uniform',
    },
    recipe: DEMO_RECIPE,
    data: data.config,
    classes: [...data.dataset.classes],
    flip: false,
    seed,
    steps,
    checkpoint: { every: CHECKPOINT_EVERY, keepLast: 2, keepEvery: null },
    // Grids on the way would take time; the demo ends with one.
    sampleEvery: null,
    recompute: 'none',
    engine,
    versions: { dit: ditVersion(), node: process.versions.node, platform: process.platform, arch: process.arch },
  }
}

/** Whether two runs end in the same weights: only the versions of Node and dit may differ. */
export function isSameRun(a: RunConfig, b: RunConfig): boolean {
  return isDeepStrictEqual(plain({ ...a, versions: null }), plain({ ...b, versions: null }))
}

/** As it comes back from a file, where the order of keys may be another. */
function plain(config: object): unknown {
  return JSON.parse(JSON.stringify(config))
}
