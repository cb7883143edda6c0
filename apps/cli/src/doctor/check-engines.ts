import { ENGINE_NAMES, type EngineName } from '../engines/names.js'
import { engineText, openEngine } from '../engines/open-engine.js'
import { formatNumber } from '../terminal/format.js'
import { checkElsewhere, checkTensorflow, findTensorflowTrouble, isTensorflow } from './check-tensorflow.js'
import { checkKernels } from './kernel-check.js'
import type { Finding } from './finding.js'

/** What each engine needs beside this program; those on TensorFlow say it themselves. */
const INSTALL: Readonly<Partial<Record<EngineName, string>>> = {
  'cpu-native': 'install a C compiler, then npm run build (cpu-wasm works without it)',
  'cpu-wasm': 'npm install @dit/backend-cpu',
  webgpu: 'npm install webgpu; it needs a driver for Vulkan, Metal or Direct3D 12',
  'tfjs-wasm': 'npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-wasm',
  'tfjs-cpu': 'npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-cpu',
}

/** Starts every engine and tries its kernels. */
export async function checkEngines(): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const name of ENGINE_NAMES) {
    // A process has one TensorFlow, and a library that does not fit may end it; drivers of graphics cards may, too.
    if (isTensorflow(name)) findings.push(await checkTensorflow(name))
    else if (name === 'webgpu') findings.push(await checkElsewhere(name))
    else findings.push(await checkEngine(name))
  }
  return findings
}

/** Checks one engine, in this process. */
export async function checkOneEngine(name: EngineName): Promise<Finding> {
  const trouble = isTensorflow(name) ? await findTensorflowTrouble(name) : null
  const finding = trouble ?? (await checkEngine(name))
  return name === 'webgpu' ? withAdapters(finding) : finding
}

/** With the graphics cards among which `DIT_WEBGPU_ADAPTER` chooses. */
async function withAdapters(finding: Finding): Promise<Finding> {
  const { listAdapters } = await import('@dit/backend-webgpu/node')
  const adapters = await listAdapters().catch(() => []) // where Dawn is missing the finding says so
  const names = adapters.map(({ name, backend }) => `${name} (${backend})`).join(', ')
  const wanted = process.env['DIT_WEBGPU_ADAPTER']
  if (finding.status === 'missing' && wanted !== undefined && adapters.length > 0) {
    const fix = `DIT_WEBGPU_ADAPTER must be part of the name of a card that is here: ${names} (it is ${wanted}); without it the first is taken`
    return { ...finding, fix, details: { ...finding.details, adapters } }
  }
  const choice = adapters.length > 1 ? `; DIT_WEBGPU_ADAPTER=<name> chooses among ${names}` : ''
  return { ...finding, text: finding.text + choice, details: { ...finding.details, adapters } }
}

/** Starts an engine in this process and tries its kernels. */
async function checkEngine(name: EngineName): Promise<Finding> {
  try {
    const { backend, description, warning } = await openEngine(name)
    try {
      const check = await checkKernels(backend)
      const about = engineText(description).slice(name.length + 1)
      const error = `largest kernel error ${formatNumber(check.largestError)} against float64`
      const checked = name === 'reference' ? about : `${about}, ${error}`
      const text = warning === undefined ? checked : `${checked}; ${warning}`
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
