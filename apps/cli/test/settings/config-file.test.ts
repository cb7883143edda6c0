import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { givenOptions } from '../../src/settings/config-file.js'
import { addTrainOptions, type TrainFlags } from '../../src/settings/train-settings.js'
import { temporaryFolder } from '../support/run-dit.js'

function given(file: object, ...args: string[]): Partial<TrainFlags> {
  const path = join(temporaryFolder(), 'config.json')
  writeFileSync(path, JSON.stringify(file))
  const command = addTrainOptions(new Command())
  command.parse(['--config', path, ...args], { from: 'user' })
  const { config: _config, ...flags } = givenOptions<TrainFlags>(command)
  return flags
}

test('the command line wins over the file', () => {
  expect(given({ steps: 4, batch: 2 }, '--steps', '5')).toEqual({ steps: 5, batch: 2 })
})

test('one way to say how long to train wins over another way in the file', () => {
  expect(given({ epochs: 2, batch: 2 }, '--steps', '5')).toEqual({ steps: 5, batch: 2 })
  expect(given({ epochs: 2, steps: 3 }, '--minutes', '1')).toEqual({ minutes: 1 })
})

test('what the command line leaves alone stays, so that two lengths in a file are still refused', () => {
  expect(given({ epochs: 2, steps: 3 })).toEqual({ epochs: 2, steps: 3 })
  expect(given({}, '--steps', '5', '--epochs', '2')).toEqual({ steps: 5, epochs: 2 })
})
