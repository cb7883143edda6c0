import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contents } from './support/begun-sampling.js'
import { PROGRAM, runProcess } from './support/run-dit.js'
import { eagerRecipe, makeTinyRun } from './support/tiny-run.js'

let folder: string
let run: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dit-killed-'))
  run = join(folder, 'run')
  await makeTinyRun(run, {}, { recipe: eagerRecipe })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const JOB = ['--total', '2400', '--batch', '20', '--steps', '20', '--singles', '--npz', '--latents', 'l.npz']
const job = () => ['sample', run, '--out', 'a.png', ...JOB, '--backend', 'reference', '--json']

/** Kills the program, as a power cut would, once it has told of more pictures than `after`; how many it found at first. */
async function killed(cwd: string, after: number): Promise<number> {
  const child = spawn(process.execPath, [PROGRAM, ...job()], { cwd })
  let [line, found] = ['', 0]
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (line + chunk.toString()).split('\n')
    line = lines.pop()!
    for (const text of lines) {
      const event = JSON.parse(text) as { type: string; found?: number; finished?: number }
      if (event.type === 'found') found = event.found!
      if (event.type === 'step' && event.finished! > found + after) child.kill('SIGKILL')
    }
  })
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  expect(child.signalCode).toBe('SIGKILL')
  return found
}

test('killed twice and continued, the files have the bytes of one run', { timeout: 300_000 }, async () => {
  const [whole, cut] = ['whole', 'cut'].map((name) => join(folder, name))
  mkdirSync(whole)
  mkdirSync(cut)
  expect(await runProcess(job(), { cwd: whole })).toMatchObject({ code: 0, stderr: '' })
  expect(await killed(cut, 700)).toBe(0)
  const first = await killed(cut, 700)
  expect(first).toBeGreaterThan(0)
  expect(readdirSync(cut)).toContain('a.npz.unfinished')
  const { code, stdout } = await runProcess(job(), { cwd: cut })
  expect(code).toBe(0)
  const second = JSON.parse(/\{"type":"found".*\}/.exec(stdout)![0]) as { found: number; drawn: number }
  expect(second.found).toBeGreaterThan(first)
  expect(second.drawn).toBe(2400 - second.found)
  expect(contents(cut)).toEqual(contents(whole))
})
