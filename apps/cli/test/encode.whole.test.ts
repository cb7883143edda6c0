import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { LatentsManifest } from '../src/run/manifest.js'
import { encodeArgs, makePictures } from './support/pictures-to-encode.js'
import { PROGRAM, runProcess, temporaryFolder } from './support/run-dit.js'

const manifestOf = (out: string) => JSON.parse(readFileSync(join(out, 'latents.json'), 'utf8')) as LatentsManifest

test('goes on after a process that was killed, to the same bytes', async () => {
  const folder = temporaryFolder()
  const [pictures, whole, killed] = ['pictures', 'whole', 'killed'].map((name) => join(folder, name))
  await makePictures(pictures)
  expect((await runProcess(encodeArgs(pictures, whole))).code).toBe(0)
  const child = spawn(process.execPath, [PROGRAM, ...encodeArgs(pictures, killed), '--json'])
  // Seven pictures are done: one file is whole, and a part of the second is lost.
  child.stdout.on('data', (chunk: Buffer) => {
    if (chunk.toString().includes('"done":7')) child.kill('SIGKILL')
  })
  expect((await once(child, 'close'))[1]).toBe('SIGKILL')
  expect(manifestOf(killed).shards.length).toBeLessThan(3)
  const { code, stdout } = await runProcess(encodeArgs(pictures, killed))
  expect([code, stdout]).toEqual([0, expect.stringMatching(/found {2}[12] complete files?\n/)])
  expect(manifestOf(killed)).toEqual(manifestOf(whole))
})
