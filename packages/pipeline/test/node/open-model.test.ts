import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { openModel } from '../../src/node/index.js'

const layouts = join(import.meta.dirname, '../../../model/test/fixtures/layouts')
const folder = mkdtempSync(join(tmpdir(), 'dit-open-model-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A folder with these files of text in it. */
function folderWith(name: string, files: Readonly<Record<string, string>>): string {
  const path = join(folder, name)
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(path, file, '..'), { recursive: true })
    writeFileSync(join(path, file), text)
  }
  return path
}

test('a folder of diffusers is understood without reading its weights', async () => {
  const model = await openModel(join(layouts, 'diffusers'))
  expect(model).toMatchObject({
    layout: 'diffusers',
    guidanceChannels: 'all',
    from: 'numbers',
    scheduler: null,
    autoencoder: null,
    isProcessKnown: true,
    description: { network: { depth: 2 }, process: { kind: 'gaussian' }, classNames: null, pixelRange: null },
  })
  await model.close()
  await model.close()
})

test('a path may be an address of a file', async () => {
  const model = await openModel(pathToFileURL(join(layouts, 'diffusers')))
  expect(model.layout).toBe('diffusers')
  await model.close()
})

test('names and an autoencoder may come from the caller', async () => {
  const { description, names } = await openModel(join(layouts, 'diffusers'), { classNames: ['a', 'b', 'c'] })
  expect([description.classNames, names]).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ])
})

const copied = (name: string) => {
  const path = join(folder, name)
  cpSync(join(layouts, 'diffusers'), path, { recursive: true })
  return path
}

test.each<[() => string, Parameters<typeof openModel>[1], string]>([
  [() => join(folder, 'none.safetensors'), {}, 'none.safetensors: there is no such file or folder'],
  [
    () => folderWith('empty', { 'a.txt': '' }),
    {},
    'empty must have weights, such as diffusion_pytorch_model.safetensors',
  ],
  [() => folderWith('index', { 'model_index.json': '{}' }), {}, 'index/transformer/ must have weights'],
  [
    () => folderWith('sharded', { 'm.safetensors.index.json': '{}' }) + '/m.safetensors',
    {},
    'the weights are in several files, so give their index',
  ],
  [
    () => folderWith('run', { 'config.json': '{"format": "dit-run-2"}' }),
    {},
    'run has no checkpoint yet, because it was stopped too early',
  ],
  [
    () => join(layouts, 'state.pt'),
    {},
    'heads is needed, because neither the file nor its sizes tell the number of attention heads',
  ],
  [() => join(layouts, 'state.pt'), { heads: 3 }, 'heads 3: '],
  [() => join(layouts, 'diffusers'), { heads: 1 }, 'heads 1: the file says 2; leave it out'],
  [() => join(layouts, 'diffusers'), { classNames: ['a'] }, 'classNames: there must be 3, one for each class'],
  [() => join(layouts, 'diffusers'), { autoencoder: folder }, 'there is no diffusers autoencoder in this folder'],
  [() => join(layouts, 'diffusers'), { which: 'ema' }, 'must be a training state to have ema weights'],
  [
    () => {
      const path = copied('labels')
      writeFileSync(join(path, 'model_index.json'), '{"id2label": {"0": "x", "7": "y"}}')
      cpSync(join(layouts, 'diffusers'), join(path, 'transformer'), { recursive: true })
      return path
    },
    {},
    'labels/model_index.json: id2label names a class "7", but the network has the classes 0 to 2',
  ],
  [
    () => {
      const path = copied('broken')
      mkdirSync(join(path, 'scheduler'))
      writeFileSync(join(path, 'scheduler/scheduler_config.json'), '{')
      return path
    },
    {},
    'broken/scheduler/scheduler_config.json: must be JSON',
  ],
])('what is missing is said, and where it was looked for: %#', async (path, options, message) => {
  await expect(openModel(path(), options)).rejects.toThrow(message)
})
