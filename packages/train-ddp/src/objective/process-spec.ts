export {
  type CompleteProcess,
  completeProcess,
  type FlowProcessSpec,
  type GaussianProcessSpec,
  processFromSpec,
  type ProcessSpec,
} from '@dit/diffusion'
export type { OwnProcess } from './own-process.js'
