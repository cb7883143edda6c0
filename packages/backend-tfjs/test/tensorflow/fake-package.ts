import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export interface FakePackage {
  readonly name?: '@tensorflow/tfjs-node' | '@tensorflow/tfjs-node-gpu'
  /** What the package does when it is loaded, in CommonJS; `binding` is the path of its native part. */
  readonly code?: string
  /** Folder of the native part under `lib`; none where it is null. */
  readonly lib?: string | null
  /** What the build script would have left there. */
  readonly record?: object
}

/** A folder whose `node_modules` has something that looks like tfjs-node; it is removed when the test ends. */
export function fakePackage({
  name = '@tensorflow/tfjs-node',
  code = '',
  lib = 'napi-v8',
  record,
}: FakePackage): string {
  const root = mkdtempSync(join(tmpdir(), 'dit-fake-tfjs-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  const folder = join(root, 'node_modules', name)
  mkdirSync(folder, { recursive: true })
  const manifest = { name, version: '4.22.0', main: 'index.js', binary: { napi_versions: [3, 4, 5, 6, 7, 8] } }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  const binding = join(folder, 'lib', lib ?? 'none', 'tfjs_binding.node')
  writeFileSync(join(folder, 'index.js'), `const binding = ${JSON.stringify(binding)}\n${code}\n`)
  if (lib === null) return root
  mkdirSync(join(folder, 'lib', lib), { recursive: true })
  writeFileSync(binding, '')
  if (record !== undefined) writeFileSync(join(folder, 'lib', lib, 'dit-tensorflow.json'), JSON.stringify(record))
  return root
}

/** Code of a package that loads and says where it computes. */
export const loads = (isUsingGpuDevice: boolean, log = '') => `
process.stderr.write(${JSON.stringify(log)})
exports.findBackend = () => ({ isUsingGpuDevice: ${isUsingGpuDevice}, binding: { TF_Version: '2.9.1' } })
`
