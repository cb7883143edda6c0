import { spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { testNeeding } from '../../../../test/require.js'
import { count, writeLarge } from './large-npz.js'

const isPythonHere = spawnSync('python3', ['--version']).error === undefined
const test = testNeeding('python', isPythonHere, 'no python3 on the PATH')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dit-draft-'))
})
afterEach(() => rm(folder, { recursive: true }))

test('beyond 4 GiB Python reads a finished draft', { timeout: 300_000 }, async () => {
  const code =
    'import sys, zipfile; f = zipfile.ZipFile(sys.argv[1]); print(f.testzip(), [(i.filename, i.file_size) for i in f.infolist()])'
  const { stdout } = spawnSync('python3', ['-c', code, await writeLarge(folder)], { encoding: 'utf8' })
  expect(stdout.trim()).toBe(`None [('arr_0.npy', ${count + 128}), ('arr_1.npy', ${128 + 16})]`)
})
