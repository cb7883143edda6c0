import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import { writeTar } from '../../../test/support/write-tar.js'
import { makePictures } from './support/pictures-to-encode.js'
import { PROGRAM, runProcess, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const GUIDE = readFileSync(new URL('../../../docs/tar-shards.md', import.meta.url), 'utf8')

/** The guide's shell block that begins so. */
const blockOf = (begin: string) =>
  [...GUIDE.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text]) => text).find((text) => text.startsWith(begin))!

test("the guide's commands make shards of class folders, and train on them", async () => {
  const folder = temporaryFolder()
  await makePictures(join(folder, 'photos'))
  renameSync(join(folder, 'photos', 'a'), join(folder, 'photos', 'red cat'))
  const program = join(folder, 'dit')
  writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" "$@" ${TINY.join(' ')}\n`)
  chmodSync(program, 0o755)
  const script = blockOf('mkdir').replace('-l 2000', '-l 6').replace('--steps 1000', '--steps 2')
  const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` }
  const output = execFileSync('bash', ['-e', '-c', script], { cwd: folder, env }).toString()
  expect(output).toContain('found  10 pictures in 2 classes: b, red cat\n       in 4 tar shards\n')
  expect(readdirSync(join(folder, 'shards'))).toEqual([0, 1, 2, 3].map((i) => `train-00000${i}.tar`))
  expect(existsSync(join(folder, 'runs', 'shards', 'checkpoints', 'step-0000002', 'manifest.json'))).toBe(true)
})

test('two workers, each with its rows of the shards, train as two workers on a folder', async () => {
  const folder = temporaryFolder()
  const data = join(folder, 'data')
  await makePictures(data)
  const entries = ['a', 'b'].flatMap((name, label) =>
    [0, 1, 2, 3, 4].flatMap((i) => [
      { name: `${name}${i}.cls`, content: String(label) },
      { name: `${name}${i}.png`, content: readFileSync(join(data, name, `${i}.png`)) },
    ]),
  )
  writeFileSync(join(folder, 'a.tar'), writeTar(entries))
  const weights: Buffer[] = []
  for (const from of ['data', 'a.tar']) {
    const out = join(folder, `run-${from}`)
    const flags = ['--steps=3', '--workers=2', '--data', join(folder, from), '--out', out]
    expect(await runProcess(['train', ...TINY, ...flags])).toMatchObject({ code: 0 })
    weights.push(readFileSync(join(out, 'checkpoints', 'step-0000003', 'model.safetensors')))
  }
  expect(weights[1]).toEqual(weights[0])
})
