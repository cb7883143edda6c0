import { readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PRETRAINED } from '../open/pretrained-name.js'
import { didYouMean } from '../classes/suggest.js'
import { OpenError } from '../option-error.js'

/**
 * Path of a model's weights in `@dit/pretrained`.
 *
 * @param source     as it was given, for messages: `@dit/pretrained/<model>`
 * @param model      the name in it
 * @param resolvers  modules or folders that the package may be resolved from, the first that finds it
 * @throws OpenError where the package is not installed, has no such model, or lacks its file
 */
export async function findPretrained(
  source: string,
  model: string,
  resolvers: readonly (string | URL)[],
): Promise<string> {
  const manifest = resolveManifest(resolvers)
  if (manifest === null) {
    throw new OpenError(source, `${PRETRAINED} is not installed; install it with \`npm install ${PRETRAINED}\``)
  }
  const models = await modelsOf(manifest)
  const file = models.get(model)
  if (file === undefined) {
    const names = [...models.keys()]
    throw new OpenError(
      source,
      `${PRETRAINED} has no such model; it has ${names.join(' and ')}${didYouMean(model, names)}`,
    )
  }
  const path = join(dirname(manifest), file)
  if ((await stat(path).catch(() => null))?.isFile() === true) return path
  throw new OpenError(source, `the file ${path} is missing in the installed package`)
}

/** Path of the package's `package.json`; null where it is not installed. */
function resolveManifest(resolvers: readonly (string | URL)[]): string | null {
  for (const resolver of resolvers) {
    try {
      return createRequire(resolver).resolve(`${PRETRAINED}/package.json`)
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
