import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TarEntry, writeTar } from '../../../../test/support/write-tar.js'
import { batches } from '../../src/index.js'
import { openImageFolder, openTarShards, scanTarShards, TarShardsError } from '../../src/node/index.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-data-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A PNG with a colour of its own. */
function picture(i: number): Promise<Buffer> {
  const pixels = Uint8Array.from({ length: 12 * 10 * 3 }, (_, at) => (at * (7 + i)) % 256)
  return sharp(pixels, { raw: { width: 12, height: 10, channels: 3 } })
    .png()
    .toBuffer()
}

async function put(path: string, content: readonly TarEntry[] | string | Uint8Array): Promise<string> {
  await mkdir(join(folder, path, '..'), { recursive: true })
  await writeFile(
    join(folder, path),
    typeof content === 'string' || ArrayBuffer.isView(content) ? content : writeTar(content),
  )
  return join(folder, path)
}

async function sample(key: string, label: string | number, i = 0): Promise<TarEntry[]> {
  return [
    { name: `${key}.cls`, content: String(label) },
    { name: `${key}.png`, content: await picture(i) },
  ]
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.catch((thrown: unknown) => thrown)
  if (!(error instanceof TarShardsError)) throw new Error('was opened, or failed otherwise', { cause: error })
  return error.message
}

const scan = (path = folder) => scanTarShards(path)
/** The names of samples found, and what is said of the others. */
async function opened(path = folder, skipBad = true) {
  const shards = await openTarShards(path, { size: 8, skipBad })
  await shards.close()
  return shards
}

test('a shard that WebDataset wrote has the samples that WebDataset reads', async () => {
  const fixture = JSON.parse(await readFile(new URL('../fixtures/webdataset.json', import.meta.url), 'utf8')) as {
    shard: string
    samples: { key: string; fields: string[] }[]
  }
  await put('a.tar', gunzipSync(Buffer.from(fixture.shard, 'base64')))
  const shards = await opened(folder, false)
  expect(shards.files).toEqual(fixture.samples.map(({ key }) => `a.tar/${key}.png`))
  expect([...shards.labels!()]).toEqual([0, 1, 2, 0, 1])
  expect(shards.leftOut).toEqual([
    { kind: '.json', count: 4, isPicture: false },
    { kind: '.txt', count: 1, isPicture: false },
  ])
})

test('batches are, to the bit, those of a folder with the same pictures in the same order, cached or not', async () => {
  const entries: TarEntry[][] = [[], []]
  for (let i = 0; i < 10; i++) {
    const [name, label] = i < 6 ? ['a', 0] : ['b', 1]
    await put(`folder/${name}/${i}.png`, await picture(i))
    entries[i < 4 ? 0 : 1].push(...(await sample(String(i), label, i)))
  }
  await put('shards/t-0.tar', entries[0])
  await put('shards/t-1.tar', entries[1])
  const plain = await openImageFolder(join(folder, 'folder'), { size: 8 })
  for (const cacheBytes of [0, 500, 2 ** 20]) {
    const shards = await openTarShards(join(folder, 'shards/t-{0..1}.tar'), { size: 8, cacheBytes })
    expect(shards).toMatchObject({ length: 10, classes: ['class 0', 'class 1'], shape: [3, 8, 8] })
    const plan = { batchSize: 4, seed: 3, end: 6, worldSize: 2, rank: 1 }
    const others = batches(plain, plan)
    for await (const batch of batches(shards, plan)) expect(batch).toEqual((await others.next()).value)
    expect(await shards.readFile(7)).toEqual(await picture(7))
    expect(shards.sizes[7]).toBe((await picture(7)).length)
    await expect(shards.readFile(10)).rejects.toThrow('openTarShards: index must be in 0..9 (got 10)')
    await shards.close()
  }
  await plain.close()
})

test('labels are integers of .cls, or else integers or names of "label" in .json', async () => {
  const json = async (key: string, value: unknown): Promise<TarEntry[]> => [
    { name: `${key}.JPG`, content: await picture(0) },
    { name: `${key}.json`, content: JSON.stringify(value) },
  ]
  await put('n/a.tar', [...(await json('x', { label: 1 })), ...(await json('y', { label: 0, url: 'u' }))])
  expect((await scan(join(folder, 'n'))).classes).toEqual(['class 0', 'class 1'])
  await put('s/a.tar', [...(await json('x', { label: 'dog' })), ...(await json('y', { label: 'cat' }))])
  const named = await opened(join(folder, 's'))
  expect([named.classes, [...named.labels!()]]).toEqual([
    ['cat', 'dog'],
    [1, 0],
  ])
  await put('m/a.tar', [...(await json('x', { label: 'dog' })), ...(await sample('y', 0))])
  expect(await refusal(scan(join(folder, 'm')))).toContain(
    'a.tar/y.png has the label 0, but a.tar/x.JPG has dog; labels must be numbers or names, not both',
  )
  const bad = [{ label: [1] }, { label: -1 }, { label: 1.5 }, { label: '' }, { caption: 'x' }, [], null]
  const entries = await Promise.all(bad.map((value, i) => json(`bad${i}`, value)))
  const cls = await Promise.all(
    ['cat', '-1', '1.0', '', '99999999999', 'x'.repeat(2000)].map((text, i) => sample(`c${i}`, text)),
  )
  await put('b/a.tar', [...(await sample('good', ' 0\n')), ...entries.flat(), ...cls.flat()])
  const { skipped, length } = await opened(join(folder, 'b'))
  expect(length).toBe(1)
  expect(skipped.map(({ reason }) => reason)).toEqual([
    ...['neither', '-1', '1.5', ''].map(
      (got, i) => `"label" in bad${i}.json must be a class number or a name (got "${got}")`,
    ),
    ...[4, 5, 6].map((i) => `it has no label: there is no bad${i}.cls, and no "label" in bad${i}.json`),
    ...['cat', '-1', '1.0', '', '99999999999', 'too long'].map(
      (got, i) => `c${i}.cls must hold a class number, 0 or more (got "${got}")`,
    ),
  ])
  const deep = `{"label":${'['.repeat(100_000)}${']'.repeat(100_000)}}`
  await put('d/a.tar', [...(await json('x', 0)).slice(0, 1), { name: 'x.json', content: deep }])
  expect(await refusal(opened(join(folder, 'd')))).toMatch(/must be a class number or a name|is no JSON/)
})

test('numbered classes take names from the caller, or from classes.json beside the shards', async () => {
  await put('a.tar', [...(await sample('x', 0)), ...(await sample('y', 2))])
  expect(await scan()).toMatchObject({ classes: ['class 0', 'class 1', 'class 2'], emptyClasses: ['class 1'] })
  const given = await scanTarShards(folder, { classes: ['a', 'b', 'c', 'd'] })
  expect(given).toMatchObject({ classes: ['a', 'b', 'c', 'd'], emptyClasses: ['b', 'd'], classesFrom: null })
  const path = await put('classes.json', '["cat", "cow", "dog"]')
  expect(await scan()).toMatchObject({ classes: ['cat', 'cow', 'dog'], classesFrom: path, numShards: 1, length: 2 })
  expect(await refusal(scanTarShards(folder, { classes: ['a', 'b'] }))).toContain(
    'a.tar/y.png has the label 2; there are 2 classes, and they are numbered 0 to 1',
  )
})

test('labels with gaps are refused where most classes would be empty', async () => {
  await put('a.tar', [...(await sample('x', 0)), ...(await sample('y', 7))])
  expect(await refusal(scan())).toContain(
    'go up to 7, but only 2 of the 8 classes have pictures; number them from 0 on without gaps, or give the names of all classes',
  )
  await put('a.tar', await sample('x', 999_999_999))
  expect(await refusal(scan())).toContain('the label 999999999 is far more than there are pictures')
})

test('samples that cannot be used are named, and left out on request; a class is not emptied', async () => {
  await put('a.tar', [
    ...(await sample('good', 0)),
    { name: 'words.cls', content: '0' },
    { name: 'words.jpg', content: 'words' },
    { name: 'empty.cls', content: '0' },
    { name: 'empty.jpg' },
    { name: 'unlabelled.png', content: await picture(0) },
    { name: 'two.jpg', content: await picture(0) },
    ...(await sample('two', 0)),
    { name: 'IMG_1.5.cls', content: '0' },
    { name: 'IMG_1.5.jpg', content: await picture(0) },
  ])
  const text = await refusal(openTarShards(folder, { size: 8 }))
  expect(text).toContain(`openTarShards: 5 of 6 pictures in ${folder} cannot be read\n`)
  expect(text).toContain('a.tar/words.jpg: its content is of another kind, not PNG')
  expect(text).toContain('a.tar/empty.jpg: the file is empty')
  expect(text).toContain('a.tar/unlabelled.png: it has no label: neither unlabelled.cls nor "label" in unlabelled.json')
  expect(text).toContain('a.tar/two.jpg: the sample has 2 pictures (jpg, png); one is needed')
  expect(text).toContain('a.tar/IMG_1.5.jpg: the name has more than one dot: the key of a sample goes up to the first')
  expect(text).toContain('Repair or remove them, or leave them out with skipBad.')
  expect(await opened()).toMatchObject({ files: ['a.tar/good.png'], skipped: { length: 5 } })
  await put('a.tar', [
    ...(await sample('good', 0)),
    { name: 'w.cls', content: '1' },
    { name: 'w.jpg', content: 'words' },
  ])
  expect(await refusal(opened())).toContain(
    'Without them nothing is left of class class 1: repair pictures of it, or leave it out of the shards.',
  )
})

test('files beside the samples are counted by kind; what systems and WebDataset add is passed over', async () => {
  await put('a.tar', [
    { name: './', type: '5' },
    { name: '__meta__', content: '{}' },
    { name: './._1.png', content: 'x' },
    { name: './__MACOSX/1.png', content: 'x' },
    { name: './.hidden/2.png', content: 'x' },
    { name: './README', content: 'x' },
    { name: './README.md', content: 'x' },
    { name: './1.cls', content: '0' },
    { name: './1.seg.png', content: 'x' },
    { name: './1.png', content: await picture(0) },
    { name: './1.txt', content: 'a caption' },
    { name: './2.bmp', content: 'BM' },
    { name: './3.jpg', type: '2' },
  ])
  const { leftOut, files } = await opened(folder, false)
  expect(files).toEqual(['a.tar/./1.png'])
  const counts = Object.fromEntries(leftOut.map(({ kind, count }) => [kind, count]))
  expect(counts).toEqual({
    hidden: 2,
    '.bmp': 1,
    'links (pack what they lead to, with tar --dereference --hard-dereference)': 1,
    '.md': 1,
    '.seg.png': 1,
    '.txt': 1,
    'without suffix': 1,
  })
})

test('a shard without pictures, one without labels and damaged ones are refused', async () => {
  await put('a.tar', [
    { name: '1.txt', content: 'a' },
    { name: '2.jpg', type: '1' },
  ])
  expect(await refusal(scan())).toContain('no sample has a picture (found: 1 links (pack what they lead to')
  await put('a.tar', [
    { name: '1.png', content: 'a' },
    { name: '1.txt', content: 'a' },
  ])
  expect(await refusal(scan())).toMatch(
    /^openTarShards: no picture in .* has a label \(1 picture\)\. Each needs its class beside it: a number in key\.cls/,
  )
  const whole = writeTar([...(await sample('1', 0)), ...(await sample('2', 0))])
  await put('a.tar', whole.slice(0, 2500))
  expect(await refusal(scan())).toMatch(/^openTarShards: .*a\.tar: cut off: .*of 2500\)$/)
  await put('a.tar', [...(await sample('1', 0)), ...(await sample('2', 0)), { name: '1.txt', content: 'a' }])
  expect(await refusal(scan())).toContain('has files of one sample in two places, the second at 1.txt (byte')
  expect(await refusal(scan())).toContain('make shards with tar --sort=name')
  await put('a.tar', [...(await sample('1', 0)), { name: '1.CLS', content: '0' }])
  expect(await refusal(scan())).toContain('has 1.CLS twice in one sample')
})

test('a shard that changes after it was opened is not read on', async () => {
  const path = await put('a.tar', await sample('1', 0))
  const shards = await openTarShards(folder, { size: 8, cacheBytes: 0 })
  expect((await shards.read([0])).labels).toEqual(Int32Array.of(0))
  await utimes(path, 1, 1)
  expect(await refusal(shards.read([0]))).toBe(
    'openTarShards: a.tar/1.png can no longer be read: the shard was changed since it was opened',
  )
  await expect(shards.readFile(0)).rejects.toThrow('the shard was changed since it was opened')
  await shards.close()
})

test('limits on pixels hold for members as for files', async () => {
  await put('a.tar', await sample('1', 0))
  expect(await refusal(openTarShards(folder, { size: 8, maxPixels: 119 }))).toContain(
    'a.tar/1.png: it is too large: 12 by 10 pixels are more than 119; make it smaller, or raise maxPixels',
  )
  await expect(openTarShards(folder, { size: 0 })).rejects.toThrow('openTarShards: height must be a positive integer')
})
