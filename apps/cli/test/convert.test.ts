import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSafetensors, readTorch } from '@dit/checkpoint'
import { openWeights } from '@dit/model/node'
import { describe, expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { makeTinyRun, tinyModel } from './support/tiny-run.js'
import { writeTrainingState } from './support/training-state.js'

const layouts = join(import.meta.dirname, '../../../packages/model/test/fixtures/layouts')
const hostile = join(import.meta.dirname, '../../../tools/parity/fixtures/checkpoints')
const expectOk = async (args: readonly string[]) => {
  const { code, stdout, stderr } = await runDit(args)
  expect(stderr.split('\n').filter((line) => /^dit: (?!assumed|diffusers computes)/.test(line))).toEqual([])
  expect(code).toBe(0)
  return stdout
}

test('a training state becomes safetensors with its configuration, in another type', async () => {
  const to = join(temporaryFolder(), 'sub', 'state.safetensors')
  const stdout = await expectOk(['convert', join(layouts, 'state.pt'), to, '--heads', '2', '--dtype', 'f16'])
  expect(stdout).toMatch(
    /from .*state\.pt: official names, ema weights\n {7}a Gaussian diffusion\nto .*state\.safetensors: 1\d\.\d+ KiB, SHA-256 [0-9a-f]{64}\n/,
  )
  const weights = await openWeights(to)
  expect(weights).toMatchObject({
    layout: 'reference',
    assumptions: [],
    config: { numHeads: 2, depth: 2, inputSize: 4 },
  })
  expect(new Set([...weights.entries.values()].map(({ dtype }) => dtype))).toEqual(new Set(['F16']))
  await weights.close()
})

describe('weights of a flow', () => {
  const written = async (...args: readonly string[]) => {
    const folder = temporaryFolder()
    const from = join(folder, 'sit.pt')
    await writeTrainingState(from, { path_type: 'GVP', prediction: 'velocity' })
    const to = join(folder, args[0])
    const found = await runDit(['convert', from, to, '--heads', '2', ...args.slice(1)])
    return { ...found, from, to }
  }

  test('stay those of a flow in safetensors', async () => {
    const { code, stdout, to } = await written('sit.safetensors')
    expect(code).toBe(0)
    expect(stdout).toContain('a flow: gvp path, predicts velocity; time 0 is noise and 1 is data\n')
    const { metadata } = readSafetensors(readFileSync(to))
    expect(metadata).toMatchObject({ 'dit.program': 'SiT' })
    const process = { kind: 'flow', networkTime: 'towardsData', interpolant: 'gvp', prediction: 'velocity' }
    expect(JSON.parse(metadata['dit.process'])).toMatchObject(process)
  })

  test('stay those of a flow in a .pt file and in a folder for diffusers, which is told apart', async () => {
    const torch = await written('o.pt')
    expect(torch.code).toBe(0)
    const process = { kind: 'flow', networkTime: 'towardsData', interpolant: 'gvp', prediction: 'velocity' }
    const { metadata } = await readTorch(readFileSync(torch.to))
    expect(JSON.parse(metadata['dit.process'])).toMatchObject(process)
    const folder = await written('folder')
    expect(folder.code).toBe(0)
    expect(folder.stderr).toContain(
      'diffusers has no scheduler for a flow: gvp path, predicts velocity; time 0 is noise and 1 is data: only dit can sample from this folder',
    )
    expect(existsSync(join(folder.to, 'scheduler'))).toBe(false)
    const weights = readSafetensors(readFileSync(join(folder.to, 'diffusion_pytorch_model.safetensors')))
    expect(JSON.parse(weights.metadata['dit.process'])).toMatchObject(process)
  })

  test('are what flags say where the file does not, and those of DiT are none', async () => {
    const to = join(temporaryFolder(), 'a.safetensors')
    const flags = ['--heads', '2', '--process', 'flow', '--path', 'vp', '--predict', 'score']
    const { code, stderr } = await runDit(['convert', join(layouts, 'state.pt'), to, ...flags])
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('; a flow as in SiT, ') })
    expect(JSON.parse(readSafetensors(readFileSync(to)).metadata['dit.process'])).toMatchObject({
      kind: 'flow',
      interpolant: 'vp',
      prediction: 'score',
      networkTime: 'towardsData',
    })
    await expectOk(['convert', join(layouts, 'state.pt'), to, '--heads', '2', '--force'])
    const { metadata } = readSafetensors(readFileSync(to))
    expect(JSON.parse(metadata['dit.process'])).toMatchObject({
      kind: 'gaussian',
      schedule: 'linear',
      meanType: 'epsilon',
    })
  })
})

test('--weights takes the trained weights, which are zeros here', async () => {
  const to = join(temporaryFolder(), 'model.safetensors')
  await expectOk(['convert', join(layouts, 'state.pt'), to, '--heads', '2', '--weights', 'model'])
  const file = readSafetensors(readFileSync(to))
  expect((await file.float32('final_layer.linear.weight')).every((value) => value === 0)).toBe(true)
})

test('shards to a folder of diffusers to a file: nothing is lost on the way', async () => {
  const folder = temporaryFolder()
  const [there, back] = [join(folder, 'diffusers'), join(folder, 'back.safetensors')]
  await expectOk(['convert', join(layouts, 'sharded'), there])
  expect(readdirSync(there).toSorted()).toEqual(['config.json', 'diffusion_pytorch_model.safetensors', 'scheduler'])
  await expectOk(['convert', there, back])
  const [first, last] = [await openWeights(join(layouts, 'sharded')), await openWeights(back)]
  expect(last.config).toEqual(first.config)
  for (const name of first.entries.keys()) expect(await last.tensor(name), name).toEqual(await first.tensor(name))
  await Promise.all([first.close(), last.close()])
})

test('any form becomes any other and comes back bit for bit', async () => {
  const folder = temporaryFolder()
  const forms = {
    shards: ['a.safetensors', '--shard-size', '4KiB'],
    torch: ['b.pt', '--force'],
    folder: ['c', '--shard-size', '0.006MB'],
    file: ['d.safetensors'],
  }
  let from = join(layouts, 'sharded')
  const first = await openWeights(from)
  for (const [to, ...flags] of Object.values(forms)) {
    // A .pt file does not tell the heads, as those of others do not.
    const heads = from.endsWith('.pt') ? ['--heads', '2'] : []
    await expectOk(['convert', from, join(folder, to), ...flags, ...heads])
    from = join(folder, to === 'a.safetensors' ? 'a.safetensors.index.json' : to)
    const now = await openWeights(from)
    expect(now.config, to).toMatchObject({ depth: 2, inputSize: 4 })
    for (const name of first.entries.keys()) expect(await now.tensor(name), name).toEqual(await first.tensor(name))
    await now.close()
  }
  await first.close()
  const names = readdirSync(folder).filter((name) => name.startsWith('a'))
  expect(names.length).toBeGreaterThan(3)
  expect(names).toContain(`a-00001-of-0000${names.length - 1}.safetensors`)
  expect(readdirSync(join(folder, 'c'))).toContain('diffusion_pytorch_model.safetensors.index.json')
})

test('weights of another number of files take the place of the old ones, with nothing left of them', async () => {
  const folder = join(temporaryFolder(), 'weights')
  const convert = (...args: string[]) => expectOk(['convert', join(layouts, 'diffusers'), folder, ...args])
  await convert()
  const { code, stderr } = await runDit(['convert', join(layouts, 'diffusers'), folder, '--shard-size', '4KB'])
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/model\.safetensors already exists; overwrite it with --force/),
  ])
  await convert('--shard-size', '4KB', '--force')
  expect(readdirSync(folder)).not.toContain('diffusion_pytorch_model.safetensors')
  await convert('--force')
  expect(readdirSync(folder).toSorted()).toEqual(['config.json', 'diffusion_pytorch_model.safetensors', 'scheduler'])
})

test('runs and their checkpoints convert with what their configuration says', async () => {
  const folder = temporaryFolder()
  await makeTinyRun(join(folder, 'run'))
  await expectOk(['convert', join(folder, 'run'), join(folder, 'a.safetensors'), '--dtype', 'f32'])
  await expectOk([
    'convert',
    join(folder, 'run/checkpoints/step-0000002'),
    join(folder, 'b.safetensors'),
    '--weights',
    'model',
  ])
  const [a, b] = ['a', 'b'].map((name) => readSafetensors(readFileSync(join(folder, `${name}.safetensors`))))
  expect(JSON.parse(a.metadata['dit.config'])).toEqual(tinyModel)
  expect([a.entries.get('pos_embed')!.dtype, b.entries.get('pos_embed')!.dtype]).toEqual(['F32', 'F64'])
})

test('info tells of .pt files and of folders of diffusers', async () => {
  expect(await expectOk(['info', join(layouts, 'state.pt')])).toContain(
    'the averaged (EMA) weights of a training state',
  )
  const text = await expectOk(['info', join(layouts, 'bin'), '--tensors'])
  expect(text).toContain('names of diffusers')
  expect(text).toMatch(/transformer_blocks\.1\.attn1\.to_q\.weight +BF16 +\[8, 8\]/)
  expect(text).toContain('heads 2')
  expect(JSON.parse(await expectOk(['info', join(layouts, 'sharded'), '--json']))).toMatchObject({
    kind: 'file',
    format: 'shards',
    layout: 'diffusers',
    assumptions: [],
    model: { numHeads: 2 },
  })
})

describe('refused in one line, with nothing written', () => {
  test.each([
    [
      [join(layouts, 'state.pt'), 'o.safetensors'],
      /^dit: --heads is needed, because neither the file nor its sizes tell/,
      2,
    ],
    [[join(layouts, 'state.pt'), 'o.safetensors', '--heads', '3'], /hiddenSize must be a multiple of numHeads/, 2],
    [[join(layouts, 'state.pt'), 'o.bin'], /o\.bin: its name must end in \.safetensors or \.pt/, 2],
    [[join(layouts, 'diffusers'), 'o.pt', '--shard-size', '1GB'], /--shard-size is for safetensors; a \.pt file/, 2],
    [[join(layouts, 'diffusers'), 'o', '--shard-size', '5'], /It must be a number of bytes with its unit/, 2],
    [
      [join(layouts, 'sharded/diffusion_pytorch_model-00001-of-00003.safetensors'), 'o.safetensors'],
      /is only one of 3 files; give their index .*model\.safetensors\.index\.json, or their folder/,
      2,
    ],
    [[join(layouts, 'sharded'), 'o.safetensors', '--weights', 'ema'], /it holds one set, and does not say which/, 2],
    [[join(layouts, 'expected.safetensors'), 'o.safetensors'], /the names must be those of a DiT/, 2],
    [['nothing.pt', 'o.safetensors'], /nothing\.pt: there is no such file or folder/, 2],
    [[join(hostile, 'malicious-zip.pt'), 'o.safetensors'], /asks for "posix\.system"/, 2],
    [[join(hostile, 'malicious-eval-protocol4.pt'), 'o.safetensors'], /asks for "builtins\.eval"/, 2],
    [[join(hostile, 'truncated.pt'), 'o.safetensors'], /must be a zip archive/, 2],
  ] as const)('%j', async (args, message, exitCode) => {
    const cwd = temporaryFolder()
    const { code, stdout, stderr } = await runDit(['convert', ...args], { cwd })
    expect(stderr).toMatch(message)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect([code, stdout]).toEqual([exitCode, ''])
    expect(readdirSync(cwd)).toEqual([])
  })

  test('a file that is there, unless --force', async () => {
    const to = join(temporaryFolder(), 'o.safetensors')
    writeFileSync(to, 'mine')
    const args = ['convert', join(layouts, 'diffusers'), to]
    expect(await runDit(args)).toMatchObject({
      code: 2,
      stderr: `dit: ${to} already exists; overwrite it with --force\n`,
    })
    expect(readFileSync(to, 'utf8')).toBe('mine')
    await expectOk([...args, '--force'])
    expect(existsSync(`${to}.partial`)).toBe(false)
  })
})

test('a run is never written over, and no file of a folder without --force', async () => {
  const folder = temporaryFolder()
  const run = join(folder, 'run')
  await makeTinyRun(run)
  const before = readFileSync(join(run, 'config.json'), 'utf8')
  for (const args of [[], ['--force']]) {
    const refused = await runDit(['convert', run, run, ...args])
    expect(refused).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is a run of dit train, which would be destroyed'),
    })
  }
  expect(readFileSync(join(run, 'config.json'), 'utf8')).toBe(before)
  const mine = join(folder, 'mine')
  mkdirSync(mine)
  writeFileSync(join(mine, 'config.json'), '{"mine":1}')
  expect(await runDit(['convert', run, mine])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('config.json already exists; overwrite it with --force'),
  })
  expect(readFileSync(join(mine, 'config.json'), 'utf8')).toBe('{"mine":1}')
})

test('files of other kinds are told as what they are', async () => {
  const file = join(temporaryFolder(), 'denoiser.onnx')
  writeFileSync(file, Uint8Array.of(8, 8, 0x12, 3, 0x64, 0x69, 0x74, 0x3a, 0, 0, 0, 0, 0, 0, 0, 0))
  const { stderr } = await runDit(['info', file])
  expect(stderr).toContain('this looks like an ONNX file, which is for other runtimes')
})
