import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findPackage } from '@dit/backend-tfjs/node'
import { repositoryRoot } from '../../../../tools/release/workspace.js'

/** Where the tests of the engine compute: on the CPU, unless `npm run test:tensorflow -- --gpu` asks for CUDA. */
export const device = process.env['DIT_TENSORFLOW_DEVICE'] === 'gpu' ? 'gpu' : 'cpu'

/** Why there is no tfjs-node with its native part, or null. `npm run build:tensorflow` makes one. */
export function whyNoTensorflow(): string | null {
  process.env['DIT_TFJS_NODE'] ??= join(repositoryRoot, '.tensorflow')
  try {
    const { binding } = findPackage(device)
    return existsSync(binding) ? null : `${binding} is missing`
  } catch (error) {
    return `${(error as Error).message}; npm run build:tensorflow`
  }
}
