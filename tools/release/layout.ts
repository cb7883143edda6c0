import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import type { Tarball } from './pack.js'
import { run } from './run.js'
import type { Package } from './workspace.js'

/** What is wrong with a packed package, one line each: publint (strict), the types as seen by attw, and its contents. */
export async function layoutProblems(root: string, item: Package, tarball: Tarball): Promise<string[]> {
  const found = [contentProblems(item, tarball), publintProblems(tarball), typeProblems(root, item, tarball)]
  return (await Promise.all(found)).flat()
}

/** Files that a package must ship, and compiled files that no source stands behind any more. */
async function contentProblems({ folder }: Package, { files }: Tarball): Promise<string[]> {
  const missing = ['README.md', 'LICENSE', 'package.json'].filter((name) => !files.includes(name))
  const stale = files
    .filter((path) => path.startsWith('dist/') && path.endsWith('.js') && files.includes(`${path}.map`))
    .filter((path) => {
      const source = join(folder, 'src', path.slice('dist/'.length, -'.js'.length))
      return !existsSync(`${source}.ts`) && !existsSync(`${source}.tsx`)
    })
  const secret = files.filter((path) => /(^|\/)(\.env|\.npmrc|node_modules)(\/|$)/.test(path))
  return [
    ...missing.map((name) => `the tarball holds no ${name}`),
    ...stale.map((path) => `${path} has no source: remove dist and build again`),
    ...secret.map((path) => `${path} must not be published`),
  ]
}

async function publintProblems({ path }: Tarball): Promise<string[]> {
  const bytes = await readFile(path)
  const tarball = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  const { messages, pkg } = await publint({ strict: true, pack: { tarball } })
  return messages.map((message) => `publint: ${formatMessage(message, pkg) ?? message.code}`)
}

// A package with commands and no module for import has no types to look at.
async function typeProblems(root: string, { manifest }: Package, { path }: Tarball): Promise<string[]> {
  if (manifest.exports?.['.'] === undefined) return []
  const attw = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js')
  // What is exported as a file, such as weights, is read and not imported.
  const files = Object.keys(manifest.exports).filter((name) => /\.(?!js)\w+$/.test(name))
  const excluded = files.length === 0 ? [] : ['--exclude-entrypoints', ...files]
  const args = [attw, path, '--profile', 'esm-only', '--format', 'ascii', '--no-color', '--no-emoji', ...excluded]
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd: root })
  return code === 0 ? [] : [`attw: ${stdout}${stderr}`.trimEnd()]
}
