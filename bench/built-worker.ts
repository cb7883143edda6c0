import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { transformWithOxc } from 'vite'

const source = import.meta.dirname
const target = join(source, 'dist')

/**
 * Whether workers run from `bench/dist`. Not where imports go to the sources of the packages (`--conditions=@dit/source`): that
 * needs the loader of TypeScript, which adds 40 MiB to the memory of each.
 */
export const areWorkersBuilt = !process.execArgv.some((option) => option.startsWith('--conditions'))

/** Writes the scripts of the bench as JavaScript to `bench/dist`, where they still find the packages. */
export async function buildWorker(): Promise<void> {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((file) => /\.(ts|mjs)$/.test(file) && !/^(dist|test)\b/.test(file))) {
    const path = join(source, file)
    const text = readFileSync(path, 'utf8')
    const code = file.endsWith('.ts') ? (await transformWithOxc(text, path, { lang: 'ts' })).code : text
    const place = join(target, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, code)
  }
}

/** Where `buildWorker` puts the worker. */
export const builtWorker = join(target, 'worker.js')
