import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { keepProgress, openProgress } from '../../tools/pretrained/progress.js'

function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dit-progress-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'work')
}

test('a work folder goes on with what is done', async () => {
  const folder = folderOfTest()
  const begun = await openProgress(folder, { steps: 10 })
  expect(begun.done).toEqual({})
  await keepProgress(folder, { ...begun, done: { pictures: 3 }, trainingSeconds: 60 })
  expect(await openProgress(folder, { steps: 10 })).toMatchObject({ done: { pictures: 3 }, trainingSeconds: 60 })
})

test('one that was begun with other settings is refused, and the first that differs is named', async () => {
  const folder = folderOfTest()
  await keepProgress(folder, await openProgress(folder, { model: 'heroes', steps: 10 }))
  await expect(openProgress(folder, { model: 'heroes', steps: 20 })).rejects.toThrow(
    `${folder} was begun with other settings ("steps": 10 in place of "steps": 20); give another work folder`,
  )
})
