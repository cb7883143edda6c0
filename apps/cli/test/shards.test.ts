import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test as plain } from 'vitest'
import { testNeeding } from '../../../test/require.js'
import { writeTar } from '../../../test/support/write-tar.js'
import type { LatentsManifest } from '../src/run/manifest.js'
import type { RunConfig } from '../src/run/run-config.js'
import { encodeArgs, makePictures } from './support/pictures-to-encode.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const tar = (() => {
  try {
    return /GNU tar/.test(execFileSync('tar', ['--version']).toString())
  } catch {
    return false
  }
})()
const test = testNeeding('tar', tar, 'no GNU tar on the PATH')

const TRAIN = ['train', ...TINY, '--checkpoint-every=2']

/** Two classes of five pictures as a folder, and the same in two shards that GNU tar makes, with captions. */
async function makeShards(folder: string) {
  const [data, files, shards] = ['data', 'files', 'shards'].map((name) => join(folder, name))
  await makePictures(data)
  mkdirSync(files)
  mkdirSync(shards)
  for (const [label, name] of ['a', 'b'].entries()) {
    for (let i = 0; i < 5; i++) {
      // A byte behind the picture, which decoders pass over.
      writeFileSync(
        join(files, `${name}${i}.png`),
        Buffer.concat([readFileSync(join(data, name, `${i}.png`)), Buffer.of(0)]),
      )
      writeFileSync(join(files, `${name}${i}.cls`), String(label))
      writeFileSync(join(files, `${name}${i}.txt`), `a picture of ${name}`)
    }
  }
  const pack = (shard: string, ...args: string[]) =>
    execFileSync('tar', ['--sort=name', '-cf', join(shards, shard), '-C', files, ...args])
  pack('train-0000.tar', ...['a0', 'a1', 'a2'].flatMap((key) => [`${key}.cls`, `${key}.png`, `${key}.txt`]))
  pack('train-0001.tar', '--format=pax', '--exclude=./a[0-2].*', '.')
  return { data, shards, out: join(folder, 'run'), second: join(folder, 'second') }
}

const weightsOf = (run: string, step: number) =>
  readFileSync(join(run, 'checkpoints', `step-000000${step}`, 'model.safetensors'))
const configOf = (run: string) => JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig
const takeBack = (run: string) => rmSync(join(run, 'checkpoints', 'step-0000006'), { recursive: true })

test('training on shards gives the bits of training on a folder, and goes on to them from the middle of an epoch', async () => {
  const { data, shards, out, second } = await makeShards(temporaryFolder())
  writeFileSync(join(shards, 'classes.json'), '["a", "b"]')
  const flags = ['--steps=6', '--val-share=0.2', '--val-every=3']
  expect(await runDit([...TRAIN, ...flags, '--data', data, '--out', second])).toMatchObject({ code: 0 })
  const { code, stdout, stderr } = await runDit([...TRAIN, ...flags, '--data', shards, '--out', out])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toContain(
    `found  10 pictures in 2 classes: a, b\n       in 2 tar shards, class names from ${shards}/classes.json\n` +
      'left out: 10 .txt (captions are not used)\n',
  )
  expect(weightsOf(out, 6)).toEqual(weightsOf(second, 6))
  for (const file of ['log.jsonl', 'samples/data.png']) {
    expect(readFileSync(join(out, file))).toEqual(readFileSync(join(second, file)))
  }
  expect(configOf(out).data).toMatchObject({ kind: 'shards', folder: shards, length: 10, background: '#ffffff' })
  // Step 4 of batches of four stands in the second epoch of eight pictures.
  takeBack(out)
  expect(await runDit(['train', '--resume', out, '--quiet'])).toMatchObject({ code: 0, stderr: '' })
  expect(weightsOf(out, 6)).toEqual(weightsOf(second, 6))
})

test('a resume notices what changed in shards: a picture, a label, their number; and finds them elsewhere', async () => {
  const folder = temporaryFolder()
  const { shards, out } = await makeShards(folder)
  await runDit([...TRAIN, '--steps=2', '--data', join(shards, 'train-{0000..0001}.tar'), '--out', out])
  const resume = ['train', '--resume', out, '--quiet']
  const path = join(shards, 'train-0000.tar')
  const whole = readFileSync(path)
  const resumedWith = async (bytes: Uint8Array) => {
    writeFileSync(path, bytes)
    return runDit(resume)
  }
  expect(await resumedWith(whole)).toMatchObject({ code: 0, stderr: '' })
  const changed = Uint8Array.from(whole)
  // The first member is a0.cls, one byte of text.
  expect(changed[512]).toBe(0x30)
  changed[512] = 0x31
  expect((await resumedWith(changed)).stderr).toContain('the files are not those the run began with')
  const iend = whole.indexOf('IEND')
  const picture = Uint8Array.from(whole)
  expect(picture[iend + 8]).toBe(0)
  picture[iend + 8] = 1
  expect((await resumedWith(picture)).stderr).toContain('pictures were changed since the run began')
  expect((await resumedWith(writeTar([]))).stderr).toContain('the run began with 10 pictures, but there are 7 now')

  writeFileSync(path, whole)
  renameSync(shards, join(folder, 'moved'))
  const gone = await runDit(resume)
  expect(gone.code).toBe(2)
  expect(gone.stderr).toContain('which no longer exist in full; give them with --data')
  expect(await runDit([...resume, '--data', join(folder, 'moved')])).toMatchObject({ code: 0, stderr: '' })
  expect(configOf(out).data).toMatchObject({ kind: 'shards', folder: join(folder, 'moved') })
})

test('latents of shards are those of a folder', async () => {
  const { data, shards, out, second } = await makeShards(temporaryFolder())
  const names = join(shards, 'names.txt')
  writeFileSync(names, 'a\nb\n')
  expect(await runDit([...encodeArgs(shards, out), '--class-names', names])).toMatchObject({ code: 0, stderr: '' })
  expect(await runDit(encodeArgs(data, second))).toMatchObject({ code: 0 })
  const manifest = (folder: string) => JSON.parse(readFileSync(join(folder, 'latents.json'), 'utf8')) as LatentsManifest
  const { files, ...same } = manifest(out)
  expect(files).toMatch(/^[0-9a-f]{64}$/)
  expect(manifest(second)).toMatchObject(same)
})

/** Two samples of one colour, without anything of this machine. */
async function twoSamples(path: string): Promise<void> {
  const folder = temporaryFolder()
  await makePictures(folder)
  const content = readFileSync(join(folder, 'a', '0.png'))
  const entries = ['0', '1'].flatMap((key) => [
    { name: `${key}.cls`, content: key },
    { name: `${key}.png`, content },
  ])
  writeFileSync(path, writeTar(entries))
}

plain('class names are asked for, counted, and only for shards', async () => {
  const folder = temporaryFolder()
  const [data, out, names] = ['a.tar', 'run', 'names.json'].map((name) => join(folder, name))
  await twoSamples(data)
  const unnamed = await runDit([...TRAIN, '--steps=1', '--data', data, '--out', out])
  expect(unnamed.stdout).toContain(
    'in 1 tar shard; classes have numbers: name them with --class-names, or with classes.json beside the shards',
  )
  expect(configOf(out).classes).toEqual(['class 0', 'class 1'])
  writeFileSync(names, '["a", "b", "c"]')
  const other = await runDit(['train', '--resume', out, '--class-names', names])
  expect(other.stderr).toContain('the classes of the resumed run have other names; leave the option out')
  const plan = await runDit(['plan', ...TINY, '--data', data, '--class-names', names])
  expect(plan.stdout).toContain('3 classes')
  const empty = await runDit([
    ...TRAIN,
    '--steps=1',
    '--data',
    data,
    '--class-names',
    names,
    '--out',
    join(folder, 'c'),
  ])
  expect(empty.stderr).toContain('1 of 3 classes has no picture, and will not be learned: c')
  for (const [args, text] of [
    [
      [...TRAIN, '--data', 'shapes'],
      '--class-names names.json: it is for tar shards, whose classes are numbers; shapes have names',
    ],
    [['train', '--latents', 'x'], '--class-names is for pictures, but --latents names latents'],
    [[...TRAIN, '--data', data], '--class-names: names.json has no name for class 0'],
  ] as const) {
    writeFileSync(names, '{"x": 1}')
    const refused = await runDit([...args, '--class-names', 'names.json', '--out', join(folder, 'd')], {
      cwd: folder,
    })
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain(text)
  }
})

plain(
  'what is wrong with shards is told in options, and a folder of folders of shards points to one of them',
  async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'all', 'train'), { recursive: true })
    const data = join(folder, 'all', 'train', 'a.tar')
    await twoSamples(data)
    const refusal = async (path: string, ...flags: string[]) =>
      (await runDit([...TRAIN, '--data', path, '--out', join(folder, 'run'), ...flags])).stderr
    expect(await refusal(join(folder, 'all'))).toContain(`(it has 1 .tar); for tar shards, give ${folder}/all/train`)
    expect(await refusal(join(folder, 'b.tar'))).toContain(`--data: there is no shard ${folder}/b.tar`)
    expect(await refusal(data, '--max-pixels', '119')).toContain('make it smaller, or raise --max-pixels')
    expect(await refusal(data, '--max-pixels', '119')).toContain('leave them out with --skip-bad')
    writeFileSync(data, readFileSync(data).subarray(0, 1000))
    expect(await refusal(data)).toMatch(/--data: .*a\.tar: cut off/)
  },
)
