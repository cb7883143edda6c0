import { createHash } from 'node:crypto'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'

const RUNS = fileURLToPath(new URL('fixtures/runs-dd20a75/', import.meta.url))

// Runs of format 1, made by commit dd20a75 on `reference` and stopped at step 20 of 30; `expected.json` has the files that the same
// commit ends with. `fixtures/runs-dd20a75/README.md` has the commands.
test.each(['uniform', 'loss-second-moment'])('a run of format 1 goes on to the same bits: %s', async (name) => {
  const run = join(temporaryFolder(), name)
  cpSync(join(RUNS, name), run, { recursive: true })
  const { code, stderr } = await runDit(['train', '--resume', run])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const expected = JSON.parse(readFileSync(join(RUNS, name, 'expected.json'), 'utf8')) as Record<string, string>
  for (const [file, digest] of Object.entries(expected)) {
    const path = file === 'log.jsonl' ? file : join('checkpoints', 'step-0000030', file)
    expect(
      createHash('sha256')
        .update(readFileSync(join(run, path)))
        .digest('hex'),
      file,
    ).toBe(digest)
  }
  const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as { format: string }
  expect(config.format).toBe('dit-run-2')
  const again = await runDit(['train', '--resume', run])
  expect(again.stdout).toContain('30')
  expect(again.code).toBe(0)
})

test('settings of a run of format 1 are told from flags that contradict them', async () => {
  const run = join(temporaryFolder(), 'uniform')
  cpSync(join(RUNS, 'uniform'), run, { recursive: true })
  const { code, stderr } = await runDit(['train', '--resume', run, '--predict', 'x0'])
  expect(code).toBe(2)
  expect(stderr).toContain('--predict x0 (the run has epsilon)')
})
