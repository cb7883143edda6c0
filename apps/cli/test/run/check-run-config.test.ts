import { expect, test } from 'vitest'
import { checkRunConfig } from '../../src/run/check-run-config.js'
import { tinyConfig } from '../support/tiny-run.js'

/** A whole configuration with one field, such as `recipe.decay`, replaced. */
function changed(path: string, value: unknown): Record<string, unknown> {
  const config = structuredClone(tinyConfig) as unknown as Record<string, unknown>
  const names = path.split('.')
  const last = names.pop()!
  const parent = names.reduce((at, name) => at[name] as Record<string, unknown>, config)
  parent[last] = value
  return config
}

const FOLDER = { kind: 'folder', size: 4, length: 2, folder: 'x', files: 'y', skipBad: false }

test('a run that was written is accepted', () => {
  expect(() => checkRunConfig(changed('seed', 3))).not.toThrow()
  for (const more of [
    {},
    { contents: { files: 2, sha256: 'z' } },
    { contents: { files: 'all', sha256: 'z' } },
    { background: null },
    { background: '#0a64ff', maxPixels: 9 },
  ]) {
    expect(() => checkRunConfig(changed('data', { ...FOLDER, ...more }))).not.toThrow()
  }
  expect(() => checkRunConfig(changed('classes', ['a', 'b', 'c', 'd', 'e', 'f']))).not.toThrow()
})

test.each<[string, unknown, RegExp]>([
  ['objective', null, /^"objective" must be an object \(got null\)/],
  ['objective.kind', 'dreaming', /"objective\.kind" must be one of denoising, distillation, module \(got "dreaming"\)/],
  ['objective.network.kind', 'unet', /"objective\.network\.kind" must be one of dit/],
  ['objective.network.config.depth', 0, /depth must be a positive integer/],
  [
    'objective.network.config.learnSigma',
    false,
    /the process needs 6, half of them for the variance; give it outputsPerChannel 2/,
  ],
  ['objective.timestepSampler', 'clever', /"objective\.timestepSampler" must be one of uniform, lossSecondMoment/],
  ['recipe', [], /^"recipe" must be an object \(got \[\]\)/],
  ['recipe.batchSize', undefined, /"recipe\.batchSize" must be a positive whole number \(got nothing\)/],
  ['recipe.learningRate', 'fast', /learningRate must be a finite number/],
  ['recipe.decay', 'slow', /"recipe\.decay" must be one of constant, linear, cosine \(got "slow"\)/],
  ['objective.process', 'linear', /"process" must be an object/],
  ['objective.process.schedule', 'steep', /steep/],
  ['objective.process.numTimesteps', 1e12, /"objective\.process\.numTimesteps" must be 1 to 1000000/],
  ['objective.process.speed', 2, /a gaussian process has no setting speed/],
  ['heldOut', { share: 1, every: 2 }, /"heldOut\.share" must be a number above 0 and below 1 \(got 1\)/],
  ['heldOut', { share: 0.1, every: 0 }, /"heldOut\.every" must be a positive whole number \(got 0\)/],
  ['objective', { kind: 'module', module: 3 }, /"objective\.module" must be text \(got 3\)/],
  ['classes', ['disc'], /"classes" must be 6 names, one for each class \(got 1\)/],
  ['classes', [1, 2, 3, 4, 5, 6], /"classes" must be a list of names/],
  [
    'data.kind',
    'video',
    /"data\.kind" must be one of shapes, sprites, folder, shards, latents, dataset, module \(got "video"\)/,
  ],
  ['data', { kind: 'folder', size: 4, length: 2 }, /"data\.folder" must be text \(got nothing\)/],
  [
    'data',
    { ...FOLDER, background: 'white' },
    /"data\.background" must be a colour such as #ffffff, or null \(got "white"\)/,
  ],
  ['data', { ...FOLDER, contents: { files: 0 } }, /"data\.contents" must be a number of files and their sha256/],
  ['data', { ...FOLDER, contents: null }, /"data\.contents" must be a number of files and their sha256/],
  ['data', { ...FOLDER, maxPixels: 0 }, /"data\.maxPixels" must be a positive whole number \(got 0\)/],
  ['checkpoint.every', 0, /"checkpoint\.every" must be a positive whole number \(got 0\)/],
  ['checkpoint.keepEvery', 'all', /"checkpoint\.keepEvery" must be .*, or null \(got "all"\)/],
  ['engine.name', 'abacus', /"engine\.name" must be one of .* \(got "abacus"\)/],
  ['steps', 'many', /"steps" must be a positive whole number \(got "many"\)/],
  ['seed', -1, /"seed" must be a whole number, 0 or more \(got -1\)/],
  ['recompute', 'all', /"recompute" must be one of none, block/],
])('%s: %j is refused by name', (path, value, message) => {
  expect(() => checkRunConfig(changed(path, value))).toThrow(message)
})
