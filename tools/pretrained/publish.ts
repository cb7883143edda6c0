import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { runOrThrow } from '../release/run.js'
import { repositoryRoot } from '../release/workspace.js'
import type { Built } from './build.js'
import type { Card } from './card.js'
import type { ModelSpec } from './model-spec.js'
import { readmeOf } from './readme.js'

const PACKAGE = join(repositoryRoot, 'packages', 'pretrained')
const IMAGES = join(repositoryRoot, 'docs', 'images', 'pretrained')

/** The published card of a model; null where there is none. */
export async function publishedCard(name: string): Promise<Card | null> {
  const text = await readFile(join(PACKAGE, 'models', `${name}.json`), 'utf8').catch(() => null)
  return text === null ? null : (JSON.parse(text) as Card)
}

/** Puts a model into the package, its images into docs, and its card into the README. */
export async function publish(
  { model }: ModelSpec,
  { card, weights, images }: Built,
  specs: readonly ModelSpec[],
): Promise<void> {
  await mkdir(join(PACKAGE, 'models'), { recursive: true })
  await mkdir(IMAGES, { recursive: true })
  for (const name of await readdir(IMAGES)) {
    if (name === `${model.name}.png` || name.startsWith(`${model.name}-`)) await rm(join(IMAGES, name))
  }
  for (const name of await readdir(images)) await copyFile(join(images, name), join(IMAGES, name))
  await copyFile(weights, join(PACKAGE, 'models', basename(weights)))
  await writeFile(join(PACKAGE, 'models', `${model.name}.json`), `${JSON.stringify(card, null, 2)}\n`)
  await writeReadme(specs)
}

/** Writes the README of the package from the cards that are there. */
export async function writeReadme(specs: readonly ModelSpec[]): Promise<void> {
  const models = await Promise.all(specs.map(async (spec) => [spec, await publishedCard(spec.model.name)] as const))
  await writeFile(join(PACKAGE, 'README.md'), readmeOf(models))
  const format = join(repositoryRoot, 'node_modules', '.bin', 'oxfmt')
  await runOrThrow(format, [PACKAGE], { cwd: repositoryRoot })
}
