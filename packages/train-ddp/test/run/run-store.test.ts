import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findCheckpoint, memoryRunStore, pruneCheckpoints, type RunStore } from '../../src/index.js'
import { folderRunStore } from '../../src/node/index.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-store-'))
})
afterAll(() => rm(folder, { recursive: true }))

const text = (bytes: Uint8Array | null) => (bytes === null ? null : new TextDecoder().decode(bytes))

describe.each<[string, () => RunStore]>([
  ['memory', memoryRunStore],
  ['folder', () => folderRunStore(join(folder, 'run'))],
])('%s store', (_, make) => {
  test('reads what it wrote, in folders made on the way', async () => {
    const store = make()
    const record = await store.write('a/b/c.txt', 'hello')
    expect(text(await store.read('a/b/c.txt'))).toBe('hello')
    // sha256 of "hello", as every tool prints it.
    expect(record).toEqual({
      bytes: 5,
      sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    })
    expect(await store.inspect('a/b/c.txt')).toEqual(record)
  })

  test('gives null or nothing for what is not there', async () => {
    const store = make()
    expect(await store.read('nowhere')).toBeNull()
    expect(await store.inspect('nowhere/x')).toBeNull()
    expect(await store.list('nowhere')).toEqual([])
    await store.remove('nowhere')
  })

  test('appends and truncates', async () => {
    const store = make()
    await store.append('log', 'one\n')
    await store.append('log', 'two\n')
    await store.truncate('log', 4)
    await store.flush('log')
    expect(text(await store.read('log'))).toBe('one\n')
  })

  test('lists and removes folders', async () => {
    const store = make()
    await store.write('d/2/x', '')
    await store.write('d/1', '')
    expect(await store.list('d')).toEqual(['1', '2'])
    await store.remove('d/2')
    expect(await store.list('d')).toEqual(['1'])
  })

  test('tensors come back with their metadata', async () => {
    const store = make()
    const tensors = new Map([
      ['now', { dtype: 'F32' as const, shape: [2], data: Float32Array.of(1, 2) }],
      ['later', { dtype: 'F32' as const, shape: [1], data: async () => Float32Array.of(3) }],
    ])
    const record = await store.writeTensors('t.safetensors', tensors, { step: '7' })
    expect(await store.inspect('t.safetensors')).toEqual(record)
    const file = await store.openTensors('t.safetensors')
    expect(file.metadata.step).toBe('7')
    expect(await file.float32('later')).toEqual(Float32Array.of(3))
    await file.close()
  })
})

describe('the lock of a folder', () => {
  const locked = () => join(folder, 'locked')

  test('keeps a second writer out until it is given back', async () => {
    const unlock = await folderRunStore(locked()).lock()
    await expect(folderRunStore(locked()).lock()).rejects.toThrow(`process ${process.pid} on`)
    await unlock()
    await (
      await folderRunStore(locked()).lock()
    )()
  })

  test('is taken over from a process that is gone, and from one with the number of this one', async () => {
    const { pid } = spawnSync(process.execPath, ['--version'])
    for (const gone of [pid, process.pid]) {
      await mkdir(locked(), { recursive: true })
      await writeFile(join(locked(), 'lock.json'), JSON.stringify({ pid: gone, host: hostname() }))
      await (
        await folderRunStore(locked()).lock()
      )()
    }
    await writeFile(join(locked(), 'lock.json'), '{"pi')
    await (
      await folderRunStore(locked()).lock()
    )()
    expect(await readdir(locked())).toEqual([])
  })

  test('is respected where it is of another machine', async () => {
    await writeFile(join(locked(), 'lock.json'), JSON.stringify({ pid: 1, host: 'elsewhere.example' }))
    await expect(folderRunStore(locked()).lock()).rejects.toThrow('if it no longer runs, remove')
  })
})

test('a folder store that cannot write leaves nothing', async () => {
  const store = folderRunStore(join(folder, 'blocked'))
  await mkdir(join(folder, 'blocked', 'x', 'y'), { recursive: true }) // a folder where the file should go
  await expect(store.write('x', 'z')).rejects.toThrow('EISDIR')
  expect(await readdir(join(folder, 'blocked'))).toEqual(['x'])
})

test('a folder store leaves no partial files', async () => {
  const store = folderRunStore(join(folder, 'clean'))
  await store.write('x', 'y')
  expect(await readdir(join(folder, 'clean'))).toEqual(['x'])
})

test('a lock is one whatever the spelling of its folder, and only its owner gives it back', async () => {
  const place = join(folder, 'spelled')
  await mkdir(place, { recursive: true })
  await symlink(place, join(folder, 'other-name'))
  const unlock = await folderRunStore(place).lock()
  for (const spelling of [`${place}/`, join(place, '..', 'spelled', '.'), join(folder, 'other-name')]) {
    await expect(folderRunStore(spelling).lock()).rejects.toThrow('is already writing to')
  }
  // Somebody removed the lock by hand, and another process took the run.
  const other = JSON.stringify({ pid: 1, host: 'elsewhere.example', token: 'theirs' })
  await writeFile(join(place, 'lock.json'), other)
  await unlock()
  expect(await readFile(join(place, 'lock.json'), 'utf8')).toBe(other)
})

test('of many who take over a lock that was left behind, one gets it', async () => {
  const place = join(folder, 'stale')
  const gone = spawnSync(process.execPath, ['--version']).pid
  for (let round = 0; round < 10; round++) {
    await mkdir(place, { recursive: true })
    await writeFile(join(place, 'lock.json'), JSON.stringify({ pid: gone, host: hostname() }))
    const tries = await Promise.allSettled(Array.from({ length: 8 }, () => folderRunStore(place).lock()))
    const got = tries.filter((each) => each.status === 'fulfilled')
    expect(got).toHaveLength(1)
    await got[0].value()
    expect(await readdir(place)).toEqual([])
  }
})

test('a link among the files is removed, and what it leads to stays', async () => {
  const kept = join(folder, 'kept')
  await mkdir(kept, { recursive: true })
  await writeFile(join(kept, 'manifest.json'), '{}')
  const run = join(folder, 'linked')
  await mkdir(join(run, 'checkpoints'), { recursive: true })
  await symlink(kept, join(run, 'checkpoints', 'step-0000001'))
  await writeFile(join(run, 'checkpoints', 'step-0000077'), 'a note')
  const store = folderRunStore(run)
  await pruneCheckpoints(store, { last: 0, every: null })
  expect(await readdir(join(run, 'checkpoints'))).toEqual(['step-0000077'])
  expect(await readdir(kept)).toEqual(['manifest.json'])
  expect(await findCheckpoint(store)).toBeNull()
})
