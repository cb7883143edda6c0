import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect } from 'vitest'
import { type Finished, runDit } from './run-dit.js'
import { runUntil } from './run-until.js'
import { eagerRecipe, makeTinyRun } from './tiny-run.js'

/** 11 pictures in batches of two. */
export const JOB = ['--total', '11', '--batch', '2', '--steps', '3', '--singles', '--npz', '--backend', 'reference']

/** Outputs of a job as the model makes them. */
export const ARRAYS = ['--latents', 'l.npz', '--trajectory', 't.npz']

/** Sampling a tiny run into `a.png` and what lies beside it, in a folder of its own for each test. */
export interface BegunSampling {
  /** The folder of the test. */
  readonly here: string
  /** Files of `JOB` with `ARRAYS`, run to its end, by name, in base64. */
  readonly whole: ReadonlyMap<string, string>
  readonly sample: (...args: string[]) => Promise<Finished>
  /** Stops as soon as so many pictures are finished, with `--json`. */
  readonly stopped: (pictures: number, ...args: string[]) => Promise<Finished>
}

/** Sets up a file of tests. What it returns is filled in before each test. */
export function begunSampling(): BegunSampling {
  let [folder, run, here, count] = ['', '', '', 0]
  let whole = new Map<string, string>()
  const sample = (...args: string[]) => runDit(['sample', run, '--out', 'a.png', ...args], { cwd: here })
  const stopped = (pictures: number, ...args: string[]) =>
    runUntil(['sample', run, '--out', 'a.png', ...args], { cwd: here, pictures })

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'dit-continue-'))
    run = join(folder, 'run')
    await makeTinyRun(run, {}, { recipe: eagerRecipe })
    here = join(folder, 'whole')
    mkdirSync(here)
    const { code, stderr } = await sample(...JOB, ...ARRAYS)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    whole = contents(here)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  beforeEach(() => {
    here = join(folder, `at-${count++}`)
    mkdirSync(here)
  })
  return {
    get here() {
      return here
    },
    get whole() {
      return whole
    },
    sample,
    stopped,
  }
}

/** Every file below a folder, by its path, in base64. */
export function contents(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).toSorted()
  return new Map(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path).toString('base64')]))
}
