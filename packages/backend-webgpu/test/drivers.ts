import { existsSync } from 'node:fs'
import type { Backend } from '@dit/tensor'
import { MATRIX_FEATURE } from '../src/matrix-units.js'
import { nodeGpu } from '../src/node/index.js'
import { webgpu, type WebGpuOptions } from '../src/index.js'

/** Where Debian's packages put the manifests of software drivers: SwiftShader beside Chromium, llvmpipe of Mesa from 25 on. */
const MANIFESTS = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/usr/share/vulkan/icd.d/lvp_icd.json']

/** What Dawn wants before it offers an experiment. */
const UNSAFE = ['allow_unsafe_apis']

/** An adapter to test with, or why there is none. */
export interface TestAdapter {
  readonly options: { readonly gpu: GPU; readonly adapter: GPUAdapter } | null
  readonly why: string
}

/** The first driver, of those that the environment names or of the software drivers, that Dawn takes and that has the feature. */
export async function testAdapter(feature?: GPUFeatureName): Promise<TestAdapter> {
  const named = given?.split(':')
  const candidates = named ?? MANIFESTS.filter((path) => existsSync(path))
  for (const path of candidates) {
    process.env['VK_DRIVER_FILES'] = path
    const gpu = await nodeGpu({ backend: 'vulkan', toggles: feature === MATRIX_FEATURE ? UNSAFE : [] })
    const adapter = await gpu.requestAdapter().catch(() => null)
    if (adapter !== null && (feature === undefined || adapter.features.has(feature))) {
      return { options: { gpu, adapter }, why: '' }
    }
  }
  const why =
    candidates.length === 0
      ? 'no software driver for Vulkan is installed (Debian: chromium and libvulkan1, or mesa-vulkan-drivers from 25 on)'
      : `Dawn takes none of the drivers ${candidates.join(', ')}${feature === undefined ? '' : ` with ${feature}`}`
  return { options: null, why }
}

// As it was before this file set it.
const given = process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES']

/** A backend that checks every call and every shader, and computes nothing. */
export async function nullBackend(options: Omit<WebGpuOptions, 'gpu' | 'adapter'> = {}): Promise<Backend> {
  const toggles = options.matrixUnits === undefined ? [] : UNSAFE
  return webgpu({ gpu: await nodeGpu({ backend: 'null', toggles }), ...options })
}
