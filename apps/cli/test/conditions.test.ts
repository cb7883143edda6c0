import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz } from '@dit/checkpoint'
import { writeSafetensorsFile } from '@dit/checkpoint/node'
import { beforeAll, expect, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { keptFolder, runDit } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'
import { makeToldPictures, toldTensors } from './support/told-pictures.js'

const folder = keptFolder()
const data = join(folder, 'data')
const prompts = join(folder, 'prompts.safetensors')
const run = join(folder, 'run')
const told = ['--data', data, '--conditions=all', '--block=cross-attention']
const training = ['train', ...TINY, ...told, '--checkpoint-every=2', '--steps=4', '--lr=0.05', '--warmup=0', '--ema=0']

beforeAll(async () => {
  await makeToldPictures(data)
  await writeSafetensorsFile(prompts, toldTensors([4, 0]), { metadata: { files: '["bright green", "dark red"]' } })
})

/** Bytes of the last checkpoint and of the log, by file. */
function bytesOf(out: string): Record<string, string> {
  const last = join(out, 'checkpoints', 'step-0000004')
  const files = readdirSync(last).map((name) => [name, readFileSync(join(last, name), 'base64')] as const)
  return { ...Object.fromEntries(files), log: readFileSync(join(out, 'log.jsonl'), 'utf8') }
}

test('a run learns from what the file tells of its pictures, and keeps it in config.json', async () => {
  const trained = await runDit([...training, '--out', run])
  expect(trained).toMatchObject({ code: 0 })
  expect(trained.stderr).toBe(`dit: 1 row of ${data}/conditions.safetensors is for no picture here\n`)
  expect(trained.stdout).toContain(
    'told   caption (up to 2 tokens of 3 numbers), pose (a vector of 2), style (2 classes)',
  )
  expect(trained.stdout).not.toContain('left out')
  const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig
  expect(config).toMatchObject({
    classes: ['a', 'b'],
    data: { conditions: { asked: 'all', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    objective: {
      network: {
        config: {
          numClasses: 0,
          classDropout: 0,
          conditions: [
            { name: 'caption', kind: 'tokens', size: 3, most: 2, dropout: 0.1 },
            { name: 'pose', kind: 'vector', size: 2, dropout: 0.1 },
            { name: 'style', kind: 'label', classes: 2, dropout: 0.1 },
          ],
        },
      },
    },
  })
})

test('a resumed run ends in the bytes of an unbroken one', async () => {
  const broken = join(folder, 'broken')
  expect(await runDit([...training, '--out', broken, '--quiet', '--sample-every=none'])).toMatchObject({ code: 0 })
  const whole = bytesOf(broken)
  rmSync(join(broken, 'checkpoints', 'step-0000004'), { recursive: true })
  const resumed = await runDit([...training, '--out', broken, '--quiet', '--resume'])
  expect(resumed.code).toBe(0)
  expect(bytesOf(broken)).toEqual(whole)
})

const sampling = ['sample', run, '--backend=reference', '--steps=2']

test('prompts are drawn in order, each like a class, guided by one scale or by one for each condition', async () => {
  const drawn = async (name: string, ...args: string[]) => {
    const npz = join(folder, `${name}.npz`)
    const result = await runDit([...sampling, `--conditions=${prompts}`, `--npz=${npz}`, ...args])
    expect(result).toMatchObject({ code: 0, stderr: '' })
    const arrays = await readNpz(readFileSync(npz))
    return { stdout: result.stdout, pictures: arrays.get('arr_0')!, classes: arrays.get('arr_1')! }
  }
  const plain = await drawn('plain')
  expect(plain.stdout).toContain('sample 2 prompts x 1, ddpm 2 steps, guidance 1, seed 0')
  expect(plain.pictures.shape).toEqual([2, 8, 8, 3])
  expect([...plain.classes.data].map(Number)).toEqual([0, 1])
  const led = await drawn('led', '--guidance=3', '--singles')
  expect(led.pictures.data).not.toEqual(plain.pictures.data)
  const named = await drawn('named', '--guidance=caption=3,style=1', '--count=2')
  expect(named.stdout).toContain('2 prompts x 2, ddpm 2 steps, guidance caption=3,style=1')
  expect(named.pictures.shape).toEqual([4, 8, 8, 3])
})

const TRAIN = ['train', ...TINY, '--steps=2', '--data', data]
const SAMPLE = ['sample', run, '--backend=reference', '--conditions', prompts]
const WRONG: [what: string, args: string[], text: string][] = [
  [
    'tokens without their blocks',
    [...TRAIN, '--conditions=caption'],
    'the tokens of caption are read by cross-attention; give --block cross-attention as well',
  ],
  [
    'a condition that there is not',
    [...TRAIN, '--conditions=stile'],
    'conditions.safetensors has no stile; did you mean style? (it has caption, pose, style)',
  ],
  ['a condition twice', [...TRAIN, '--conditions=pose,pose'], '--conditions pose,pose: a name stands there twice'],
  ['dropout of none', [...TRAIN, '--condition-dropout=0.2'], '--condition-dropout needs --conditions'],
  [
    'dropout of another',
    [...TRAIN, '--conditions=pose', '--condition-dropout=style=0.2'],
    'there is no condition style (there are: pose)',
  ],
  ['dropout above 1', [...TRAIN, '--conditions=pose', '--condition-dropout=pose=2'], 'It must be from 0 to 1.'],
  ['dropout of classes', [...TRAIN, '--conditions=pose', '--class-dropout=0.2'], 'give --condition-dropout'],
  [
    'measures of classes',
    [...TRAIN, '--conditions=pose', '--eval-every=2'],
    '--eval-every measures samples of classes',
  ],
  [
    'weights of a network of classes',
    [...TRAIN, '--conditions=pose', '--from', run],
    '--from begins with the weights of a network of classes',
  ],
  [
    'generated pictures',
    ['train', ...TINY, '--data=shapes', '--conditions=labels'],
    '--conditions is for folders of pictures or latents, but --data shapes is of generated pictures',
  ],
  ['no data', ['train', ...TINY, '--conditions=pose'], '--conditions needs --data <folder> or --latents <folder>'],
  ['no file', ['train', ...TINY, '--data', join(data, 'a'), '--conditions=pose'], 'there is no file'],
  [
    'other conditions for a resumed run',
    ['train', '--resume', run, '--conditions=pose'],
    '--conditions pose (the run has all)',
  ],
  [
    'another dropout for a resumed run',
    ['train', '--resume', run, '--condition-dropout=0.3'],
    'the run has caption=0.1,pose=0.1,style=0.1',
  ],
  [
    'samples without prompts',
    ['sample', run],
    'the network is told caption, pose, style, not a class; draw with it by `dit sample <model> --conditions <file>`',
  ],
  ['prompts that are none', ['sample', run, '--conditions', join(folder, 'none')], 'none: no such file'],
  [
    'prompts for classes',
    ['sample', '@dit/pretrained/heroes', '--conditions', prompts],
    'but @dit/pretrained/heroes is told classes',
  ],
  [
    'guidance by what there is not',
    [...SAMPLE, '--guidance=text=2'],
    '--guidance: there is no condition text to guide by (there are: caption, pose, style)',
  ],
  [
    'two kinds of guidance',
    [...SAMPLE, '--guidance=pose=2', '--guidance-rescale=0.5'],
    '--guidance-rescale goes with one scale of guidance',
  ],
  ['guidance by name for classes', ['sample', run, '--guidance=pose=2'], 'scales by name need --conditions'],
  ['an evaluation of samples', ['eval', run], 'the network is told caption, pose, style, not a class'],
]

test.each(WRONG)('%s: refused with the flag', async (_, args, text) => {
  const { code, stderr } = await runDit(args)
  expect(stderr).toContain(text)
  expect(code).toBe(2)
})

test('a network that is told nothing is trained, and sampled without prompts', async () => {
  const out = join(folder, 'nothing')
  const trained = await runDit(['train', ...TINY, '--data', data, '--conditions=none', '--steps=1', '--out', out])
  expect(trained).toMatchObject({ code: 0, stderr: '' })
  expect(trained.stdout).toContain('told   nothing')
  const drawn = await runDit(['sample', out, '--backend=reference', '--steps=1', '--count=2'])
  expect(drawn).toMatchObject({ code: 0, stderr: '' })
  expect(drawn.stdout).toContain('sample 1 class x 2')
})

test('weights that were converted draw the same pictures', async () => {
  const file = join(folder, 'weights.safetensors')
  expect(await runDit(['convert', run, file, '--quiet'])).toMatchObject({ code: 0, stderr: '' })
  const drawn = async (model: string) => {
    const out = join(folder, 'again.png')
    const args = [
      'sample',
      model,
      '--backend=reference',
      '--steps=2',
      `--conditions=${prompts}`,
      '--out',
      out,
      '--force',
    ]
    expect(await runDit(args)).toMatchObject({ code: 0, stderr: '' })
    return readFileSync(out)
  }
  expect(await drawn(file)).toEqual(await drawn(run))
})
