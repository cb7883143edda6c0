import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readNpz, writeNpz } from '@dit/checkpoint'
import type { Comparison, Evaluation } from '@dit/evaluate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { standIn } from '../../../packages/evaluate/test/support/stand-in.js'
import { NAMED_EXTRACTORS } from '../src/evaluate/open-extractor.js'
import { makePictures } from './support/pictures-to-encode.js'
import { keptFolder, runDit } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

const folder = keptFolder()
const FAST = ['--backend=reference', '--resamples=4', '--neighbours=1', '--steps=2', '--threads=1']
const KINDS = '--measures=frechet,kid,precision'
const dit = (...args: string[]) => runDit(args, { cwd: folder })
const json = (path: string): unknown => JSON.parse(readFileSync(join(folder, path), 'utf8'))

// What takes features is not tested here.
const { small } = NAMED_EXTRACTORS

afterAll(() => {
  NAMED_EXTRACTORS.small = small
  delete NAMED_EXTRACTORS.other
})

beforeAll(async () => {
  for (const name of ['small', 'other']) NAMED_EXTRACTORS[name] = () => standIn({ fingerprint: name }).extractor
  await makePictures(join(folder, 'pictures'))
  await makePictures(join(folder, 'others'))
  const train = ['train', '--data', 'pictures', ...TINY, '--steps=2']
  for (const [out, ...flags] of [['run', '--val-share=0.4'], ['whole']]) await dit(...train, '--out', out, ...flags)
})

describe('a run', () => {
  test('is judged by what it held out, and writes its results, page and rows into itself', async () => {
    const { code, stdout, stderr } = await dit('eval', 'run', KINDS, ...FAST)
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^judged +run, step 2, averaged weights: 4 samples, 8 x 8$/m) as string,
    })
    expect(stdout).toMatch(/^real +.*pictures, the 40 % that the run held out: 4 pictures, 8 x 8$/m)
    expect(stdout).toMatch(/^training +the training part of .*pictures: 6 pictures, 8 x 8$/m)
    expect(stdout).toMatch(/^features +stand-in, layer colours: 27 numbers a picture$/m)
    expect(stdout).toMatch(/^ +value +95 % interval +floor +reading$/m)
    expect(stdout).toMatch(/^Fréchet distance +\S+ +\S+ to \S+ +\S+ +\S/m)
    expect(stdout).toMatch(
      /^copies: .* of samples .* are nearer to one of 6 training pictures or its mirror image than 99 % of 4 held-out pictures are, by their pixels/m,
    )
    expect(stderr).toContain('dit: only 4 held-out pictures say how near to a training picture is too near')
    expect(readdirSync(join(folder, 'run/evaluation')).toSorted()).toEqual([
      'evaluation.json',
      'report.html',
      'rows.safetensors',
    ])
    expect(readFileSync(join(folder, 'run/evaluation/report.html'), 'utf8')).toContain(
      'dit eval run --measures=frechet,kid,precision',
    )
    expect(stdout).toMatch(
      /^kept +\d\S* (?:B|bytes|KiB) of samples and features in run\/evaluation-cache for the next/m,
    )
    expect(json('run/evaluation/evaluation.json')).toMatchObject({
      generated: { kind: 'model', count: 4 },
      seed: 0,
    })
  })

  test('has the same numbers again, without drawing, in a folder with a number', async () => {
    const before = readdirSync(join(folder, 'run/evaluation-cache'))
    const { code, stdout } = await dit('eval', 'run', KINDS, ...FAST, '--json')
    expect(code).toBe(0)
    expect(stdout).toContain('"type":"evaluation","folder":"run/evaluation-2"')
    expect(json('run/evaluation-2/evaluation.json')).toEqual(json('run/evaluation/evaluation.json'))
    expect(readdirSync(join(folder, 'run/evaluation-cache'))).toEqual(before)
  })

  test('that was begun under other settings is refused by the names of these', async () => {
    mkdirSync(join(folder, 'begun'))
    const first = await dit('eval', 'run', KINDS, ...FAST, '--out', 'begun', '--seed=1')
    expect(first.code).toBe(0)
    const job = { format: 'dit-evaluation-job-1', settings: { seed: 3, steps: 2 } }
    mkdirSync(join(folder, 'stopped'))
    writeFileSync(join(folder, 'stopped/job.json'), JSON.stringify(job))
    const { code, stderr } = await dit('eval', 'run', KINDS, ...FAST, '--out', 'stopped')
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /^dit: stopped was begun with other settings: --seed was 3, and is 0; the pictures or the model that are judged are others; /,
    )
    expect(stderr).toContain(
      'Continue with the same settings, begin anew with --out stopped --force, or give another --out',
    )
    expect((await dit('eval', 'run', KINDS, ...FAST, '--out', 'stopped', '--force')).code).toBe(0)
  })

  test('that held nothing out is judged by its training pictures, which it says', async () => {
    const { code, stderr, stdout } = await dit('eval', 'whole', KINDS, ...FAST)
    expect(code).toBe(0)
    expect(stderr).toContain(
      'dit: whole held no pictures out, so it is judged by those that it was trained on, and copies cannot be told',
    )
    expect(stdout).not.toContain('copies:')
  })

  test('by its own training pictures is refused for what is in both', async () => {
    const { code, stderr } = await dit('eval', 'run', KINDS, ...FAST, '--data', 'pictures', '--out', 'refused')
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /6 of 10 pictures of pictures are in the training set .* \(a\/\d\.png is a\/\d\.png; .*or go on with --allow-duplicates/,
    )
    expect(existsSync(join(folder, 'refused'))).toBe(false)
  })
})

describe('--held-out', () => {
  test('gives the pictures that say what a copy is', async () => {
    const data = Uint8Array.from({ length: 5 * 8 * 8 * 3 }, (_, i) => (i * 11) % 251)
    const arrays = { arr_0: { dtype: 'U8', shape: [5, 8, 8, 3], data } } as const
    writeFileSync(join(folder, 'apart.npz'), writeNpz(arrays))
    const { code, stdout } = await dit('eval', 'run', KINDS, ...FAST, '--held-out', 'apart.npz', '--out', 'apart')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^real +.*pictures, the 40 % that the run held out: 4 pictures/m)
    expect(stdout).toMatch(/^copies: .* than 99 % of 5 held-out pictures are/m)
    expect(json('apart/evaluation.json')).toMatchObject({ heldOut: { name: 'apart.npz', count: 5 } })
  })

  test('needs training pictures, and a run that held something out or --data', async () => {
    const refused = async (...args: string[]) => (await dit('eval', ...args, '--backend=reference')).stderr
    expect(await refused('pictures', '--data', 'others', '--held-out', 'others')).toBe(
      'dit: --held-out others: copies are looked for only with training pictures; give --train\n',
    )
    expect(await refused('whole', '--held-out', 'others')).toBe(
      'dit: --held-out others: whole held no pictures out; give these with --data, and it is judged by them, too\n',
    )
  })
})

describe('comparing', () => {
  test('two evaluations, or a new one with an earlier one, says what differs', async () => {
    const two = await dit('eval', '--compare', 'run/evaluation', 'begun', '--resamples=4', '--neighbours=1')
    expect(two.code).toBe(0)
    expect(two.stdout).toMatch(/^ +first +second +difference +95 % interval +better$/m)
    expect(two.stdout).toMatch(/^samples +drawn apart$/m)
    const { code } = await dit('eval', 'run', KINDS, ...FAST, '--compare', 'run', '--out', 'compared')
    expect(code).toBe(0)
    const { isPaired, measures } = json('compared/comparison.json') as Comparison
    expect(isPaired).toBe(true)
    expect(measures.map(({ difference }) => difference)).toEqual([0, 0, 0])
    expect(existsSync(join(folder, 'compared/comparison.html'))).toBe(true)
  })

  test('a run evaluated anew is compared with its newest evaluation before, not with itself', async () => {
    const before = json('run/evaluation/evaluation.json') as Evaluation
    const args = ['eval', 'run', KINDS, ...FAST, '--seed=1', '--compare', 'run']
    const { code } = await dit(...args)
    expect(code).toBe(0)
    const newest = readdirSync(join(folder, 'run')).findLast((name) => /^evaluation-\d/.test(name))!
    const { measures } = json(`run/${newest}/comparison.json`) as Comparison
    expect(measures.map(({ first }) => first)).toEqual(before.measures.map(({ value }) => value))
    expect(measures[0].second).not.toBe(measures[0].first)
  })

  test('refuses an evaluation on other features before anything is drawn', async () => {
    const { code, stdout, stderr } = await dit('eval', 'run', ...FAST, '--extractor=other', '--compare=run/evaluation')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe(
      'dit: --compare run/evaluation: it is on the features of stand-in, layer colours, and this would be on those of ' +
        'stand-in, layer colours of other weights or preparation; give the same --extractor and --layer\n',
    )
  })

  test('refuses other counts, and what is no evaluation', async () => {
    await dit('eval', 'run', KINDS, ...FAST, '--out', 'three', '--count=3')
    const other = await dit('eval', '--compare', 'three', 'run/evaluation')
    expect(other.code).toBe(2)
    expect(other.stderr).toMatch(
      /^dit: both must have as many samples; run, step 2, averaged weights has 3, and .* 4\n$/,
    )
    const none = await dit('eval', '--compare', 'pictures', 'run')
    expect(none.stderr).toBe('dit: --compare pictures: there is no evaluation.json in it\n')
    const damaged = async (change: object) => {
      const path = join(folder, 'three/evaluation.json')
      const whole = readFileSync(path, 'utf8')
      writeFileSync(path, JSON.stringify({ ...(JSON.parse(whole) as object), ...change }))
      const { code, stderr } = await dit('eval', '--compare', 'three', 'three')
      writeFileSync(path, whole)
      return `${code} ${stderr}`
    }
    expect(await damaged({ version: 2 })).toMatch(
      /^2 dit: --compare three: .* is damaged: its version is 2, and this dit reads 1\n$/,
    )
    expect(await damaged({ generated: null })).toMatch(/"generated" must have a name, a count and a fingerprint\n$/)
    expect(await damaged({ measures: {} })).toMatch(/"measures" must be a list\n$/)
    expect(await damaged({ measures: [{ measure: 'kid', value: null }] })).toMatch(
      /the value of kid must be a number\n$/,
    )
    const many = await dit('eval', 'run', '--compare', 'three', 'run')
    expect(many.stderr).toMatch(/^dit: --compare takes one evaluation beside a model, or two without one/)
  })
})

describe('pictures that are there', () => {
  test('of an npz are judged by statistics that were written before', async () => {
    const wrote = await dit(
      'eval',
      '--data',
      'pictures',
      '--size=8',
      '--write-statistics',
      'real.npz',
      '--backend=reference',
    )
    expect(wrote.stdout).toContain('wrote  real.npz, statistics of 10 pictures by stand-in, layer colours')
    const file = await readNpz(readFileSync(join(folder, 'real.npz')))
    expect([...file.keys()].toSorted()).toEqual(['dit_json', 'mu', 'mu_s', 'sigma', 'sigma_s'])
    const pixels = Uint8Array.from({ length: 6 * 8 * 8 * 3 }, (_, i) => (i * i) % 251)
    writeFileSync(join(folder, 'made.npz'), writeNpz({ arr_0: { dtype: 'U8', shape: [6, 8, 8, 3], data: pixels } }))
    const flags = ['--data', 'real.npz', '--backend=reference', '--resamples=4', '--out', 'by-statistics']
    const { code, stdout, stderr } = await dit('eval', 'made.npz', ...flags)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^judged +made\.npz: 6 pictures, 8 x 8$/m)
    expect(stderr).toContain('not measured: kid, precision, recall, density, coverage, as the real data are statistics')
    const other = await dit('eval', 'made.npz', ...flags, '--extractor', 'other')
    expect(other.stderr).toMatch(
      /^dit: real\.npz was made with the extractor stand-in, and this one is stand-in with other weights; features of two extractors must not be mixed/,
    )
  })

  test('of an npz must be whole, and have whole numbers as classes', async () => {
    const pictures = { dtype: 'U8', shape: [2, 8, 8, 3], data: new Uint8Array(384) } as const
    const refused = async (bytes: Uint8Array) => {
      writeFileSync(join(folder, 'wrong.npz'), bytes)
      return (await dit('eval', 'wrong.npz', '--data', 'pictures', '--backend=reference')).stderr
    }
    const labelled = async (...labels: number[]) =>
      refused(writeNpz({ arr_0: pictures, arr_1: { dtype: 'F32', shape: [2], data: Float32Array.from(labels) } }))
    const must = 'dit: wrong.npz: classes in arr_1 must be whole numbers from 0 to 999999'
    expect(await labelled(0, 0.5)).toBe(`${must} (got 0.5)\n`)
    expect(await labelled(NaN, 0)).toBe(`${must} (got NaN)\n`)
    expect(await labelled(0, 2 ** 30)).toBe(`${must} (got 1073741824)\n`)
    expect(await refused(writeNpz({ arr_0: pictures }).subarray(0, 300))).toMatch(
      /^dit: wrong\.npz: must be a zip archive/,
    )
  })

  test('are told of real ones that are enlarged to their size', async () => {
    const pixels = Uint8Array.from({ length: 4 * 16 * 16 * 3 }, (_, i) => (i * i) % 251)
    writeFileSync(join(folder, 'larger.npz'), writeNpz({ arr_0: { dtype: 'U8', shape: [4, 16, 16, 3], data: pixels } }))
    const flags = [KINDS, ...FAST.filter((flag) => !flag.startsWith('--steps')), '--out', 'enlarged']
    const { code, stderr } = await dit('eval', 'larger.npz', '--data', 'pictures', ...flags)
    expect(code).toBe(0)
    expect(stderr).toContain(
      'dit: pictures: 10 of 10 pictures are smaller than 16 x 16 and are enlarged, which blurs them (a/0.png is 10 x 12); compare at the size of the smaller ones with --size',
    )
  })

  test('of a folder without classes are judged as they are, and must have one size', async () => {
    const { default: sharp } = await import('sharp')
    mkdirSync(join(folder, 'flat'))
    for (let i = 0; i < 4; i++) {
      const raw = Buffer.from(Array.from({ length: 192 }, (_, at) => (at * (3 + i)) % 256))
      await sharp(raw, { raw: { width: 8, height: 8, channels: 3 } })
        .png()
        .toFile(join(folder, `flat/${i}.png`))
    }
    const flags = [
      '--data',
      'others',
      '--backend=reference',
      '--resamples=0',
      KINDS,
      '--neighbours=1',
      '--out',
      'of-flat',
    ]
    const { code, stdout } = await dit('eval', 'flat', ...flags)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^judged +flat: 4 pictures, 8 x 8$/m)
    await sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .png()
      .toFile(join(folder, 'flat/9.png'))
    const mixed = await dit('eval', 'flat', ...flags)
    expect(mixed.stderr).toBe(
      'dit: flat: pictures must have one size, but 0.png is 8 x 8 and 9.png 9 x 9; --size crops and scales all to one\n',
    )
    // A broken one is named, with the same reason whether its size or its pixels are wanted.
    const png = readFileSync(join(folder, 'flat/0.png'))
    writeFileSync(join(folder, 'flat/9.png'), png.subarray(0, 20))
    const broken = `dit: ${join('flat', '9.png')}: cannot be read as a picture (it is damaged or cut short)\n`
    expect((await dit('eval', 'flat', ...flags)).stderr).toBe(broken)
    expect((await dit('eval', 'flat', ...flags, '--size', '8')).stderr).toContain(broken)
  })
})

describe('mistakes', () => {
  test('are named with what to do', async () => {
    const refused = async (...args: string[]) => (await dit('eval', ...args, '--backend=reference')).stderr
    expect(await refused()).toBe(
      'dit: what is to be judged? Give a run, weights, a folder of pictures or an npz: `dit eval <run>`\n',
    )
    expect(await refused('made.npz')).toBe(
      'dit: which real pictures? Give a folder, tar shards or an npz with --data\n',
    )
    expect(await refused('made.npz', '--steps=3', '--data', 'pictures')).toBe(
      'dit: --steps is for models, and made.npz holds pictures; leave it out\n',
    )
    expect(await refused('real.npz', '--data', 'pictures')).toMatch(
      /real\.npz holds statistics, and no pictures to judge; give it as --data/,
    )
    expect(await refused('run', '--held-out', 'real.npz')).toBe(
      'dit: --held-out real.npz: it holds statistics, and copies are looked for among pictures\n',
    )
    expect(await refused('run', '--data', 'nowhere')).toMatch(/^dit: --data nowhere: no such folder/)
    expect(await refused('nowhere', '--data', 'pictures')).toMatch(/^dit: nowhere: there is no such file or folder/)
    expect(await refused('nowhere')).toMatch(/^dit: nowhere: there is no such file or folder/)
    expect(await refused('run', '--measures=fid')).toContain(
      'It is called frechet; results title it FID if the features are those of FID.',
    )
    expect(await refused('run', '--measures=kid,kid')).toContain('It names kid twice.')
    expect(await refused('run', '--measures=precison')).toMatch(/There is no measure precison\. .*precision\?/)
    expect(await refused('run', '--size=9')).toBe(
      'dit: --size 9: run makes pictures of 8 x 8, and real ones must be as large\n',
    )
    expect(await refused('run', '--layer=pool', '--out', 'no')).toBe(
      'dit: --layer pool: stand-in has no such layer; its layers are colours, spatial, logits\n',
    )
    expect(await refused('run', '--classes=c', '--out', 'no')).toMatch(/has no class c; its classes are a, b/)
  })

  test('says so before it reads pictures, where it can', async () => {
    for (const args of [
      ['run', '--layer=pool'],
      ['run', '--train', 'nowhere'],
      ['pictures', '--data', 'nowhere'],
      ['pictures'],
    ]) {
      expect(await dit('eval', ...args, ...FAST)).toMatchObject({ code: 2, stdout: '' })
    }
  })
})
