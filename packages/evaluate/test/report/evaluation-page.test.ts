import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Evaluation } from '../../src/evaluation.js'
import { evaluationPage } from '../../src/report/evaluation-page.js'
import { BLUE, classesOf, evaluationOf, measureOf, nearestOf, RED, setOf } from './example-evaluation.js'
import { dataOf, FORGOTTEN, textOf } from './page-of.js'

const EVIL = `</script><script>alert("1")</script><img src=x onerror='a'>`

test('names of classes, files, sets, measures and commands are shown, never run', () => {
  const page = evaluationPage(
    evaluationOf({
      generated: setOf(EVIL),
      real: setOf(EVIL, { classNames: [EVIL] }),
      classes: classesOf([EVIL]),
      nearest: [
        nearestOf(1, {
          className: EVIL,
          neighbours: [{ index: 1, distance: 1, picture: RED, file: `${EVIL}/${EVIL}.png` }],
        }),
      ],
      measures: [measureOf({ title: EVIL, warnings: [EVIL] })],
      extractor: { name: EVIL, layer: EVIL, fingerprint: EVIL, width: 1 },
      sampling: { [EVIL]: EVIL },
      grids: [{ title: EVIL, picture: RED, width: 1, height: 1 }],
      warnings: [EVIL],
    }),
    { command: `dit eval ${EVIL}` },
  )
  expect(page.match(/<script\b/g)).toHaveLength(2)
  expect(page.match(/<\/script>/g)).toHaveLength(2)
  expect(page).not.toMatch(/<img src=x/)
  expect(textOf(page)).toContain('&lt;script&gt;alert(&quot;1&quot;)')
  expect((dataOf(page) as Evaluation).classes[0].className).toBe(EVIL)
})

test('everything is there: what was judged, measures, copies, classes, how to repeat it', () => {
  const text = textOf(evaluationPage(evaluationOf(), { command: 'dit eval runs/pets' }))
  for (const part of [
    'runs/pets',
    'judged against data/pets',
    'small-pictures',
    'layer pool, 512 numbers a picture',
    'model, 1,000 pictures, 32 × 32 pixels, 2 classes',
    '95 % of 1,000 bootstrap resamples at most',
    'Kernel distance',
    'short of real',
    '3.4 %',
    'some copies',
    '1 of these 2 samples are suspects',
    '7.png',
    'dpm++2m',
    'guidance.scale',
    'dit eval runs/pets',
    'fingerprint-of-data/pets',
    'seed (17)',
  ])
    expect(text).toContain(part)
})

test('a warning is said at the top, once, with the measures that it concerns', () => {
  const measures = ['A', 'B', 'C'].map((title) => measureOf({ title, warnings: title === 'C' ? [] : ['Too few.'] }))
  const text = textOf(evaluationPage(evaluationOf({ measures, warnings: ['Odd sizes.', 'Odd sizes.'] })))
  expect(text).toContain('2 warnings Odd sizes. A, B: Too few.')
})

describe('parts that are not there leave no trace', () => {
  const without: Readonly<Record<string, Partial<Evaluation>>> = {
    'no classes': { classes: [] },
    'no intervals': { measures: [measureOf({ interval: null, floor: null })] },
    'no floors': { measures: [measureOf({ floor: null })] },
    'no training set': { training: null, heldOut: null, memorisation: null, nearest: [] },
    'no share of copies': { memorisation: null },
    'no measures, grids, warnings and sampling': { measures: [], grids: [], warnings: [], sampling: null },
    'statistics without size and classes': { real: setOf('s', { size: null, classNames: [], classCounts: null }) },
    'a value that is no number': { measures: [measureOf({ value: null as unknown as number, interval: null })] },
    'no real picture that takes part': { measures: [measureOf({ counts: { real: null, generated: 5 } })] },
    'a class without a measure': { classes: [{ className: 'a', numGenerated: 1, numReal: 0, measures: [] }] },
    'neighbours without files': {
      nearest: [nearestOf(1, { className: null, neighbours: [{ index: 4, distance: 1, picture: RED, file: null }] })],
    },
    'a sample without neighbours': { nearest: [nearestOf(1, { neighbours: [] })] },
  }
  test.each(Object.entries(without))('%s', (_, changes) => {
    const page = evaluationPage(evaluationOf(changes))
    expect(textOf(page)).not.toMatch(FORGOTTEN)
    expect(page).not.toMatch(/="[^"]*(NaN|undefined)/)
  })

  test('and no heading', () => {
    const all = { classes: [], grids: [], memorisation: null, nearest: [], measures: [], warnings: [] }
    const page = evaluationPage(evaluationOf({ ...all, training: null }))
    expect([...page.matchAll(/<h2[^>]*>([^<]*)/g)].map(([, title]) => title)).toEqual([
      'What was judged',
      'Measures',
      'How to repeat it',
    ])
    expect(textOf(page)).toContain('none given: copies were not looked for')
  })
})

test('equal evaluations give equal bytes, and a page depends on all that it shows', () => {
  expect(evaluationPage(evaluationOf())).toBe(evaluationPage(JSON.parse(JSON.stringify(evaluationOf())) as Evaluation))
  expect(evaluationPage(evaluationOf({ seed: 18 }))).not.toBe(evaluationPage(evaluationOf()))
})

test('the JSON is the evaluation, with ids of pictures in place of pictures', () => {
  const evaluation = evaluationOf()
  const page = evaluationPage(evaluation)
  const data = dataOf(page) as Evaluation
  expect({ ...data, nearest: 0, grids: 0 }).toEqual({ ...evaluation, nearest: 0, grids: 0 })
  const sourceOf = (id: string) =>
    new RegExp(`<img id="${id.slice(1)}" src="([^"]*)"`).exec(page.replaceAll(/\s+/g, ' '))
  expect(data.grids.map(({ picture }) => sourceOf(picture)?.[1])).toEqual([RED, BLUE])
  expect(sourceOf(data.nearest[0].neighbours[0].picture)?.[1]).toBe(BLUE)
})

test('ids are unique, headings in order, and every picture says what it shows', () => {
  const page = evaluationPage(evaluationOf())
  const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(page.match(/<h1\b/g)).toHaveLength(1)
  const images = page.match(/<img\b[^>]*>/g)!
  expect(images.length).toBe(6)
  expect(images.filter((image) => !/alt="[^"]{5}/.test(image))).toEqual([])
  const drawings = page.match(/<svg\b[^>]*>/g)!
  expect(drawings.filter((drawing) => !/aria-hidden="true"|role="img" aria-label="[^"]{10}/.test(drawing))).toEqual([])
})

test('a picture that a browser would have to ask for is refused', () => {
  const grids = [{ title: 'Samples', picture: 'https://example.org/a.png', width: 1, height: 1 }]
  expect(() => evaluationPage(evaluationOf({ grids }))).toThrow(
    new RangeError(
      'report: the picture of "Grid of pictures: Samples" must be a data URL of an image in base64 (it is "https://example.org/a.png")',
    ),
  )
  const svg = 'data:image/svg+xml;base64,PHN2Zy8+'
  expect(() => evaluationPage(evaluationOf({ nearest: [nearestOf(0, { picture: svg })] }))).toThrow(
    'must be a data URL of an image in base64',
  )
})

test('the policy of a page allows its one script, by digest, and no request', () => {
  const page = evaluationPage(evaluationOf())
  const script = /<script>(.*?)<\/script>/s.exec(page)![1]
  const digest = createHash('sha256').update(script).digest('base64')
  expect(page).toContain(`default-src 'none'; img-src data:`.replaceAll("'", '&#39;'))
  expect(page).toContain(`script-src &#39;sha256-${digest}&#39;`)
})

test('suspects come first, the nearest of them first, and no more than asked for', () => {
  const near = (sample: number, distance: number, isSuspect: boolean) =>
    nearestOf(sample, { isSuspect, neighbours: [{ index: 0, distance, picture: BLUE, file: null }] })
  const nearest = [near(1, 0.1, false), near(2, 0.2, true), near(3, 0.05, true), near(4, 0.9, false)]
  const text = textOf(evaluationPage(evaluationOf({ nearest }), { maxNearest: 3 }))
  expect(text).toContain('2 of these 4 samples are suspects. The 3 most suspicious are shown.')
  expect([...text.matchAll(/ sample (\d) cat/g)].map(([, sample]) => sample)).toEqual(['3', '2', '1'])
})

test('the size of a page is what its documentation says', () => {
  const names = Array.from({ length: 1000 }, (_, i) => `class ${i}`)
  const small = { grids: [], nearest: [] }
  const size = evaluationPage(evaluationOf({ ...small, classes: [] })).length
  expect(size).toBeLessThan(25_000)
  expect(evaluationPage(evaluationOf({ ...small, classes: classesOf(names) })).length - size).toBeLessThan(
    1000 * (250 + 450),
  )
})
