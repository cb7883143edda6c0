import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openTensorFile } from '@dit/checkpoint/node'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { type Finished, keptFolder, runDit, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const ENGINE = ['--backend=reference']
const TRAIN = ['--recipe=small', '--batch=4', '--sample-every=none', '--checkpoint-every=2', '--steps=4', ...ENGINE]
const SAMPLE = ['--count=1', '--steps=2', ...ENGINE, '--quiet']

const shared = keptFolder()
const [base, pictures] = [join(shared, 'base'), join(shared, 'pictures')]

/** A run on the six classes of shapes, and pictures of one of them and two others. */
beforeAll(async () => {
  const trained = await runDit([
    'train',
    ...TINY,
    '--recipe=small',
    '--steps=4',
    '--lr=0.01',
    '--warmup=0',
    '--out',
    base,
    '--quiet',
  ])
  if (trained.code !== 0) throw new Error(trained.stderr)
  for (const [at, name] of ['disc', 'naga', 'orc'].entries()) {
    mkdirSync(join(pictures, name), { recursive: true })
    for (let i = 0; i < 4; i++) {
      const raw = Buffer.from(Array.from({ length: 8 * 8 * 3 }, (_, k) => (k * (7 + i) + at * 60) % 256))
      const picture = sharp(raw, { raw: { width: 8, height: 8, channels: 3 } })
      await picture.png().toFile(join(pictures, name, `${i}.png`))
    }
  }
})

async function train(out: string, ...flags: string[]) {
  return runDit(['train', '--from', base, '--data', pictures, ...TRAIN, ...flags, '--out', out])
}

async function refused(...flags: string[]): Promise<string> {
  const { code, stderr } = await train(join(temporaryFolder(), 'run'), ...flags)
  expect(code).toBe(2)
  return stderr
}

const configOf = (run: string) => JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig
const last = (run: string, part = 'model') => join(run, 'checkpoints', 'step-0000004', `${part}.safetensors`)

async function tensorsOf(path: string): Promise<Map<string, Float32Array>> {
  const file = await openTensorFile(path)
  const tensors = new Map<string, Float32Array>()
  for (const name of file.entries.keys()) tensors.set(name, await file.float32(name))
  await file.close()
  return tensors
}

const LABELS = 'y_embedder.embedding_table.weight'

describe('dit train --from', () => {
  test('takes network and process, matches classes by name, and says what it did', async () => {
    const out = join(temporaryFolder(), 'run')
    const { code, stdout } = await train(out, '--lr=0')
    expect(code).toBe(0)
    expect(stdout).toContain(`from    ${base}, step 4, averaged weights, SHA-256 `)
    expect(stdout).toContain('1 class found by name: disc')
    expect(stdout).toContain('2 new classes: naga, orc; their label rows begin as the mean of the old ones')
    expect(stdout).toContain('5 classes of the weights left out: ring, square, triangle, cross, crescent')
    const { objective, from, classes } = configOf(out)
    const before = configOf(base).objective as { network: { config: object }; process: object }
    expect(objective).toMatchObject({
      network: { config: { ...before.network.config, numClasses: 3 } },
      process: before.process,
    })
    expect(from).toMatchObject({ source: base, replaced: [LABELS], given: {} })
    expect(from!.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(classes).toEqual(['disc', 'naga', 'orc'])
    // At a learning rate of 0 the run ends with what it began with.
    const [old, now] = [await tensorsOf(last(base, 'ema')), await tensorsOf(last(out))]
    for (const [name, values] of [...now].filter(([each]) => each !== LABELS))
      expect(values, name).toEqual(old.get(name))
    const width = 16
    expect(now.get(LABELS)!.subarray(0, width)).toEqual(old.get(LABELS)!.subarray(0, width))
    expect(now.get(LABELS)!.subarray(3 * width)).toEqual(old.get(LABELS)!.subarray(6 * width))
    // A checkpoint has all: what the run began with is no longer there.
    expect(readdirSync(out)).not.toContain('start.safetensors')
  })

  test('begins with the trained weights on request, and at the rate of the recipe', async () => {
    const out = join(temporaryFolder(), 'run')
    const { stdout } = await train(out, '--from-weights=model')
    expect(stdout).toContain(`${base}, step 4, trained weights`)
    expect(configOf(out).recipe.learningRate).toBe(1e-3)
  })

  test('begins with whatever dit sample takes: a .pt file, a folder of diffusers, a checkpoint', async () => {
    const folder = temporaryFolder()
    const [torch, diffusers] = [join(folder, 'base.pt'), join(folder, 'diffusers')]
    for (const to of [torch, diffusers]) await runDit(['convert', base, to, '--quiet'])
    const sources = [torch, diffusers, join(base, 'checkpoints', 'step-0000004')]
    const starts = []
    for (const [i, source] of sources.entries()) {
      const out = join(folder, `run${i}`)
      const args = ['train', '--from', source, '--data', pictures, ...TRAIN, '--lr=0', '--quiet', '--out', out]
      expect((await runDit(args)).code, source).toBe(0)
      starts.push((await tensorsOf(last(out))).get('blocks.0.attn.qkv.weight'))
    }
    const wanted = (await tensorsOf(last(base, 'ema'))).get('blocks.0.attn.qkv.weight')
    expect(starts).toEqual([wanted, wanted, wanted])
  })

  test('begins with a file, and at another size', async () => {
    const folder = temporaryFolder()
    const [file, out] = [join(folder, 'base.safetensors'), join(folder, 'run')]
    await runDit(['convert', base, file, '--quiet'])
    const { code, stdout } = await runDit([
      'train',
      '--from',
      file,
      '--data',
      pictures,
      '--size=16',
      ...TRAIN,
      '--out',
      out,
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('size 8 -> 16: positions scaled to the range that was learned (--positions scaled)')
    expect((await tensorsOf(last(out))).get('pos_embed')).toHaveLength(16 * 16)
    expect((await runDit(['sample', out, ...SAMPLE])).code).toBe(0)
  })

  test('resumes to the bit without the source', async () => {
    const folder = temporaryFolder()
    const [source, whole, broken] = ['source', 'whole', 'broken'].map((name) => join(folder, name))
    cpSync(base, source, { recursive: true })
    const flags = ['--data', pictures, ...TRAIN, '--train-only=final,labels', '--quiet']
    expect((await runDit(['train', '--from', source, ...flags, '--out', whole])).code).toBe(0)
    expect((await runDit(['train', '--from', source, ...flags, '--out', broken])).code).toBe(0)
    rmSync(source, { recursive: true })
    rmSync(join(broken, 'checkpoints', 'step-0000004'), { recursive: true })
    expect((await runDit(['train', '--resume', broken, '--quiet'])).code).toBe(0)
    for (const part of ['model', 'ema', 'optimizer']) {
      expect(readFileSync(last(broken, part)), part).toEqual(readFileSync(last(whole, part)))
    }
    expect(readFileSync(join(broken, 'log.jsonl'))).toEqual(readFileSync(join(whole, 'log.jsonl')))
  })

  test('freezes all but what is named, and says what that saves', async () => {
    const out = join(temporaryFolder(), 'run')
    const { stdout } = await train(out, '--train-only', 'final, labels')
    expect(stdout).toMatch(
      /trains {2}\S+ of \S+ parameters; the others are frozen\. Gradients, moments and averages take \S+ KiB instead of/,
    )
    const [old, now] = [await tensorsOf(last(base, 'ema')), await tensorsOf(last(out))]
    for (const [name, values] of now) {
      if (name.startsWith('final_layer') || name === LABELS) continue
      expect(values, name).toEqual(old.get(name))
    }
    expect(now.get('final_layer.linear.bias')).not.toEqual(old.get('final_layer.linear.bias'))
  })

  test('changes what the output means only if the final layer begins anew', async () => {
    expect(await refused('--predict=x0')).toContain(
      `--predict x0: the final layer of ${base} gives epsilon of a Gaussian diffusion, and would have to give x0 of a Gaussian diffusion; leave --predict out, or begin that layer anew with --reset-output`,
    )
    const out = join(temporaryFolder(), 'run')
    const { code, stdout } = await train(out, '--predict=x0', '--variance=fixedSmall', '--reset-output')
    expect(code).toBe(0)
    expect(stdout).toContain('the final layer begins anew, as zeros')
  })

  test.each([
    [
      ['--hidden=32'],
      `--hidden 32: the weights of ${base} fix a hidden size of 16; leave --hidden out, or train from scratch`,
    ],
    [['--patch=2'], 'fix patches of 4 (another patch is another first and last layer); leave --patch out'],
    [
      ['--model=DiT-S/2'],
      `--model DiT-S/2 has a hidden size of 384, but the weights of ${base} fix a hidden size of 16`,
    ],
    [['--process=flow'], '--process flow: the final layer of'],
    [['--variance=learned'], 'gives a variance as learnedRange; leave --variance out'],
    [['--path=vp'], '--path works only with --process flow'],
    [['--size=10'], '--size 10 is not a multiple of 4, the patch side of'],
    [['--positions=bicubic'], '--positions bicubic: the size is that of'],
    [['--train-only=head'], '--train-only: no parameter matches "head"; there are the parts final, labels'],
    [['--train-only=positions'], '--train-only: positions is a fixed table, which is never trained'],
    [['--train-only=final,'], 'It must be names with commas between'],
    [['--lora-alpha=2'], '--lora-alpha works only with --lora'],
    [['--lora=17'], '--lora: rank must be at most 16, the smaller side of blocks.0.attn.qkv.weight (got 17)'],
    [['--lora=2', '--lora-targets=labels'], '--lora: no weight of a linear layer matches'],
  ])('%j is refused', async (flags, message) => {
    expect(await refused(...flags)).toContain(message)
  })

  test('pictures are refused for a network of latents', async () => {
    const folder = temporaryFolder()
    const config = configOf(base)
    const network = { ...(config.objective as { network: { config: object } }).network.config, inChannels: 4 }
    cpSync(base, join(folder, 'run'), { recursive: true })
    const objective = { ...config.objective, network: { kind: 'dit', config: network } }
    writeFileSync(join(folder, 'run', 'config.json'), JSON.stringify({ ...config, objective }))
    const { code, stderr } = await runDit([
      'train',
      '--from',
      join(folder, 'run'),
      '--data',
      pictures,
      '--out',
      join(folder, 'out'),
    ])
    expect(code).not.toBe(0)
    expect(stderr).toMatch(/trained on latents of 4 channels|does not fit/)
  })

  test('options of fine-tuning need it', async () => {
    for (const flag of ['--lora=2', '--train-only=final', '--reset-output']) {
      const { code, stderr } = await runDit(['train', flag, '--out', join(temporaryFolder(), 'run')])
      expect(code).toBe(2)
      expect(stderr).toContain(`${flag.split('=')[0]} works only with --from, the run or weights to begin with`)
    }
    const planned = await runDit(['plan', '--from', base])
    expect(planned.stderr).toContain('--from is for `dit train`')
  })

  test('weights that do not say their process need it said', async () => {
    const folder = temporaryFolder()
    const bare = join(folder, 'bare.safetensors')
    await runDit(['convert', base, join(folder, 'whole.safetensors'), '--quiet'])
    const { openSafetensorsFile, writeSafetensorsFile } = await import('@dit/checkpoint/node')
    const file = await openSafetensorsFile(join(folder, 'whole.safetensors'))
    const tensors = [...file.entries].map(
      ([name, { dtype, shape }]) => [name, { dtype, shape, data: async () => (await file.tensor(name)).data }] as const,
    )
    const { 'dit.config': config } = file.metadata
    await writeSafetensorsFile(bare, new Map(tensors), { metadata: { 'dit.config': config } })
    await file.close()
    const args = ['train', '--from', bare, '--data', pictures, ...TRAIN, '--quiet', '--out', join(folder, 'run')]
    const { code, stderr } = await runDit(args)
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'bare.safetensors does not say what it was trained as: give --process gaussian or flow',
      ) as string,
    })
    expect(
      await runDit([...args, '--process=gaussian', '--schedule=squaredcos_cap_v2', '--timesteps=20']),
    ).toMatchObject({ code: 0 })
    expect(configOf(join(folder, 'run')).from!.changes[0]).toContain('3 new classes: disc, naga, orc')
  })
})

describe('dit train --lora', () => {
  const run = join(shared, 'lora')
  const file = join(shared, 'adapter.safetensors')
  let [trained, written]: Partial<Finished>[] = [{}, {}]
  const picture = (name: string) => join(shared, `${name}.png`)

  beforeAll(async () => {
    trained = await train(run, '--lora=2', '--lora-alpha=3', '--size=16', '--lr=0.05', '--warmup=0')
    written = await runDit(['convert', run, file, '--adapter'])
  })

  test('says what is trained, and saved alone', () => {
    expect(trained.code).toBe(0)
    expect(trained.stdout).toMatch(
      /trains {2}\S+ parameters beside \S+ frozen ones: adapters of rank 2, alpha 3, and 64 in full\./,
    )
    expect(written.stdout).toContain('adapters of rank 2, alpha 3, ema weights')
  })

  test('keeps only adapters and new label rows in its checkpoints', async () => {
    const names = [...(await tensorsOf(last(run))).keys()]
    expect(names.filter((name) => !/\.lora_[AB]\.weight$/.test(name))).toEqual([LABELS])
    expect(readdirSync(run)).toContain('start.safetensors')
    expect(configOf(run)).toMatchObject({
      objective: { network: { lora: { rank: 2, alpha: 3, base: configOf(run).from!.start } } },
    })
  })

  test('the run, its adapters on the base, and both merged make the same pictures', async () => {
    const [plain, merged, own] = ['plain', 'merged', 'own'].map((name) => join(shared, `${name}.safetensors`))
    await runDit(['convert', base, plain, '--quiet'])
    await runDit(['convert', plain, merged, '--lora', file, '--quiet'])
    await runDit(['convert', run, own, '--quiet'])
    const sources = {
      run: [run],
      adapter: [plain, '--lora', file],
      other: [base, '--lora', file],
      merged: [merged],
      own: [own],
    }
    for (const [name, args] of Object.entries(sources)) {
      expect(await runDit(['sample', ...args, ...SAMPLE, '--out', picture(name)]), name).toMatchObject({
        code: 0,
        stderr: '',
      })
      expect(readFileSync(picture(name)), name).toEqual(readFileSync(picture('run')))
    }
    const weaker = await runDit([
      'sample',
      plain,
      '--lora',
      file,
      '--lora-scale=0.5',
      ...SAMPLE,
      '--out',
      picture('weak'),
    ])
    expect(weaker.code).toBe(0)
    expect(readFileSync(picture('weak'))).not.toEqual(readFileSync(picture('run')))
  })

  test('resumes to the bit, without the source', async () => {
    const broken = join(temporaryFolder(), 'run')
    cpSync(run, broken, { recursive: true })
    rmSync(join(broken, 'checkpoints', 'step-0000004'), { recursive: true })
    expect(await runDit(['train', '--resume', broken, '--quiet'])).toMatchObject({ code: 0, stderr: '' })
    for (const part of ['model', 'ema', 'optimizer']) {
      expect(readFileSync(last(broken, part)), part).toEqual(readFileSync(last(run, part)))
    }
  })

  test('says so where the weights that it adapts are gone or changed', async () => {
    const folder = temporaryFolder()
    const copy = join(folder, 'run')
    const start = join(copy, 'start.safetensors')
    cpSync(run, copy, { recursive: true })
    const bytes = readFileSync(start)
    bytes[bytes.length - 2] ^= 1
    writeFileSync(start, bytes)
    for (const args of [
      ['sample', copy, ...SAMPLE],
      ['train', '--resume', copy],
    ]) {
      const { code, stderr } = await runDit(args)
      expect(code).not.toBe(0)
      expect(stderr).toContain(`${start} has changed since the run began, so its adapters do not fit it`)
    }
    rmSync(start)
    const { code, stderr } = await runDit(['sample', copy, ...SAMPLE])
    expect(code).not.toBe(0)
    expect(stderr).toContain(`${start} is gone, and with it the weights that the run adapts`)
  })

  test('adapters on other weights are told of, or refused', async () => {
    const folder = temporaryFolder()
    const other = join(folder, 'other')
    await runDit(['train', ...TINY, '--recipe=small', '--steps=1', '--seed=5', '--out', other, '--quiet'])
    const warned = await runDit(['sample', other, '--lora', file, ...SAMPLE])
    expect(warned.code).toBe(0)
    expect(warned.stderr).toContain(`${file} was trained on other weights than these of ${other}`)
    const deeper = join(folder, 'deeper')
    await runDit(['train', ...TINY, '--recipe=small', '--hidden=8', '--steps=1', '--out', deeper, '--quiet'])
    const unfit = await runDit(['sample', deeper, '--lora', file, ...SAMPLE])
    expect(unfit.code).not.toBe(0)
    expect(unfit.stderr).toContain(
      'lora_B and lora_A of blocks.0.attn.qkv.weight must give [24, 8] (they are [48, 2] and [2, 16])',
    )
  })

  test.each([
    [['sample', base, '--lora-scale=2'], '--lora-scale works only with --lora'],
    [['sample', base, '--lora=nope.safetensors'], 'nope.safetensors: there is no such file'],
    [['sample', base, '--lora', base], `${base} is a folder, not a file of adapters`],
    [
      ['sample', file],
      `${file}: these are low-rank adapters (LoRA): open the weights that they adapt, with these as --lora`,
    ],
    [
      ['train', '--from', file, '--out', join(shared, 'none')],
      'it holds low-rank adapters only; merge them with the weights',
    ],
    [['convert', base, join(shared, 'x.safetensors'), '--adapter'], `${base} has no low-rank adapters to save`],
    [['convert', run, file, '--adapter'], `${file} already exists; overwrite it with --force`],
    [['convert', run, join(shared, 'x.pt'), '--adapter'], 'adapters are saved as .safetensors'],
    [['convert', run, join(shared, 'x.safetensors'), '--adapter', '--dtype=f16'], '--dtype is for whole weights'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await runDit(args)
    expect(code).not.toBe(0)
    expect(stderr).toContain(message)
    expect(existsSync(join(shared, 'none'))).toBe(false)
  })

  test('dit info tells what adapters are', async () => {
    const { code, stdout } = await runDit(['info', file])
    expect(code).toBe(0)
    expect(stdout).toContain('low-rank adapters (LoRA): {"rank":2,"alpha":3,')
    expect(stdout).toContain(`apply them with \`dit sample <weights> --lora ${file}\``)
    const ofRun = await runDit(['info', run])
    expect(ofRun.stdout).toContain('adapters of rank 2, alpha 3')
  })
})
