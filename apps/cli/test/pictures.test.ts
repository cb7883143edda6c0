import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { LatentsManifest } from '../src/run/manifest.js'
import type { RunConfig } from '../src/run/run-config.js'
import { encodeArgs } from './support/pictures-to-encode.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const TRAIN = ['train', ...TINY, '--steps=2']

/** A picture of one colour, red, green, blue and perhaps alpha. */
async function put(path: string, colour: number[], format: 'png' | 'gif' = 'png'): Promise<void> {
  mkdirSync(join(path, '..'), { recursive: true })
  const data = Uint8Array.from({ length: 64 * colour.length }, (_, i) => colour[i % colour.length])
  const raw = { width: 8, height: 8, channels: colour.length as 3 | 4 }
  writeFileSync(path, await sharp(data, { raw }).toFormat(format).toBuffer())
}

function places() {
  const folder = temporaryFolder()
  return { data: join(folder, 'data'), out: join(folder, 'run'), second: join(folder, 'second') }
}

const configOf = (run: string) => JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as RunConfig
/** Runs of four steps have a checkpoint after two; takes the run back to it. */
const LONGER = ['--steps', '4', '--checkpoint-every', '2']
const takeBack = (run: string) => rmSync(join(run, 'checkpoints', 'step-0000004'), { recursive: true })
const weightsOf = (run: string, step: number) =>
  readFileSync(join(run, 'checkpoints', `step-000000${step}`, 'model.safetensors'))

/** Colours at the middle of the tiles of a grid's first row. */
async function firstTile(run: string): Promise<number[]> {
  const { data, info } = await sharp(join(run, 'samples', 'data.png'))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  return [...data.subarray((36 * info.width + info.width - 6 * 68 + 32) * 3).subarray(0, 3)]
}

test('transparent pictures are put on a ground that a run keeps; a grid shows them as the network sees them', async () => {
  const { data, out, second } = places()
  await put(join(data, 'a', '1.png'), [255, 0, 0, 0])
  await put(join(data, 'a', '2.png'), [0, 90, 0])
  const { code, stdout, stderr } = await runDit([...TRAIN, '--data', data, '--out', out])
  expect(code).toBe(0)
  expect(stdout).toContain('1 of 2 pictures are transparent: put on white (--background)')
  expect(stderr).toContain('1 of the 1 transparent pictures nearly vanish on white, such as a/1.png')
  const [grid, first] = [stdout.indexOf('shows pictures as the network sees them'), stdout.indexOf('1/2')]
  expect(grid).toBeGreaterThan(0)
  expect(grid).toBeLessThan(first)
  expect(await firstTile(out)).toEqual([255, 255, 255])
  expect(configOf(out).data).toMatchObject({ background: '#ffffff' })

  await runDit([...TRAIN, '--data', data, '--out', second, ...LONGER, '--background', '#f80'])
  expect(await firstTile(second)).toEqual([255, 136, 0])
  expect(configOf(second).data).toMatchObject({ background: '#ff8800' })
  const before = readFileSync(join(second, 'samples', 'data.png'))
  takeBack(second)
  const resumed = await runDit(['train', '--resume', second, '--background', 'f80'])
  expect(resumed.code).toBe(0)
  expect(resumed.stdout).toContain('put on #ff8800')
  expect(readFileSync(join(second, 'samples', 'data.png'))).toEqual(before)
  const other = await runDit(['train', '--resume', second, '--background', 'white'])
  expect(other.code).toBe(2)
  expect(other.stderr).toContain('--background #ffffff (the run has #ff8800)')
})

test('a run from before there was a choice goes on to the same bits: alpha dropped, other files passed over', async () => {
  const { data, out, second } = places()
  await put(join(data, 'a', '1.png'), [255, 40, 7, 0])
  await put(join(data, 'b', '2.png'), [0, 90, 0])
  const asReference = [...TRAIN, '--data', data, '--background', 'none']
  const { stdout } = await runDit([...asReference, '--out', out, ...LONGER])
  expect(stdout).toContain('1 of 2 pictures have an alpha channel, which is dropped as in the reference')
  expect(await firstTile(out)).toEqual([255, 40, 7])
  await runDit([...asReference, '--out', second, ...LONGER])
  takeBack(second)

  const { data: kept, ...config } = configOf(second)
  const { background, ...old } = kept as { background: null }
  expect(background).toBeNull()
  writeFileSync(join(second, 'config.json'), JSON.stringify({ ...config, data: old }))
  await put(join(data, 'a', '3.gif'), [1, 2, 3], 'gif')
  await put(join(data, 'a', '4'), [1, 2, 3])
  const resumed = await runDit(['train', '--resume', second])
  expect(resumed.code).toBe(0)
  expect(resumed.stdout).toContain('which is dropped as when the run began')
  expect(weightsOf(second, 4)).toEqual(weightsOf(out, 4))
  expect(configOf(second).data).not.toHaveProperty('background')
})

test('files are counted by kind, classes named, and parts of a data set are not taken for classes in silence', async () => {
  const { data, out, second } = places()
  for (const part of ['train', 'val']) {
    await put(join(data, part, 'cat', '1.png'), [9, 9, 9])
    await put(join(data, part, 'dog', '2.gif'), [9, 9, 9], 'gif')
    await put(join(data, part, '@eaDir', '3.png'), [9, 9, 9])
    writeFileSync(join(data, part, 'cat', '4.bmp'), 'BM')
    writeFileSync(join(data, part, 'cat', 'Thumbs.db'), '')
  }
  const high = await runDit([...TRAIN, '--data', data, '--out', out])
  expect(high.stdout).toMatch(
    /^found {2}4 pictures in 2 classes: train, val\nleft out: 2 \.bmp \(not decoded; convert them to PNG\)\n/,
  )
  expect(high.stderr).toContain(`did you mean --data ${data}/train?`)
  const right = await runDit([...TRAIN, '--data', join(data, 'train'), '--out', second])
  expect(right).toMatchObject({ code: 0, stderr: '' })
  expect(right.stdout).toMatch(/^found {2}2 pictures in 2 classes: cat, dog\nleft out: 1 \.bmp/)
})

test('--skip-bad does not empty a class, and --max-pixels is named where a picture is too large', async () => {
  const { data, out } = places()
  await put(join(data, 'good', '1.png'), [9, 9, 9])
  await put(join(data, 'large', '2.png'), [9, 9, 9])
  const args = [...TRAIN, '--data', data, '--out', out, '--max-pixels', '63']
  const refused = await runDit(args)
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain(
    'large/2.png: it is too large: 8 by 8 pixels are more than 63; make it smaller, or raise --max-pixels',
  )
  rmSync(join(data, 'good', '1.png'))
  writeFileSync(join(data, 'large', '2.png'), 'words')
  await put(join(data, 'good', '3.png'), [9, 9, 9])
  const emptied = await runDit([...TRAIN, '--data', data, '--out', out, '--skip-bad'])
  expect(emptied.code).toBe(2)
  expect(emptied.stderr).toContain('nothing is left of class large: repair pictures of it, or remove its folder')
  expect(existsSync(out)).toBe(false)
})

test('a limit of pixels that was given is kept, and may be raised by a resumed run', async () => {
  const { data, out } = places()
  await put(join(data, 'a', '1.png'), [9, 9, 9])
  await runDit([...TRAIN, '--data', data, '--out', out, '--max-pixels', '64'])
  expect(configOf(out).data).toMatchObject({ maxPixels: 64 })
  const resumed = await runDit(['train', '--resume', out, '--max-pixels', '100'])
  expect(resumed).toMatchObject({ code: 0, stderr: '' })
  expect(configOf(out).data).toMatchObject({ maxPixels: 100 })
})

test('a picture that was changed is noticed by a resume, though its size is the same', async () => {
  const { data, out, second } = places()
  for (const name of ['1', '2', '3']) await put(join(data, 'a', `${name}.png`), [1, 2, 3])
  await runDit([...TRAIN, '--data', data, '--out', out])
  expect(configOf(out).data).toMatchObject({
    contents: { files: 1000, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
  })
  await runDit([...TRAIN, '--data', data, '--out', second, '--check-files', '1'])
  expect(configOf(second).data).toMatchObject({ contents: { files: 1 } })
  expect(await runDit(['train', '--resume', out])).toMatchObject({ code: 0, stderr: '' })
  const picture = join(data, 'a', '3.png')
  const bytes = readFileSync(picture)
  await put(picture, [3, 2, 1])
  expect(readFileSync(picture)).toHaveLength(bytes.length)
  const resumed = await runDit(['train', '--resume', out])
  expect(resumed.code).toBe(1)
  expect(resumed.stderr).toMatch(/pictures were changed since the run began\. Resume anyway with --allow-inexact/)
  // Only the first of them was looked into.
  expect(await runDit(['train', '--resume', second])).toMatchObject({ code: 0, stderr: '' })
  const more = await runDit(['train', '--resume', second, '--check-files', '2'])
  expect(more.stderr).toMatch(/--check-files 2 \(the run has 1\)/)
  // The same flags again are no change.
  expect(await runDit(['train', '--resume', second, '--check-files', '1'])).toMatchObject({ code: 0, stderr: '' })
})

test('latents say what transparent pictures were put on; those begun before there was a choice go on as they began', async () => {
  const { data, out, second } = places()
  for (const name of ['1', '2', '3', '4', '5']) await put(join(data, 'a', `${name}.png`), [255, 0, 0, 0])
  const manifest = (folder: string) => JSON.parse(readFileSync(join(folder, 'latents.json'), 'utf8')) as LatentsManifest
  expect(await runDit([...encodeArgs(data, out), '--background', 'black'])).toMatchObject({ code: 0 })
  expect(manifest(out).background).toBe('#000000')
  const other = await runDit(encodeArgs(data, out))
  expect(other.code).toBe(2)
  expect(other.stderr).toContain('holds latents of another encoding (latents.json differs in background)')

  expect(await runDit([...encodeArgs(data, second), '--background', 'none'])).toMatchObject({ code: 0 })
  const { background: _, shards, ...old } = manifest(second)
  const last = readFileSync(join(second, shards[1].file))
  rmSync(join(second, shards[1].file))
  writeFileSync(join(second, 'latents.json'), JSON.stringify({ ...old, shards: shards.slice(0, 1) }))
  const contradicted = await runDit([...encodeArgs(data, second), '--background', 'black'])
  expect(contradicted.stderr).toContain('holds latents of pictures whose alpha was dropped; leave --background out')
  expect(await runDit(encodeArgs(data, second))).toMatchObject({ code: 0 })
  expect(readFileSync(join(second, shards[1].file))).toEqual(last)
  expect(manifest(second).background).toBeUndefined()
})
