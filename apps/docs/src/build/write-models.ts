import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A model beside the pages. `src/playground/models.ts` reads the list of them. */
export interface CopiedModel {
  readonly name: string
  /** Its file: the name has a digest in it, so that a browser may keep the file for good. */
  readonly file: string
  readonly bytes: number
}

/**
 * Copies the models of a folder beside the pages, with a list of them, `index.json`. A folder that is not there has none.
 *
 * @param from where `<name>.safetensors` lie
 * @param to   where they go
 * @returns what was copied, by name
 */
export function writeModels(from: string, to: string): readonly CopiedModel[] {
  const files = existsSync(from) ? readdirSync(from).filter((file) => file.endsWith('.safetensors')) : []
  mkdirSync(to, { recursive: true })
  const models = files.toSorted().map((source): CopiedModel => {
    const contents = readFileSync(join(from, source))
    const name = source.replace(/\.safetensors$/, '')
    const file = `${name}-${createHash('sha256').update(contents).digest('hex').slice(0, 12)}.safetensors`
    writeFileSync(join(to, file), contents)
    return { name, file, bytes: contents.length }
  })
  writeFileSync(join(to, 'index.json'), `${JSON.stringify({ models })}\n`)
  return models
}
