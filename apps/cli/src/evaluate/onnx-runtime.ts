import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { OnnxRuntime } from '@dit/features'
import { UsageError } from '../terminal/errors.js'

/** Packages that run ONNX files, the faster one first. */
const RUNTIMES = ['onnxruntime-node', 'onnxruntime-web'] as const

/**
 * The ONNX Runtime that is installed where the command runs, or else beside dit, which does not depend on it.
 *
 * @param folders  where packages are searched, the first first
 * @throws UsageError where none is installed, and says how to install one
 */
export async function onnxRuntime(
  path: string,
  folders: readonly string[] = [process.cwd(), import.meta.dirname],
): Promise<OnnxRuntime> {
  for (const name of RUNTIMES) {
    for (const folder of folders) {
      const file = fileOf(name, folder)
      if (file === null) continue
      const module = (await import(pathToFileURL(file).href)) as { readonly default?: OnnxRuntime } & OnnxRuntime
      return quietOnOneThread(module.InferenceSession === undefined ? module.default! : module)
    }
  }
  throw new UsageError(
    `--extractor ${path}: an ONNX file needs ONNX Runtime, which dit does not install: npm install onnxruntime-node (or onnxruntime-web, slower)`,
  )
}

function fileOf(name: string, folder: string): string | null {
  try {
    return createRequire(join(resolve(folder), 'any.js')).resolve(name)
  } catch {
    return null
  }
}

interface Environment {
  readonly env?: { logLevel?: string; readonly wasm?: { numThreads?: number } }
}

/** The WebAssembly build on one thread: its own ones keep a process alive. */
function quietOnOneThread(runtime: OnnxRuntime): OnnxRuntime {
  const { env } = runtime as Environment
  if (env !== undefined) env.logLevel = 'error'
  if (env?.wasm !== undefined) env.wasm.numThreads = 1
  return runtime
}
