import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz, readSafetensors, type StoredArray, writeSafetensors } from '@dit/checkpoint'
import type { classConditional } from '@dit/train-ddp'
import { describe, expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { eagerRecipe, makeTinyRun, tinyModel } from './support/tiny-run.js'

const model = { ...tinyModel, mlpRatio: 4, learnSigma: false }
/** One with a space, one with a comma, and one that is the number of another class. */
const classes = ['disc', 'the ring', 'a square, tilted', '1', 'cross', 'Kreuz ä']

type Process = NonNullable<Parameters<typeof classConditional>[1]>
const RUNS: Readonly<Record<string, { readonly process: Process; readonly flags: readonly string[] }>> = {
  'a Gaussian diffusion': {
    process: { schedule: 'squaredcos_cap_v2', meanType: 'x0', varianceType: 'fixedSmall' },
    flags: ['--process=gaussian', '--predict=x0', '--schedule=squaredcos_cap_v2', '--variance=fixedSmall'],
  },
  'a flow': {
    process: { kind: 'flow', interpolant: 'gvp', networkTime: 'towardsData', timestepScale: 1000 },
    flags: [],
  },
}

async function made(process: Process): Promise<string> {
  const folder = temporaryFolder()
  await makeTinyRun(join(folder, 'run'), process, { model, classes, recipe: eagerRecipe })
  return folder
}

async function ok(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runDit(args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

let count = 0
/** Pictures of two classes by name, with no flag that says anything of the model. */
async function pictures(folder: string, source: string, ...flags: string[]): Promise<StoredArray> {
  const out = join(folder, `${count++}.png`)
  const sampling = ['--classes=1,the ring', '--count=2', '--steps=3', '--seed=7', '--guidance=2', '--backend=reference']
  await ok(['sample', source, ...sampling, '--out', out, '--npz', '--quiet', ...flags])
  return (await readNpz(readFileSync(out.replace('.png', '.npz')))).get('arr_0')!
}

test.each(Object.entries(RUNS))(
  '%s gives equal pictures from every file that dit convert makes',
  async (_, { process }) => {
    const folder = await made(process)
    const at = (name: string) => join(folder, name)
    const want = await pictures(folder, at('run'))
    expect(want).toMatchObject({ dtype: 'U8', shape: [4, 4, 4, 3] })
    expect(new Set(want.data as Uint8Array).size).toBeGreaterThan(20)
    // Each from the one before: from every kind to another.
    let from = at('run')
    for (const [to, ...flags] of [
      ['a.safetensors'],
      ['b.pt'],
      ['folder', '--quiet'],
      ['cut.safetensors', '--shard-size', '2000B'],
      ['d.pt'],
      ['cut-folder', '--shard-size', '2000B', '--quiet'],
      ['e.safetensors'],
    ]) {
      await convert(from, at(to), flags)
      from = at(to.startsWith('cut.') ? `${to}.index.json` : to)
      expect(await pictures(folder, from), to).toEqual(want)
    }
  },
)

/** Converts; where diffusers would compute otherwise, or has no scheduler, that is said. */
async function convert(from: string, to: string, flags: readonly string[]): Promise<void> {
  const { code, stderr } = await runDit(['convert', from, to, ...flags])
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^(dit: diffusers (embeds|has no) .*\n)*$/),
  })
}

describe('a file of an older dit, which has its configuration only', () => {
  const older = async (keys: readonly string[]) => {
    const { process, flags } = RUNS['a Gaussian diffusion']
    const folder = await made(process)
    const [whole, file] = [join(folder, 'whole.safetensors'), join(folder, 'older.safetensors')]
    await ok(['convert', join(folder, 'run'), whole])
    const now = readSafetensors(readFileSync(whole))
    const tensors = new Map<string, StoredArray>()
    for (const name of now.entries.keys()) tensors.set(name, await now.tensor(name))
    const kept = Object.entries(now.metadata).filter(([key]) => keys.includes(key))
    writeFileSync(file, writeSafetensors(tensors, Object.fromEntries(kept)))
    return { folder, file, flags }
  }

  test('is refused with what to pass, and gives the pictures of the run with it', async () => {
    const { folder, file, flags } = await older(['format', 'dit.config'])
    const out = join(folder, 'no.png')
    const { code, stdout, stderr } = await runDit(['sample', file, '--classes=1', '--out', out])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe(
      `dit: ${file} does not say what it was trained as: give --process gaussian or flow, and every other setting that was not the default\n`,
    )
    expect(existsSync(out)).toBe(false)
    const byNumber = ['--classes=3,1', '--quiet']
    const want = await pictures(folder, join(folder, 'run'))
    expect(await pictures(folder, file, ...flags, ...byNumber)).toEqual(want)
    // A file made of it without flags says no more, and with them it needs none.
    const silent = join(folder, 'silent.pt')
    expect((await runDit(['convert', file, silent])).stderr).toBe(
      `dit: ${silent} does not say what the network was trained on, since nothing here tells; give --process to write it down\n`,
    )
    const mended = join(folder, 'mended.pt')
    await ok(['convert', file, mended, ...flags])
    expect(await pictures(folder, mended, ...byNumber)).toEqual(want)
  })

  test('with its process gives them by number, and does not know the names', async () => {
    const { folder, file, flags } = await older(['format', 'dit.config', 'dit.process'])
    expect(await pictures(folder, file, '--classes=3,1')).toEqual(await pictures(folder, join(folder, 'run')))
    const { code, stderr } = await runDit(['sample', file, '--classes=disc', '--out', join(folder, 'no.png')])
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'dit: --classes: the model has no class disc; the classes have no names, only the numbers 0 to 5\n',
    })
    expect(await pictures(folder, file, '--classes=3,1', ...flags)).toEqual(
      await pictures(folder, file, '--classes=3,1'),
    )
    const refused = await runDit(['sample', file, '--process=gaussian', '--schedule=linear', '--classes=1', '--quiet'])
    expect(refused.stderr).toMatch(
      /--schedule linear: .*older\.safetensors says squaredcos_cap_v2; leave the option out\n$/,
    )
  })
})
