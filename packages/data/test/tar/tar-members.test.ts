import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { paxEntry, type TarEntry, writeTar } from '../../../../test/support/write-tar.js'
import { TarError, type TarMember, tarMembers, type TarSource } from '../../src/index.js'

function sourceOf(bytes: Uint8Array): TarSource {
  return { size: bytes.length, name: 'a.tar', read: async (start, end) => bytes.slice(start, end) }
}

async function membersOf(bytes: Uint8Array): Promise<TarMember[]> {
  const members: TarMember[] = []
  for await (const member of tarMembers(sourceOf(bytes))) members.push(member)
  return members
}

/** Names with contents, which are text here. */
async function read(entries: readonly TarEntry[]): Promise<string[]> {
  const members = await membersOf(writeTar(entries))
  return Promise.all(
    members.map(async ({ name, kind, read: content }) =>
      kind === 'file' ? `${name}: ${Buffer.from(await content()).toString()}` : `${name} is ${kind}`,
    ),
  )
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const error: unknown = await membersOf(bytes).catch((thrown: unknown) => thrown)
  if (!(error instanceof TarError)) throw new Error('was read, or failed otherwise', { cause: error })
  return error.message
}

const file: TarEntry = { name: 'a.txt', content: 'one' }

test('members come in their order, with where their contents lie', async () => {
  const bytes = writeTar([file, { name: 'empty' }, { name: 'b/c.txt', content: 'x'.repeat(513) }])
  const members = await membersOf(bytes)
  expect(members.map(({ name, start, end }) => [name, start, end])).toEqual([
    ['a.txt', 512, 515],
    ['empty', 1536, 1536],
    ['b/c.txt', 2048, 2561],
  ])
  for (const { start, end, read: content } of members) expect(await content()).toEqual(bytes.slice(start, end))
})

test('headers are read without what is between them', async () => {
  const large = writeTar([{ name: 'large', content: new Uint8Array(2 ** 20) }, file])
  let numBytes = 0
  const source: TarSource = {
    size: large.length,
    read: async (start, end) => {
      numBytes += end - start
      return large.slice(start, end)
    },
  }
  for await (const { name } of tarMembers(source)) expect(['large', 'a.txt']).toContain(name)
  expect(numBytes).toBeLessThan(2 ** 15)
})

test('names longer than a header: the prefix, GNU long names and pax paths', async () => {
  const long = `${'d'.repeat(150)}/${'f'.repeat(90)}.txt`
  expect(
    await read([
      { ...file, name: 'f.txt', prefix: 'a/b' },
      { ...file, magic: 'ustar ', bytes: { 345: 0x31 } }, // GNU tar has a time there
      { ...file, magic: '', prefix: 'old' },
      { name: '././@LongLink', type: 'L', content: `${long}\0` },
      file,
      { name: '././@LongLink', type: 'K', content: 'of a link\0' },
      { name: 'l', type: '2' },
      paxEntry({ path: `ü/${long}`, mtime: '1.5', comment: 'a=b\nc' }),
      file,
      file,
    ]),
  ).toEqual(['a/b/f.txt: one', 'a.txt: one', 'a.txt: one', `${long}: one`, 'l is link', `ü/${long}: one`, 'a.txt: one'])
})

test('names that are not UTF-8 stay apart', async () => {
  const raw = (byte: number): TarEntry => ({ ...file, name: 'x', bytes: { 0: byte } })
  expect(await read([raw(0xe9), raw(0xe8), { ...file, name: 'é' }])).toEqual(['é: one', 'è: one', 'é: one'])
})

test('sizes in octal, with spaces, in base 256, and of a pax header', async () => {
  expect(
    await read([
      { ...file, size: '         3 \0' },
      { ...file, size: '00000000003 ' },
      { ...file, size: Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3) },
      paxEntry({ size: '3' }),
      { ...file, size: 0 },
      { ...file, isSigned: true, name: 'é' },
      { ...file, type: '\0' },
      { ...file, type: '7' },
    ]),
  ).toEqual([...Array<string>(4).fill('a.txt: one'), 'é: one', 'a.txt: one', 'a.txt: one'])
  const far = writeTar([{ name: 'far', size: Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0) }])
  expect(await refusal(far)).toContain('cut off: "far" needs 68719476736 bytes')
})

test('what is no file is told and passed over: folders, links, devices, sparse files and unknown kinds', async () => {
  const map = new Uint8Array(1024).fill(0x30)
  map[504] = 1 // the map goes on in a second block
  map[512 + 504] = 0
  expect(
    await read([
      { name: 'd/', type: '5' },
      { name: 'old/', type: '\0' },
      { name: 'hard', type: '1', size: 999 },
      { name: 'soft', type: '2' },
      { name: 'pipe', type: '6' },
      { name: 'disk', type: '4' },
      paxEntry({ 'GNU.sparse.major': '1', 'GNU.sparse.name': 'pax sparse' }),
      { ...file, name: 'GNUSparseFile.0/x' },
      // The map of an old sparse file stands before its content, whose size does not count it.
      { name: 'sparse', type: 'S', size: 3, content: Buffer.concat([map, Buffer.from('one')]), bytes: { 482: 1 } },
      { ...file, name: 'volume', type: 'M' },
      paxEntry({ comment: 'of all' }, 'g'),
      file,
    ]),
  ).toEqual([
    'd/ is folder',
    'old/ is folder',
    'hard is link',
    'soft is link',
    'pipe is device',
    'disk is device',
    'pax sparse is sparse',
    'sparse is sparse',
    'volume is other',
    'a.txt: one',
  ])
})

test('an archive that is cut off is refused with the place, wherever the cut is', async () => {
  const whole = writeTar([file, { name: 'b.txt', content: 'x'.repeat(600) }])
  expect(await refusal(whole.slice(0, 1700))).toBe(
    'a.tar: cut off: "b.txt" needs 600 bytes; copy or make the archive again (at byte 1024 of 1700)',
  )
  expect(await refusal(writeTar([file], { isOpen: true }))).toBe(
    'a.tar: cut off: it ends without the mark that ends an archive; copy or make it again (at byte 1024 of 1024)',
  )
  for (let size = 512; size < whole.length - 1024; size += 61) {
    expect(await refusal(whole.slice(0, size))).toContain('cut off')
  }
  // One block of zeros is enough, as for GNU tar and Python.
  expect(await membersOf(whole.slice(0, -512))).toHaveLength(2)
})

test('damaged headers are refused with the place', async () => {
  const damaged = writeTar([file, file])
  damaged[1024] ^= 1
  expect(await refusal(damaged)).toBe(
    'a.tar: no header where one must be (its checksum is wrong): the archive is damaged (at byte 1024 of 3072)',
  )
  expect(await refusal(new Uint8Array(2048).fill(65))).toContain(
    'this is no tar archive, or its first header is damaged',
  )
  const cases: [TarEntry[], string][] = [
    [[{ ...file, size: '0000000000x\0' }], 'the size of a member cannot be read'],
    [[{ ...file, size: new Uint8Array(12).fill(0xff) }], 'the size of a member cannot be read'],
    [[paxEntry({ size: '-1' }), file], 'a pax header gives a size that is none'],
    [[paxEntry({ size: '9'.repeat(16) }), file], 'a pax header gives a size that is none'],
    [[paxEntry({ path: 'x' }, 'g'), file], 'a global pax header gives all members one name or size'],
    [[{ name: 'pax', type: 'x', content: '12 path=a\n' }, file], 'a pax header cannot be read'],
    [[{ name: 'pax', type: 'x', content: '10 path=ab\n' }, file], 'a pax header cannot be read'],
    [[{ name: 'pax', type: 'x', content: '5 a=\nx' }, file], 'a pax header cannot be read'],
    [[{ name: 'pax', type: 'x', content: '5 a=\n0 b=\n' }, file], 'a pax header cannot be read'],
    [[{ name: 'n', type: 'L', content: 'x'.repeat(2 ** 15) }, file], 'a name of 32768 characters'],
    [[{ name: 'n', type: 'L', content: new Uint8Array(2 ** 20 + 1) }, file], 'a header for another of 1048577 bytes'],
    [[{ name: 'n', type: 'L', content: 'x' }], 'ends after a long name or pax header that no member follows'],
  ]
  for (const [entries, text] of cases) expect(await refusal(writeTar(entries))).toContain(text)
  const endless = writeTar([{ name: 's', type: 'S', bytes: { 482: 1 } }], { isOpen: true })
  expect(await refusal(endless)).toContain('cut off in the map of a sparse file')
})

test('compressed archives, and what is no archive, are named', async () => {
  const whole = writeTar([file])
  expect(await refusal(gzipSync(whole))).toContain('a.tar: compressed with gzip; unpack it to a plain .tar')
  expect(await refusal(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0))).toContain('compressed with zstd')
  expect(await refusal(Buffer.from('PK\x03\x04'))).toContain('compressed with zip')
  expect(await refusal(new Uint8Array(0))).toContain('the file is empty')
  expect(await refusal(Buffer.from('words'))).toContain('this is no tar archive: it is shorter than a header')
})

test('archives that were joined by cat are refused: what follows the first would be missing without a word', async () => {
  const one = writeTar([file])
  const padded = new Uint8Array(10_240)
  padded.set(one)
  expect(await membersOf(padded)).toHaveLength(1)
  expect(await refusal(Uint8Array.from(Buffer.concat([padded, one])))).toMatch(
    /^a\.tar: something follows the end of the archive; .* tar --concatenate \(at byte 10240 of 12288\)$/,
  )
})
