import { expect, test } from 'vitest'
import { smallModel } from '../../../../packages/pipeline/test/open/small-model.js'
import { pictures, settings, trainer } from './trained.js'

/** A file of weights that the page exported, as a visitor chooses it. */
async function exportedFile(): Promise<File> {
  const { asked } = trainer()
  await asked({ kind: 'begin', settings, pictures })
  const [exported] = await asked({ kind: 'export' })
  if (exported.kind !== 'exported') throw new Error(JSON.stringify(exported))
  return new File([exported.file], 'dit-pictures-3.safetensors')
}

test('an exported file opens, says what it is, and draws one picture of each class; others with another seed', async () => {
  const { asked } = trainer()
  const heard = [...(await asked({ kind: 'open', file: await exportedFile() }))]
  expect(heard[0]).toMatchObject({
    kind: 'opened',
    about: { name: 'dit-pictures-3.safetensors', classNames: ['dark', 'light'], network: { hiddenSize: 128 } },
  })
  expect(heard.filter(({ kind }) => kind === 'drawing').at(-1)).toEqual({ kind: 'drawing', done: 12, total: 12 })
  const first = heard.at(-1)
  if (first?.kind !== 'drawn') throw new Error(JSON.stringify(first))
  expect(first.pictures.map(({ className, width, data }) => [className, width, data.length])).toEqual([
    ['dark', 4, 64],
    ['light', 4, 64],
  ])
  const second = (await asked({ kind: 'draw', seed: 1 })).at(-1)
  if (second?.kind !== 'drawn') throw new Error(JSON.stringify(second))
  expect(second.seed).toBe(1)
  expect(await asked({ kind: 'close' })).toEqual([])
  expect(await asked({ kind: 'draw', seed: 2 })).toMatchObject([{ kind: 'weights-problem' }])
})

test('a training goes on from the weights of a file, also after a reload before its first checkpoint', async () => {
  const from = await exportedFile()
  const lossesOf = (files: Map<string, Uint8Array>) =>
    new TextDecoder().decode(files.get('log.jsonl')).match(/"loss":[\d.]+/g)
  const anew = trainer()
  await anew.asked({ kind: 'begin', settings, pictures })
  const begun = trainer()
  const message = { kind: 'begin', settings: { ...settings, from: from.name }, pictures, from } as const
  expect((await begun.asked(message)).at(-1)).toMatchObject({ kind: 'ended', step: 3, reason: 'finished' })
  expect(lossesOf(begun.files)).not.toEqual(lossesOf(anew.files))

  // As a tab leaves it that is closed before a checkpoint was written.
  const kept = ['page.json', 'pictures.bin', 'start.safetensors'].map((path) => [path, begun.files.get(path)!] as const)
  const again = trainer(new Map(kept))
  expect((await again.asked({ kind: 'resume' })).at(-1)).toMatchObject({ kind: 'ended', step: 3 })
  expect(lossesOf(again.files)).toEqual(lossesOf(begun.files))
  await again.asked({ kind: 'forget' })
  expect(again.files.size).toBe(0)
})

test('weights that do not fit are refused by the field that differs, and what lies there stays', async () => {
  const { asked, files } = trainer()
  await asked({ kind: 'begin', settings, pictures })
  const before = new Map(files)
  const other = new File([await (await smallModel({ meanType: 'x0' })).save()], 'other.safetensors')
  expect(await asked({ kind: 'begin', settings, pictures, from: other })).toEqual([
    {
      kind: 'problem',
      text: expect.stringMatching(
        /^this page cannot go on from other\.safetensors: \w+ of the process is .* and must be /,
      ),
    },
  ])
  // Not a byte was written: the arrays themselves are those from before.
  expect([...files].every(([path, bytes]) => before.get(path) === bytes) && files.size === before.size).toBe(true)
})

test('what is no file of weights is refused with what to open', async () => {
  const { asked } = trainer()
  const [{ kind, ...rest }] = await asked({ kind: 'open', file: new File(['words'], 'notes.safetensors') })
  expect(kind).toBe('weights-problem')
  expect((rest as { readonly text: string }).text).toMatch(
    /notes\.safetensors.*\. Open a \.safetensors file that this page exported, or that `dit convert <run> weights\.safetensors` wrote\.$/,
  )
})
