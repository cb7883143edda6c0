import { join } from 'node:path'
import { repositoryRoot } from '../release/workspace.js'

/** Where the scripts of the repository put tfjs-node and TensorFlow: outside the workspace, since its install script downloads. */
export const TENSORFLOW_FOLDER = join(repositoryRoot, '.tensorflow')
