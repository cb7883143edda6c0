import { expect, test } from 'vitest'
import { runDit } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const tiny = TINY.filter((flag) => !flag.startsWith('--sample-every'))

test('tells memory and then time, of epochs of the data', async () => {
  const { code, stdout, stderr } = await runDit(['plan', ...tiny, '--data', 'shapes', '--epochs', '0.5'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/as given .*fits\n/)
  // Half of 60,000 in batches of 4.
  expect(stdout).toMatch(
    /\ntime with reference .*\nabout \S+ \w+ for 7,500 steps, .* for 15 grids of samples: .* a step, /,
  )
})

test('--no-time runs nothing; --json has both in one object', async () => {
  const { stdout } = await runDit(['plan', ...tiny, '--no-time'])
  expect(stdout).not.toMatch(/time/)
  const { stdout: json } = await runDit(['plan', ...tiny, '--steps', '9', '--json'])
  const { rows, time } = JSON.parse(json) as { rows: unknown[]; time: Record<string, unknown> }
  expect(rows.length).toBeGreaterThan(1)
  expect(time).toMatchObject({ how: 'measured', length: 9, examples: 4, workers: 1 })
  expect(JSON.parse((await runDit(['plan', ...tiny, '--no-time', '--json'])).stdout)).toMatchObject({ time: null })
})

test('an engine that is not here leaves the memory, and says why there is no time', async () => {
  const flags = tiny.filter((flag) => !flag.startsWith('--backend'))
  const { code, stdout, stderr } = await runDit(['plan', ...flags, '--backend', 'webgpu'], {
    env: { DIT_WEBGPU_ADAPTER: 'none' },
  })
  expect(code).toBe(0)
  expect(stdout).toMatch(/as given .*fits\n/)
  expect(stderr).toMatch(/^dit: no time is estimated: the engine webgpu cannot be used: /)
})
