import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ModelInMemory, Picture } from '@dit/pipeline'
import { openPipeline, type OpenPipelineOptions, type Pipeline, type SaveOptions } from '@dit/pipeline/node'
import { reference } from '@dit/tensor'
import { expect, onTestFinished } from 'vitest'

export const backend = reference()

/** One with a comma, which parts no synonyms in a model's own names, and one that is the number of another class. */
export const classNames = ['disc', 'a ring, thin', '0']

/** By name, in another order than that of the labels. */
export const OPTIONS = { classes: ['0', 'a ring, thin'], steps: 2, seed: 3, guidance: 2 }

/** Every form of file: the name to save under, what is opened then, and how it is saved. */
export const FORMS: readonly (readonly [name: string, opened?: string, options?: SaveOptions])[] = [
  ['model.safetensors'],
  ['model.pt'],
  ['cut.safetensors', 'cut.safetensors.index.json', { shardBytes: 2000 }],
  ['folder'],
  ['cut', 'cut', { shardBytes: 2000 }],
]

export function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dit-pipeline-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Pictures of a pipeline that is not needed any more. */
export async function picturesOf(pipeline: Pipeline): Promise<Picture[]> {
  const pictures = await pipeline.pictures(OPTIONS)
  pipeline.dispose()
  return pictures
}

/**
 * Saves a model in every form, each made of the one before, and expects the same description and the same bytes of pictures from each
 * file alone.
 */
export async function expectEqualFromEveryForm(
  source: ModelInMemory,
  options: Omit<OpenPipelineOptions, 'backend'> = {},
): Promise<readonly Picture[]> {
  const folder = folderOfTest()
  const open = (from: Parameters<typeof openPipeline>[0]) => openPipeline(from, { ...options, backend })
  let last = await open({ classNames, ...source })
  const { description } = last
  const want = await last.pictures(OPTIONS)
  expect(want.map(({ className, label }) => [label, className])).toEqual([
    [2, '0'],
    [1, 'a ring, thin'],
  ])
  for (const [name, opened = name, saving] of FORMS) {
    await last.save(join(folder, name), saving)
    last.dispose()
    last = await open(join(folder, opened))
    expect(last, name).toMatchObject({ assumptions: [], description })
    expect(await last.pictures(OPTIONS), name).toEqual(want)
  }
  const bytes = await last.save()
  last.dispose()
  expect(await picturesOf(await open(bytes))).toEqual(want)
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([])
  return want
}
