import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { makePictures } from './support/pictures-to-encode.js'
import { keptFolder, PROGRAM, runProcess } from './support/run-dit.js'

// Processes and threads, from the build.

const folder = keptFolder()
const ENGINE = ['--backend=cpu-wasm', '--threads=1']
const FLAGS = ['--resamples=6', '--neighbours=2', '--measures=frechet,kid,precision', '--batch=4', ...ENGINE]
const evaluated = (out: string, ...flags: string[]) =>
  runProcess(
    ['eval', 'run', ...FLAGS, '--steps=200', '--count=24', '--out', out, '--cache', `${out}-cache`, ...flags],
    {
      cwd: folder,
    },
  )
const results = (out: string) =>
  ['evaluation.json', 'rows.safetensors'].map((name) => readFileSync(join(folder, out, name)).toString('base64'))

beforeAll(async () => {
  await makePictures(join(folder, 'pictures'))
  const sizes = ['--size=16', '--patch=8', '--hidden=16', '--depth=1', '--heads=2', '--batch=4', '--steps=4']
  await runProcess(
    ['train', '--data', 'pictures', ...sizes, '--val-share=0.6', '--sample-every=none', '--out', 'run', ...ENGINE],
    { cwd: folder },
  )
  await evaluated('alone')
})

test('two workers find the bytes of one', async () => {
  const { code, stdout } = await evaluated('two', '--workers=2')
  expect(code).toBe(0)
  expect(stdout).toContain('workers 2 threads')
  expect(results('two')).toEqual(results('alone'))
  expect(readdirSync(join(folder, 'two-cache')).toSorted()).toEqual(readdirSync(join(folder, 'alone-cache')).toSorted())
})

test('what was killed goes on under the same settings only, and ends in the same bytes', async () => {
  const args = ['eval', 'run', ...FLAGS, '--steps=200', '--count=24', '--out', 'killed', '--cache', 'killed-cache']
  const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder })
  const cache = join(folder, 'killed-cache')
  const ended = new Promise((resolve) => child.on('close', resolve))
  for (;;) {
    if (existsSync(cache) && readdirSync(cache).some((name) => name.startsWith('pictures-'))) break
    if (child.exitCode !== null) break
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  child.kill('SIGKILL')
  await ended
  expect(existsSync(join(folder, 'killed/job.json'))).toBe(true)
  const other = await evaluated('killed', '--seed=1')
  expect(other.code).toBe(2)
  expect(other.stderr).toContain('killed was begun with other settings: --seed was 0, and is 1')
  expect((await evaluated('killed')).code).toBe(0)
  expect(results('killed')).toEqual(results('alone'))
  expect(readdirSync(join(folder, 'killed')).toSorted()).toEqual(['evaluation.json', 'report.html', 'rows.safetensors'])
})
