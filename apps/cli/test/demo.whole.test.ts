import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runProcess, temporaryFolder } from './support/run-dit.js'

test('Ctrl-C saves, and the same command goes on', async () => {
  const cwd = temporaryFolder()
  const args = ['demo', '--steps', '12', '--per-class', '1', '--out', 'demo']
  const stopped = await runProcess(args, { cwd, interruptAt: /1\/12 / })
  expect(stopped.code).toBe(130)
  expect(stopped.stderr).toMatch(/stopped at step \d+ of 12\. A checkpoint is saved\. Repeat the command to continue/)
  const resumed = await runProcess(args, { cwd })
  expect(resumed.code).toBe(0)
  expect(resumed.stdout).toContain(`continuing the stopped demo in ${join('demo', '1')}`)
  expect(await readdir(join(cwd, 'demo'))).toEqual(['1'])
  const log = await readFile(join(cwd, 'demo', '1', 'log.jsonl'), 'utf8')
  expect(
    log
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { step: number }).step),
  ).toEqual(Array.from({ length: 12 }, (_, i) => i + 1))
})
