import type { Backend } from '@dit/tensor'
import type { CaseFiles } from '../case-files.js'
import type { CaseSpec } from '../cases.js'
import type { Workload } from '../workload.js'
import { attentionWorkload } from './attention.js'
import { gemmWorkload } from './gemm.js'
import { optimizerWorkload } from './optimizer.js'
import { rngWorkload } from './rng.js'
import { sampleWorkload } from './sample.js'
import { trainStepWorkload } from './train-step.js'

/** The case on a backend of dit, written as a user of the packages would write it. */
export async function makeWorkload(backend: Backend, spec: CaseSpec, files: CaseFiles): Promise<Workload> {
  switch (spec.kind) {
    case 'train-step':
      return trainStepWorkload(backend, spec, files)
    case 'sample':
      return sampleWorkload(backend, spec, files)
    case 'gemm':
      return gemmWorkload(backend, spec, files)
    case 'attention':
      return attentionWorkload(backend, spec, files)
    case 'optimizer':
      return optimizerWorkload(backend, files)
    case 'rng':
      return rngWorkload(backend, spec)
    default:
      throw new RangeError(`makeWorkload: unknown case (got ${JSON.stringify(spec)})`)
  }
}
