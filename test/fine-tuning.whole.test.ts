import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { typescriptBlocks, withoutTypes } from '../tools/release/readme.js'
import { run } from '../tools/release/run.js'
import { repositoryRoot } from '../tools/release/workspace.js'
import { readText } from './sources.js'

// Needs a build.
const guide = readText(join(repositoryRoot, 'docs', 'fine-tuning.md'))
const PROGRAM = join(repositoryRoot, 'apps', 'cli', 'dist', 'main.js')
const work = mkdtempSync(join(tmpdir(), 'dit-guide-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** What makes a command of the guide small: options of its own win, so these stand before them. */
const SMALL = {
  new: ['--size=16', '--hidden=16', '--depth=3', '--heads=2', '--timesteps=20', '--schedule=squaredcos_cap_v2'],
  train: ['--batch=4', '--steps=2', '--sample-every=none', '--backend=reference'],
  sample: ['--count=1', '--steps=2', '--backend=reference'],
  convert: [],
}

const commands = [...guide.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block]) => block.trim().split('\n'))

beforeAll(async () => {
  // Pictures of two kinds, one of which both folders have.
  const { default: sharp } = (await import(
    createRequire(join(repositoryRoot, 'packages', 'data', 'package.json')).resolve('sharp')
  )) as { default: (pixels: Buffer, options: object) => { png(): { toFile(path: string): Promise<unknown> } } }
  for (const [folder, kinds] of Object.entries({ animals: ['cat', 'owl'], birds: ['owl', 'wren'] })) {
    for (const kind of kinds) {
      mkdirSync(join(work, folder, kind), { recursive: true })
      for (let i = 0; i < 4; i++) {
        const pixels = Buffer.from(
          Array.from({ length: 16 * 16 * 3 }, (_, k) => (k * (7 + i) + kind.length * 40) % 256),
        )
        const picture = sharp(pixels, { raw: { width: 16, height: 16, channels: 3 } })
        await picture.png().toFile(join(work, folder, kind, `${i}.png`))
      }
    }
  }
})

test('the guide has commands for what it is about', () => {
  for (const option of ['--from', '--size', '--train-only', '--lora ', '--adapter', '--lora-scale']) {
    expect(
      commands.some((command) => command.includes(option)),
      option,
    ).toBe(true)
  }
})

test(
  'every command of the guide to fine-tuning runs, on tiny pictures, and so does its program',
  { timeout: 300_000 },
  async () => {
    for (const command of commands) {
      const [program, name, ...options] = command.split(' ')
      expect(program).toBe('dit')
      const isNew = name === 'train' && !options.includes('--from')
      const small = [...(isNew ? SMALL.new : []), ...SMALL[name as 'train' | 'sample' | 'convert']]
      const finished = await run(process.execPath, [PROGRAM, name, ...small, ...options], { cwd: work, seconds: 100 })
      expect({ command, ...finished }).toMatchObject({ code: 0, stderr: '' })
    }
    const [program] = typescriptBlocks(guide)
    const file = join(repositoryRoot, 'node_modules', '.cache', 'guide-example.mjs')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, await withoutTypes(program))
    const finished = await run(process.execPath, [file], { cwd: work, seconds: 100 })
    rmSync(file)
    expect(finished).toMatchObject({ code: 0, stderr: '' })
    expect(finished.stdout).toBe('25 of 42\nfrozen function\n')
  },
)
