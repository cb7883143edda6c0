import { ENGINE_NAMES, type EngineName, LATER_ENGINES } from '../engines/names.js'
import { engineText, openEngine } from '../engines/open-engine.js'
import { formatNumber } from '../terminal/format.js'
import { checkTensorflow, findTensorflowTrouble, isTensorflow } from './check-tensorflow.js'
import { checkKernels } from './kernel-check.js'
import type { Finding } from './finding.js'

/** What each engine needs beside this program; those on TensorFlow say it themselves. */
const INSTALL: Readonly<Partial<Record<EngineName, string>>> = {
  'cpu-native': 'install a C compiler and run npm run build (cpu-wasm computes without)',
  'cpu-wasm': 'npm install @dit/backend-cpu',
  'tfjs-wasm': 'npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm',
  'tfjs-cpu': 'npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-cpu',
}

/** Starts every engine, tries its kernels, and lists those that are still to come. */
export async function checkEngines(): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const name of ENGINE_NAMES) {
    // A process has one TensorFlow, and a library that does not fit may end it.
    findings.push(isTensorflow(name) ? await checkTensorflow(name) : await checkEngine(name))
  }
  const planned = LATER_ENGINES.map(({ name, text }) => ({
    name,
    status: 'planned' as const,
    text: `not in this version: ${text}`,
  }))
  return [...findings, ...planned]
}

/** Checks one engine, in this process. */
export async function checkOneEngine(name: EngineName): Promise<Finding> {
  const trouble = isTensorflow(name) ? await findTensorflowTrouble(name) : null
  return trouble ?? checkEngine(name)
}

/** Starts an engine in this process and tries its kernels. */
async function checkEngine(name: EngineName): Promise<Finding> {
  try {
    const { backend, description } = await openEngine(name)
    try {
      const check = await checkKernels(backend)
      const about = engineText(description).slice(name.length + 1)
      const error = `largest kernel error ${formatNumber(check.largestError)} against float64`
      const text = name === 'reference' ? about : `${about}, ${error}`
      if (!check.isRight)
        return {
          name,
          status: 'fail',
          text: `${text}: its results are wrong; do not use it`,
          details: { ...description, ...check },
        }
      return { name, status: 'ok', text, details: { ...description, ...check } }
    } finally {
      await backend.dispose()
    }
  } catch (error) {
    // It runs everywhere; the other engines are optional.
    const status = name === 'cpu-wasm' ? 'fail' : 'missing'
    const { fix = INSTALL[name] } = ((error as Error).cause ?? error) as { fix?: string }
    return { name, status, text: causeText(error), ...(fix === undefined ? {} : { fix }) }
  }
}

/** The first sentence of what the engine itself said. */
function causeText(error: unknown): string {
  const { message, cause } = error as Error
  return (cause instanceof Error ? cause.message : message).split('\n')[0].replace(/; npm install .*$/, '')
}
