import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openModel } from '@dit/pipeline/node'
import { describe, expect, test } from 'vitest'
import { MOST_BYTES } from '../../tools/pretrained/build.js'
import { publishedCard } from '../../tools/pretrained/publish.js'
import { readmeOf } from '../../tools/pretrained/readme.js'
import { SPECS } from '../../tools/pretrained/specs.js'
import { repositoryRoot } from '../../tools/release/workspace.js'
import { readText } from '../sources.js'

const models = await Promise.all(SPECS.map(async (spec) => ({ spec, card: await publishedCard(spec.model.name) })))
const images = join(repositoryRoot, 'docs', 'images', 'pretrained')

/** The text without its spaces and rules of tables, which the formatter changes. */
const words = (text: string) => text.replaceAll(/[\s-]+/g, ' ')

test('the README of @dit/pretrained is what its cards say, to the last figure', () => {
  const readme = readText(join(repositoryRoot, 'packages', 'pretrained', 'README.md'))
  expect(words(readme)).toBe(words(readmeOf(models.map(({ spec, card }) => [spec, card]))))
})

describe.each(models)('$spec.model.name', ({ spec: { model, size }, card }) => {
  const path = fileURLToPath(model.weights)

  test('has weights and a card', () => {
    expect(existsSync(path)).toBe(true)
    expect(card).not.toBeNull()
  })

  test('its file is the one of its card, small enough and complete in itself', async () => {
    const { file, classes, network, sampling } = card!
    expect(statSync(path).size).toBe(file.bytes)
    expect(file.bytes).toBeLessThanOrEqual(MOST_BYTES)
    expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(file.sha256)
    const opened = await openModel(`@dit/pretrained/${model.name}`)
    expect(opened).toMatchObject({ isProcessKnown: true, assumptions: [], names: classes, description: { network } })
    expect(network).toMatchObject({ inputSize: size, numClasses: classes.length })
    await opened.close()
    expect(sampling).toEqual(model.sampling)
  })

  test('has pictures of all samples, of each class, and of the nearest training pictures', () => {
    const names = [model.name, `${model.name}-nearest`, ...card!.classes.map((name) => `${model.name}-${name}`)]
    expect(names.filter((name) => !existsSync(join(images, `${name}.png`)))).toEqual([])
  })
})
