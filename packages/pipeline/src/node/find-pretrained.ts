import { readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { didYouMean } from '../classes/suggest.js'
import { PRETRAINED, pretrainedName } from '../open/pretrained-name.js'
import { OpenError } from '../option-error.js'

/** Where a package is resolved from: modules, or files beside which there may be `node_modules`. The first that has it wins. */
export type ResolveFrom = string | URL | readonly (string | URL)[]

/**
 * Path of the weights that a name such as `@dit/pretrained/heroes` stands for.
 *
 * @param from default: the working directory, then this package
 * @returns null for a source that is no such name
 * @throws OpenError where `@dit/pretrained` is not installed, has no such model, or lacks its file
 */
export async function findPretrained(source: string, from?: ResolveFrom): Promise<string | null> {
  const model = pretrainedName(source)
  if (model === null) return null
  const manifest = resolveManifest(from)
  if (manifest === null) {
    throw new OpenError(source, `${PRETRAINED} is not installed; install it with \`npm install ${PRETRAINED}\``)
  }
  const models = await modelsOf(manifest)
  const file = models.get(model)
  if (file === undefined) {
    const names = [...models.keys()]
    const which = model === '' ? 'it must name a model' : `${PRETRAINED} has no model ${model}`
    throw new OpenError(source, `${which}: there are ${names.join(' and ')}${didYouMean(model, names)}`)
  }
  const path = join(dirname(manifest), file)
  if ((await stat(path).catch(() => null))?.isFile() === true) return path
  throw new OpenError(source, `the file ${path} is missing in the installed package`)
}

/** Path of the package's `package.json`; null where it is not installed. */
function resolveManifest(from: ResolveFrom = [join(process.cwd(), 'package.json'), import.meta.url]): string | null {
  for (const place of typeof from === 'string' || from instanceof URL ? [from] : from) {
    try {
      return createRequire(place).resolve(`${PRETRAINED}/package.json`)
    } catch (error) {
      if ((error as { code?: string }).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  return null
}

/** The file of each model: what the package exports as `./<model>.safetensors`. */
async function modelsOf(manifest: string): Promise<Map<string, string>> {
  const { exports = {} } = JSON.parse(await readFile(manifest, 'utf8')) as {
    readonly exports?: Readonly<Record<string, unknown>>
  }
  const files = Object.entries(exports).flatMap(([entry, file]) => {
    const name = /^\.\/([^/]+)\.safetensors$/.exec(entry)?.[1]
    return name === undefined || typeof file !== 'string' ? [] : [[name, file] as const]
  })
  return new Map(files)
}
