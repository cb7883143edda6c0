import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runDit } from '../../apps/cli/test/support/run-dit.js'
import { ROWS } from '../../tools/speedrun/rows.js'
import { trainFlags } from '../../tools/speedrun/run-one.js'

const work = mkdtempSync(join(tmpdir(), 'dit-speedrun-rows-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

test.each(ROWS.filter(({ trainedAs }) => trainedAs === undefined))('$name trains', async (row) => {
  const set = { name: 'heroes', data: 'sprites', size: 32, folders: { training: '', heldOut: '' } } as const
  const args = trainFlags(row, set, { steps: 1, seed: 3, folder: join(work, row.name) })
  // The network as it is, but few pictures.
  const { code, stderr } = await runDit([...args, '--batch', '2', '--quiet'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})
