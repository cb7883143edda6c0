import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { scalarsOf } from '../src/tensorboard/run-events.js'
import type { StepRecord } from '@dit/train-ddp'
import { EVALUATED } from './support/evaluated-flags.js'
import { runDit, temporaryFolder } from './support/run-dit.js'

function recordsOf(run: string): StepRecord[] {
  const lines = readFileSync(join(run, 'log.jsonl'), 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as StepRecord)
}

describe('dit train --eval-every', () => {
  test('logs, keeps and shows what it measures', async () => {
    const run = join(temporaryFolder(), 'run')
    const { code, stdout, stderr } = await runDit([...EVALUATED, '--out', run])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(
      'evaluating 12 samples against 12 held-out pictures every 2 steps: frechet, kid, precision, recall (features of small)',
    )
    expect(stdout).toMatch(/evaluation at step 2: frechet \S+, kid \S+, precision \S+, recall \S+ \(12 samples\)/)
    expect(stdout).toContain('the best so far by frechet')

    const evaluated = recordsOf(run).filter(({ evaluation }) => evaluation !== undefined)
    expect(evaluated.map(({ step }) => step)).toEqual([2, 4, 6])
    const [first] = evaluated
    expect(Object.keys(first.measures!)).toEqual(['frechet', 'kid', 'precision', 'recall'])
    expect(first.evaluation).toMatchObject({
      extractor: { name: 'small', layer: 'all' },
      count: 12,
      real: 12,
      against: 'held-out',
      seed: 0,
      sampling: { sampler: 'unipc', steps: 2 },
    })
    const best = evaluated.toSorted((a, b) => a.measures!.frechet - b.measures!.frechet)[0]

    // The checkpoint is kept by the smallest value, beside the newest.
    const named = JSON.parse(readFileSync(join(run, 'checkpoints', 'best.json'), 'utf8')) as object
    expect(named).toMatchObject({ step: best.step, measure: 'frechet', value: best.measures!.frechet, better: 'less' })
    const kept = new Set([best.step, 6].map((step) => `step-000000${step}`))
    expect(readdirSync(join(run, 'checkpoints'))).toEqual(['best.json', ...kept])

    const info = await runDit(['info', run])
    expect(info.stdout).toContain(`best      step ${best.step} by frechet`)
    expect(info.stdout).toMatch(new RegExp(`checkpoints/step-000000${best.step}  complete, the best by frechet`))

    const page = readFileSync(join(run, 'report.html'), 'utf8')
    for (const text of ['Fréchet distance', `step ${best.step}`, 'finished']) expect(page).toContain(text)

    const plot = await runDit(['plot', run, '--out', join(run, 'drawn')])
    expect(plot.code).toBe(0)
    const svg = readFileSync(join(run, 'drawn.svg'), 'utf8')
    for (const text of ['>frechet<', '>kid<', '>share of pictures<', 'Fréchet distance, smallest'])
      expect(svg).toContain(text)

    const scalars = scalarsOf(first)
    expect(scalars['samples/frechet']).toBe(first.measures!.frechet)
    expect(Object.keys(scalars)).not.toContain('train/evaluation')
  })

  test('refuses what cannot be before anything is written', async () => {
    const run = join(temporaryFolder(), 'run')
    const fail = async (...flags: string[]) => (await runDit([...EVALUATED, '--out', run, ...flags])).stderr
    expect(await fail('--eval-measures', 'recal')).toContain('did you mean recall?')
    expect(await fail('--eval-measures', 'inceptionScore')).toContain(
      'inceptionScore cannot be measured: small is no classifier',
    )
    expect(await fail('--eval-layer', 'deep')).toContain(
      '--eval-layer deep: small has no such layer; it has all, layout, edges',
    )
    expect(await fail('--eval-extractor', 'nothing.pth')).toContain('--eval-extractor')
    expect(readdirSync(join(run, '..'))).toEqual([])
  })
})
