import { execFile } from 'node:child_process'
import type { EngineName } from '../engines/names.js'
import type { Finding } from './finding.js'

type TensorflowName = 'tfjs-node' | 'tfjs-node-gpu'

export function isTensorflow(name: EngineName): name is TensorflowName {
  return name === 'tfjs-node' || name === 'tfjs-node-gpu'
}

/** Checks an engine on TensorFlow in processes of their own: first whether it loads, then its kernels. */
export async function checkTensorflow(name: TensorflowName): Promise<Finding> {
  return (await findTensorflowTrouble(name)) ?? checkElsewhere(name)
}

/** What is missing for an engine on TensorFlow, with its fix; null where it loads and computes where it should. */
export async function findTensorflowTrouble(name: TensorflowName): Promise<Finding | null> {
  const { probeTensorflow } = await import('@dit/backend-tfjs/node')
  try {
    await probeTensorflow(name === 'tfjs-node' ? 'cpu' : 'gpu')
    return null
  } catch (error) {
    const { message, fix, trouble } = error as { message: string; fix?: string; trouble?: string }
    return { name, status: 'missing', text: message, ...(fix !== undefined && { fix }), details: { trouble } }
  }
}

/** `dit doctor --backend <name>` as a process. */
export function checkElsewhere(name: EngineName): Promise<Finding> {
  const args = [...process.execArgv, process.argv[1], 'doctor', '--backend', name, '--json']
  return new Promise((resolve) => {
    execFile(process.execPath, args, (error, stdout) => {
      const line = stdout.split('\n').find((line) => line.startsWith('{'))
      const report = line === undefined ? null : (JSON.parse(line) as { engines: Finding[] })
      const text = `its kernels crash the process (${error?.signal ?? `exit code ${error?.code}`})`
      resolve(report?.engines[0] ?? { name, status: 'fail', text })
    })
  })
}
