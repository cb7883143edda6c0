import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { expect, test } from 'vitest'
import type { RunConfig } from '../src/run/run-config.js'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

/** A picture whose left half is bright, of any size. */
function picture(width: number, height: number): Sharp {
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const column = Math.floor(i / 3) % width
    return column < width / 2 ? 200 + (i % 3) * 20 : (i * 7) % 64
  })
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

/** Two classes of six kinds of files. */
async function makePictures(folder: string): Promise<void> {
  for (const name of ['cats', 'dogs']) {
    const path = (file: string) => join(folder, name, file)
    mkdirSync(join(folder, name), { recursive: true })
    await picture(70, 40).jpeg().toFile(path('wide.jpg'))
    await picture(33, 90).jpeg().toFile(path('tall.JPEG'))
    await picture(40, 40).greyscale().png().toFile(path('grey.png'))
    await picture(40, 48).png({ palette: true, colours: 8 }).toFile(path('palette.png'))
    await picture(40, 40).toColourspace('cmyk').jpeg().toFile(path('cmyk.jpg'))
    await picture(64, 40).withMetadata({ orientation: 6 }).jpeg().toFile(path('rotated.jpg'))
  }
  expect((await sharp(join(folder, 'cats', 'cmyk.jpg')).metadata()).space).toBe('cmyk')
  expect((await sharp(join(folder, 'cats', 'rotated.jpg')).metadata()).orientation).toBe(6)
}

const TRAIN = ['train', ...TINY, '--size=16', '--patch=8', '--steps=3']

test('rectangular, grey, palette, CMYK and rotated files train; a text file is reported, or skipped on request', async () => {
  const folder = temporaryFolder()
  const [data, out] = [join(folder, 'pets'), join(folder, 'run')]
  await makePictures(data)
  const trained = await runDit([...TRAIN, '--data', data, '--out', out])
  expect(trained).toMatchObject({ code: 0, stderr: '' })
  expect(trained.stdout).not.toMatch(/left out|transparent/)
  expect(trained.stdout).toContain(`12 pictures from ${data}, 16x16, 2 classes`)
  const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')) as RunConfig
  expect(config).toMatchObject({ classes: ['cats', 'dogs'], data: { kind: 'folder', length: 12 } })

  writeFileSync(join(data, 'dogs', 'notes.jpg'), 'this is no picture')
  const second = join(folder, 'second')
  const refused = await runDit([...TRAIN, '--data', data, '--out', second])
  expect(refused).toMatchObject({ code: 2, stdout: 'found  13 pictures in 2 classes: cats, dogs\n' })
  expect(refused.stderr).toContain('dogs/notes.jpg')
  expect(refused.stderr).toContain('--skip-bad')
  expect(existsSync(second)).toBe(false)

  const skipped = await runDit([...TRAIN, '--data', data, '--out', second, '--skip-bad'])
  expect(skipped.code).toBe(0)
  expect(skipped.stderr).toMatch(/left out 1 unreadable picture.*\n.*dogs\/notes\.jpg/)

  const changed = await runDit(['train', '--resume', out])
  expect(changed.code).toBe(2)
  expect(changed.stderr).toContain('dogs/notes.jpg')
  writeFileSync(join(data, 'dogs', 'notes.jpg'), readFileSync(join(data, 'dogs', 'wide.jpg')))
  const grown = await runDit(['train', '--resume', out])
  expect(grown).toMatchObject({ code: 1 })
  expect(grown.stderr).toContain('the run began with 12 pictures, but there are 13 now')
})

test('a run that was begun with a relative folder is resumed from anywhere, and with pictures that moved', async () => {
  const folder = temporaryFolder()
  await makePictures(join(folder, 'pets'))
  await runDit([...TRAIN, '--data', 'pets', '--out', 'run', '--quiet'], { cwd: folder })
  const resume = ['train', '--resume', join(folder, 'run'), '--quiet']
  expect(await runDit(resume)).toMatchObject({ code: 0, stderr: '' })
  const moved = join(folder, 'moved')
  renameSync(join(folder, 'pets'), moved)
  const refused = await runDit(resume)
  expect(refused.code).toBe(2)
  expect(refused.stderr).toMatch(
    /the run's pictures were in .*pets, which no longer exists; give their folder with --data/,
  )
  expect(await runDit([...resume, '--data', moved])).toMatchObject({ code: 0, stderr: '' })
})

test('a folder that grew under a run with held-out pictures: resuming says that their error is no longer to be trusted', async () => {
  const folder = temporaryFolder()
  const data = join(folder, 'pets')
  await makePictures(data)
  const out = join(folder, 'run')
  const told = /some of those held out from now on may have been trained on/
  await runDit([...TRAIN, '--data', data, '--out', out, '--quiet', '--val-share', '0.2'])
  await picture(40, 40)
    .png()
    .toFile(join(data, 'dogs', 'another.png'))
  const grown = await runDit(['train', '--resume', out, '--quiet', '--allow-inexact'])
  expect(grown.stderr).toMatch(told)
  // Now it is the run's own folder, and nothing has changed since.
  const again = await runDit(['train', '--resume', out, '--quiet', '--allow-inexact', '--steps', '4'])
  expect(again.stderr).not.toMatch(told)
})
