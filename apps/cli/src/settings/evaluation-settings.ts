import { resolve } from 'node:path'
import { SAMPLERS } from '@dit/pipeline'
import { measureList, measureName } from './measure-names.js'
import type { RunSetting } from './run-setting.js'
import type { Settings } from './setting.js'
import { integer, number, orWord, path } from './values.js'

/** A file behind a name such as `onnx=`, or alone, wherever the run is resumed from. */
function absoluteFile(text: string): string {
  if (text === 'small') return text
  const at = text.indexOf('=') + 1
  return text.slice(0, at) + resolve(text.slice(at))
}

const A_COUNT = 'a positive whole number'

/** What is measured of a run while it trains. */
export const EVALUATION_SETTINGS = {
  evalEvery: {
    flag: '--eval-every <steps>',
    help: 'draw samples from the averaged weights every so many steps and measure how near they are to real pictures, or `none` (default none)',
    parse: orWord('none', integer(1)),
    place: 'evaluation.every',
    must: `${A_COUNT}, or null`,
    mayChange: true,
  },
  evalMeasures: {
    flag: '--eval-measures <list>',
    help: 'what --eval-every measures, separated by commas (default {default})',
    parse: measureList,
    default: 'frechet,kid,precision,recall',
    place: 'evaluation.measures',
    store: (list: string) => list.split(','),
    read: (kept: readonly string[] | undefined) => kept?.join(','),
    mayChange: true,
  },
  evalCount: {
    flag: '--eval-count <n>',
    help: 'samples of each evaluation, and real pictures that they are measured against, where there are so many (default {default})',
    parse: integer(2),
    default: 500,
    place: 'evaluation.count',
    must: 'a whole number, 2 or more',
  },
  evalAgainst: {
    flag: '--eval-against <which>',
    help: 'real pictures to measure against: `held-out`, of --val-share, or `all` (default: held-out with --val-share, else all)',
    choices: ['held-out', 'all'],
    place: 'evaluation.against',
  },
  evalSampler: {
    flag: '--eval-sampler <name>',
    help: 'sampling method of --eval-every (default {default})',
    choices: SAMPLERS,
    default: 'unipc',
    place: 'evaluation.sampler',
  },
  evalSteps: {
    flag: '--eval-steps <n>',
    help: 'denoising steps of --eval-every (default {default})',
    parse: integer(1),
    default: 20,
    place: 'evaluation.steps',
    must: A_COUNT,
  },
  evalGuidance: {
    flag: '--eval-guidance <scale>',
    help: 'strength of classifier-free guidance of --eval-every; other values than 1 take twice the time (default {default})',
    parse: number(),
    default: 1,
    place: 'evaluation.guidance',
    must: 'a number',
  },
  evalExtractor: {
    flag: '--eval-extractor <name|file>',
    help: 'network whose features are compared: `small`, which comes with dit, or a file of weights as for `dit eval` (default {default})',
    parse: path,
    default: 'small',
    place: 'evaluation.extractor',
    store: absoluteFile,
    must: 'a name, or a path',
    mayChange: true,
  },
  evalLayer: {
    flag: '--eval-layer <name>',
    help: 'layer of --eval-extractor (default: its own)',
    place: 'evaluation.layer',
    must: 'a name',
    isOptional: true,
  },
  evalVae: {
    flag: '--eval-vae <folder>',
    help: 'autoencoder that turns the latents of --latents into pictures for --eval-every',
    parse: path,
    place: 'evaluation.autoencoder',
    store: (folder: string) => resolve(folder),
    must: 'a path',
    isOptional: true,
    mayChange: true,
  },
  keepBest: {
    flag: '--keep-best <measure>',
    help: 'also keep the checkpoint that is best by this measure of --eval-every, or `none` (default: the first of --eval-measures)',
    parse: orWord('none', measureName),
    place: 'evaluation.keepBest',
    must: 'the name of a measure, or null',
    mayChange: true,
  },
} as const satisfies Settings<RunSetting>
