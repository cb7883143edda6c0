import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { keptFolder, runDit } from '../../../cli/test/support/run-dit.js'
import { TINY } from '../../../cli/test/support/tiny-flags.js'
import { type FolderFile, folderFiles } from '../../src/train/folder-store.js'
import { trainer } from './trained.js'

const folder = keptFolder()
const WASM = [...TINY.filter((flag) => !flag.startsWith('--backend')), '--backend=cpu-wasm', '--threads=1']

/** The files of a folder, as a visitor chooses it, but for those with a text in their paths. */
function chosen(run: string, leaveOut = ''): FolderFile[] {
  return readdirSync(join(folder, run), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => leaveOut === '' || !path.includes(leaveOut))
    .map((path) => ({ path: relative(join(folder, run), path), file: new Blob([readFileSync(path)]) }))
}

const train = (out: string, ...flags: string[]) =>
  runDit(['train', '--data=shapes', '--steps=6', '--checkpoint-every=3', '--quiet', '--out', out, ...flags], {
    cwd: folder,
  })

beforeAll(async () => {
  const { code, stderr } = await train('run', ...WASM, '--val-share=0.1')
  if (code !== 0) throw new Error(stderr)
})

test('a run of the command line goes on in the page to the weights that it would have had', async () => {
  const { asked, files } = trainer()
  expect(await asked({ kind: 'take', files: chosen('run', 'step-0000006') })).toMatchObject([
    { kind: 'kept', step: 3, settings: { data: 'shapes', size: 8, steps: 6 }, curves: { losses: { length: 3 } } },
  ])
  expect([...files.keys()].at(-2)).toBe('checkpoints/step-0000003/manifest.json')
  const heard = [...(await asked({ kind: 'resume' }))]
  expect(heard.filter(({ kind }) => kind === 'problem')).toEqual([])
  expect(heard.at(-1)).toEqual({ kind: 'ended', step: 6, reason: 'finished' })
  for (const part of ['model', 'ema', 'optimizer']) {
    const path = `checkpoints/step-0000006/${part}.safetensors`
    expect(Buffer.compare(files.get(path)!, readFileSync(join(folder, 'run', path))), part).toBe(0)
  }
})

test('a run of another engine goes on only where that is asked for', async () => {
  expect((await train('other', ...TINY)).code).toBe(0)
  const { asked } = trainer()
  await asked({ kind: 'take', files: chosen('other', 'step-0000006') })
  expect(await asked({ kind: 'resume' })).toEqual([
    {
      kind: 'problem',
      isInexact: true,
      text: 'The numbers will not be those of an unbroken run: the engine was reference and is cpu-wasm. Go on anyway, or go on where it began.',
    },
  ])
  expect((await asked({ kind: 'resume', allowInexact: true })).at(-1)).toMatchObject({ kind: 'ended', step: 6 })
})

test('what the page cannot go on with is named, and what lies there stays', async () => {
  const { asked, files } = trainer(new Map([['page.json', new Uint8Array()]]))
  const refused = async (changed: readonly FolderFile[]) => {
    const [{ kind, ...rest }] = await asked({ kind: 'take', files: changed })
    expect(kind).toBe('problem')
    return (rest as { readonly text: string }).text.replace('this page cannot go on with the run: ', '')
  }
  const run = chosen('run')
  const withConfig = (change: object) => {
    const config = JSON.parse(readFileSync(join(folder, 'run/config.json'), 'utf8')) as object
    const file = new Blob([JSON.stringify({ ...config, ...change })])
    return run.map((one) => (one.path === 'config.json' ? { path: one.path, file } : one))
  }
  expect(await refused([])).toBe('it has no config.json; choose the folder that dit train --out made')
  expect(await refused(run.filter(({ path }) => !path.startsWith('checkpoints')))).toBe(
    'it has no checkpoint yet; train it further',
  )
  expect(await refused(withConfig({ data: { kind: 'folder' } }))).toBe(
    'its data are "folder", but only those of shapes and sprites are in the page; open its weights in place of it',
  )
  const cut = run.map((one) =>
    one.path.endsWith('ema.safetensors') ? { path: one.path, file: one.file.slice(0, 100) } : one,
  )
  expect(await refused(cut)).toMatch(/no checkpoint is complete: .*ema\.safetensors has 100 bytes instead of/)
  expect([...files.keys()]).toEqual(['page.json'])
})

test('paths of a chosen folder begin within it', () => {
  const file = Object.assign(new Blob([]), { webkitRelativePath: 'run/checkpoints/best.json' })
  expect(folderFiles([file])[0].path).toBe('checkpoints/best.json')
})
