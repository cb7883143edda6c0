import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readNpz } from '@dit/checkpoint'
import type { DiTConfig } from '@dit/model'
import type { classConditional } from '@dit/train-ddp'
import { expect } from 'vitest'
import { runDit, temporaryFolder } from './run-dit.js'
import { eagerRecipe, makeTinyRun, tinyModel } from './tiny-run.js'

export const SCRIPT = fileURLToPath(new URL('../../../../docs/examples/sample-onnx.mjs', import.meta.url))
export const { sampleOnnx, toBytes } = (await import(SCRIPT)) as {
  readonly sampleOnnx: (bytes: Uint8Array, options: object) => Promise<object>
  readonly toBytes: (made: object) => Uint8Array
}

export type Process = NonNullable<Parameters<typeof classConditional>[1]>
const classes = ['disc', 'the ring', 'a square, tilted', '1', 'cross', 'Kreuz ä']
export const OPTIONS = { classes: ['1', 'the ring'], count: 2, steps: 4, seed: 7 }

async function ok(args: readonly string[]): Promise<void> {
  const { code, stderr } = await runDit(args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
}

/** A run and its file for ONNX Runtime. */
export async function exported(process: Process, changes: Partial<DiTConfig>, ...flags: string[]) {
  const folder = temporaryFolder()
  const run = join(folder, 'run')
  await makeTinyRun(run, process, { model: { ...tinyModel, ...changes }, classes, recipe: eagerRecipe })
  await ok(['export', run, '--onnx', folder, '--quiet', ...flags])
  return { folder, run, file: join(folder, 'denoiser.onnx') }
}

/** What `dit sample` makes of the run, as bytes `[N, H, W, 3]`. */
async function sampled(folder: string, run: string, ...flags: string[]): Promise<Uint8Array> {
  const out = join(folder, 'want.png')
  const sampling = ['--classes=1,the ring', '--count=2', '--steps=4', '--seed=7', '--backend=reference', ...flags]
  await ok(['sample', run, ...sampling, '--out', out, '--npz', '--quiet'])
  return (await readNpz(readFileSync(join(folder, 'want.npz')))).get('arr_0')!.data as Uint8Array
}

export const flow = (settings: object) => ({ kind: 'flow', ...settings }) as Process

/** The pictures of the file, by the example, are those of `dit sample`, within one level of 255: another order of sums in float32. */
export async function expectSamePictures(
  process: Process,
  changes: Partial<DiTConfig>,
  sampler: 'ddim' | 'euler',
  flags: readonly string[] = [],
): Promise<void> {
  const { folder, run, file } = await exported(process, changes, ...flags)
  const guidance = flags.length > 0 ? 2.5 : 1
  const want = await sampled(folder, run, '--sampler', sampler, '--guidance', String(guidance))
  const got = toBytes(await sampleOnnx(readFileSync(file), { ...OPTIONS, guidance }))
  expect(got.length).toBe(want.length)
  expect(Math.max(...got.map((byte, i) => Math.abs(byte - want[i])))).toBeLessThanOrEqual(1)
  expect(new Set(want).size).toBeGreaterThan(10)
}
