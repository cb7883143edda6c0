import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { keptFolder, runDit } from '../support/run-dit.js'
import { scalingCsv, TABLE_LAW } from '../support/scaling-table.js'

const folder = keptFolder()
const csv = join(folder, 'sim.csv')
const QUICK = ['--resamples', '20', '--estimator', 'log-squares']

beforeAll(() => writeFileSync(csv, scalingCsv()))

describe('dit scaling fit', () => {
  test('fits a measure of samples in place of the held-out error, and draws its intervals', async () => {
    const measured = join(folder, 'measured.csv')
    const [header, ...lines] = scalingCsv().trim().split('\n')
    const loss = header.split(',').indexOf('loss')
    const twice = lines.map((line) => {
      const value = 2 * Number(line.split(',')[loss])
      return `${line},${value},${0.9 * value},${1.1 * value}`
    })
    writeFileSync(measured, [`${header},kid,kidLow,kidHigh`, ...twice].join('\n'))
    const [plain, kid] = await Promise.all(
      [[], ['--measure', 'kid']].map(async (more) => {
        const { stdout } = await runDit(['scaling', 'fit', measured, ...QUICK, ...more, '--json'])
        return JSON.parse(stdout.trim().split('\n').at(-1)!) as { law: Record<string, number>; options: object }
      }),
    )
    expect(kid.options).toMatchObject({ measure: 'kid' })
    expect(kid.law.E).toBeCloseTo(2 * plain.law.E, 4)
    expect(kid.law.alpha).toBeCloseTo(plain.law.alpha, 3)
    const out = join(folder, 'kid')
    expect((await runDit(['scaling', 'plot', measured, ...QUICK, '--measure', 'kid', '--out', out])).code).toBe(0)
    const svg = readFileSync(`${out}.svg`, 'utf8')
    expect(svg).toContain('kid (log scale)')
    expect(svg).not.toContain('held-out error')
    expect(svg.match(/stroke-width="1\.2"/g)).toHaveLength(2 * lines.length)
    const stderrOf = async (name: string) => (await runDit(['scaling', 'fit', measured, '--measure', name])).stderr
    expect(await stderrOf('frechet')).toContain('--measure frechet: no run has it; runs have kid')
    expect(await stderrOf('recall')).toContain('recall is better where it is larger')
    expect(await stderrOf('fid')).toContain('It is called frechet')
  })

  test('tells where patch sizes do not follow one law, and takes the runs of one', async () => {
    const mixed = join(folder, 'mixed.csv')
    const [header, ...lines] = scalingCsv().trim().split('\n')
    const loss = header.split(',').indexOf('loss')
    const withPatch = (patch: number, factor: number) =>
      lines.map((line) => {
        const cells = line.split(',')
        cells[loss] = `${factor * Number(cells[loss])}`
        return [`p${patch}${cells[0]}`, ...cells.slice(1), patch].join(',')
      })
    const tables = [withPatch(2, 0.9), withPatch(4, 1), withPatch(8, 1.1)]
    writeFileSync(mixed, [`${header},patch`, ...tables.flat()].join('\n'))
    const both = await runDit(['scaling', 'fit', mixed, ...QUICK])
    expect(both.stderr).toMatch(
      /one law does not fit all networks: on average runs lie off it by -\d+\.\d % with patches of 2, [+-]\d\.\d % with patches of 4, \+\d+\.\d % with patches of 8; --patch takes those of one/,
    )
    const one = await runDit(['scaling', 'fit', mixed, ...QUICK, '--patch', '4'])
    const plain = await runDit(['scaling', 'fit', csv, ...QUICK])
    expect(one.stdout.replaceAll('p4m', 'm')).toBe(plain.stdout)
    expect(one.stderr).not.toContain('one law does not fit')
    const none = await runDit(['scaling', 'fit', mixed, ...QUICK, '--patch', '3'])
    expect(none).toMatchObject({ code: 2 })
    expect(none.stderr).toContain('--patch 3: there is none; there are patches of 2, 4, 8')
    const unknown = await runDit(['scaling', 'fit', csv, ...QUICK, '--patch', '4'])
    expect(unknown.stderr).toContain('--patch 4: there is none; no size of patches is known')
  })

  test('prints the law with its intervals, parabolas and the frontier', async () => {
    const { code, stdout } = await runDit(['scaling', 'fit', csv, ...QUICK])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^24 runs fitted\n {2}n, multiply-adds {2}200 k to 20 M, a factor of 100\n/)
    expect(stdout).toMatch(
      /\(log-squares; 95 % intervals of 20 resamples; how often they hold the truth is known for 24 runs and 200 resamples or more\)\n {2}E +0\.01\d+ +0\.0\d+ to 0\.01\d+ +floor/,
    )
    expect(stdout).toMatch(/\n {2}alpha +0\.(39|4)\d* /)
    expect(stdout).toMatch(/best size of each budget, by parabolas: n_opt grows as compute\^0\.\d+ \(95 %: /)
    expect(stdout).toMatch(/best loss of 4 budgets = .* compute\^-0\.\d+/)
  })

  test('compares the law with runs that were held out, and writes it as JSON once', async () => {
    const out = join(folder, 'fit.json')
    const args = ['scaling', 'fit', csv, ...QUICK, '--hold-out-above', '2e13', '--out', out]
    const { stdout } = await runDit(args)
    expect(stdout).toMatch(/^18 runs fitted, 6 held out\n/)
    expect(stdout).toMatch(
      /runs that were held out: off by 0\.\d+ % \(root mean square\), \d of 6 inside their 95 % interval/,
    )
    const fit = JSON.parse(readFileSync(out, 'utf8')) as Record<string, never>
    expect(fit).toMatchObject({
      format: 'dit-scaling-fit-1',
      options: { holdOutAbove: 2e13, resamples: 20 },
      doubts: [],
    })
    expect((fit.heldOut as unknown[]).length).toBe(6)
    expect(Math.abs((fit.law as typeof TABLE_LAW).alpha - TABLE_LAW.alpha)).toBeLessThan(0.02)
    expect(await runDit(args)).toMatchObject({
      code: 2,
      stderr: `dit: --out ${out} exists; give another name, or --force\n`,
    })
    expect(await runDit([...args, '--force', '--json'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"type":"scaling-fit"') as string,
    })
  })

  test('predicts runs of a grid that it was not fitted to', async () => {
    const grid = join(folder, 'larger.json')
    const dit = { hidden: 64, depth: 3, heads: 2, patch: 4 }
    const train = { data: 'shapes', size: 32, batch: 16, valShare: 0.01 }
    writeFileSync(grid, JSON.stringify({ train, models: [{ name: 's', ...dit }], budgets: [2e14] }))
    const { code, stdout } = await runDit(['scaling', 'fit', csv, ...QUICK, '--predict', grid])
    expect(code).toBe(0)
    const [, d, loss, low, high] = /\n {2}s-2e14-s0 +11\.51 M +([\d.]+) M +([\d.]+) +([\d.]+) to ([\d.]+)\n/.exec(
      stdout,
    )!
    const expected =
      TABLE_LAW.E + TABLE_LAW.A * 11.5e6 ** -TABLE_LAW.alpha + TABLE_LAW.B * (Number(d) * 1e6) ** -TABLE_LAW.beta
    expect(Number(loss) / expected).toBeCloseTo(1, 1)
    expect(Number(low)).toBeLessThan(Number(loss))
    expect(Number(high)).toBeGreaterThan(Number(loss))
  })

  test('holds whole budgets out, and keeps runs there that did worse than the law', async () => {
    const worse = join(folder, 'worse.csv')
    const [header, ...lines] = scalingCsv().trim().split('\n')
    const [budget, loss] = ['budget', 'loss'].map((name) => header.split(',').indexOf(name))
    const spoilt = lines.map((line) => {
      const cells = line.split(',')
      return cells[budget] === '64000000000000'
        ? cells.map((cell, i) => (i === loss ? `${3 * Number(cell)}` : cell)).join(',')
        : line
    })
    writeFileSync(worse, [header, ...spoilt].join('\n'))
    // Steps are whole, so that the runs of a budget take a little more or less.
    const { stdout } = await runDit(['scaling', 'fit', worse, ...QUICK, '--hold-out-above', '1.6e13'])
    expect(stdout).toMatch(/^18 runs fitted, 6 held out\n/)
    expect(stdout).toMatch(/held out: off by \d+ % \(root mean square\), 0 of 6 inside/)
  })

  test('a law that does not fall is doubted, and allocates nothing', async () => {
    const rising = join(folder, 'rising.csv')
    const rows = [1e6, 4e6, 1.6e7, 6.4e7].flatMap((n) =>
      [1e3, 1e4, 1e5, 1e6].map((d) => `${n},${d},${0.02 + 3 * n ** -0.4 + 0.01 * d ** 0.1}`),
    )
    writeFileSync(rising, ['multiplyAdds,examples,loss', ...rows].join('\n'))
    const { stderr } = await runDit(['scaling', 'fit', rising, ...QUICK])
    expect(stderr).toMatch(/the loss does not fall with d \(exponent -0\.\d+\): no use of compute is best/)
    for (const args of [
      ['--budget', '1e14'],
      ['--loss', '0.08'],
    ]) {
      const plan = await runDit(['scaling', 'plan', rising, ...QUICK, ...args])
      expect(plan.code).toBe(1)
      const anyway = await runDit(['scaling', 'plan', rising, ...QUICK, ...args, '--anyway'])
      expect(anyway.code).toBe(2)
      expect(anyway.stderr).toMatch(/beta of the law must be above 0, so that the loss falls/)
    }
  })

  test('compute of a table of parameters is said to be a guess', async () => {
    const { stderr } = await runDit(['scaling', 'fit', csv, ...QUICK, '--size', 'params'])
    expect(stderr).not.toContain('compute is taken for')
    const bare = join(folder, 'params.csv')
    const [header, ...lines] = scalingCsv().trim().split('\n')
    const kept = ['params', 'examples', 'loss'].map((name) => header.split(',').indexOf(name))
    const rows = lines.map((line) => kept.map((i) => line.split(',')[i]).join(','))
    writeFileSync(bare, ['params,examples,loss', ...rows].join('\n'))
    const fit = await runDit(['scaling', 'fit', bare, ...QUICK, '--size', 'params'])
    expect(fit.stderr).toContain('compute is taken for 3 multiply-adds a parameter and example')
    const wrong = await runDit(['scaling', 'fit', bare, ...QUICK])
    expect(wrong.stderr).toContain('no run can be fitted: the multiply-adds of none are known; try --size params')
  })

  test('networks without patches are told apart from those with', async () => {
    const both = join(folder, 'both.csv')
    const [header, ...lines] = scalingCsv().trim().split('\n')
    const loss = header.split(',').indexOf('loss')
    const other = lines.map((line) => {
      const cells = line.split(',').map((cell, i) => (i === loss ? `${0.8 * Number(cell)}` : cell))
      return `u${cells.join(',')},`
    })
    writeFileSync(both, [`${header},patch`, ...lines.map((line) => `${line},4`), ...other].join('\n'))
    const { stderr } = await runDit(['scaling', 'fit', both, ...QUICK])
    expect(stderr).toMatch(/one law does not fit all networks: .* with patches of 4, -\d+\.\d % without patches/)
  })

  test('a narrow table is fitted with warnings, and must not be extrapolated', async () => {
    const narrow = join(folder, 'narrow.csv')
    const [header, ...lines] = scalingCsv().trim().split('\n')
    const kept = lines.filter((line) => /,(1250000|3000000|8000000),/.test(line))
    writeFileSync(narrow, [header, ...kept].join('\n'))
    const { code, stderr } = await runDit(['scaling', 'fit', narrow, ...QUICK])
    expect(code).toBe(0)
    expect(stderr).toMatch(/dit: n spans only a factor of 6\.4: under a decade/)
    expect(stderr).toMatch(
      /dit: nothing should be extrapolated from this fit, and `dit scaling plan` refuses it: n spans only a factor of 6\.4.*\n$/,
    )
    const plan = await runDit(['scaling', 'plan', narrow, ...QUICK, '--budget', '1e14'])
    expect(plan.code).toBe(1)
    expect(plan.stderr).toMatch(/dit: no plan: the data do not determine the law: .*, or give --anyway\n$/)
    expect((await runDit(['scaling', 'plan', narrow, ...QUICK, '--budget', '1e14', '--anyway'])).code).toBe(0)
  })

  test('refuses too few runs, with what was left out', async () => {
    const few = join(folder, 'few.csv')
    const lines = scalingCsv().split('\n')
    writeFileSync(few, `${lines.slice(0, 5).join('\n')}\nbad,1000,100,1000,1,nan,0\n`)
    expect(await runDit(['scaling', 'fit', few])).toMatchObject({
      code: 2,
      stderr:
        'dit: a law of 5 parameters needs at least 6 different points (n, d); there are 4 (left out: bad, since it diverged (loss NaN))\n',
    })
  })

  test('a limit that holds nothing out is refused', async () => {
    expect((await runDit(['scaling', 'fit', csv, '--hold-out-above', '1e15'])).stderr).toBe(
      'dit: --hold-out-above 1000000000000000 holds nothing out: the largest run took 6.40e+13 multiply-adds\n',
    )
  })
})

describe('dit scaling plan without a grid', () => {
  test('gives size and data for compute, with the interval of a run', async () => {
    const { stdout, stderr } = await runDit(['scaling', 'plan', csv, ...QUICK, '--budget', '1e15'])
    expect(stdout).toMatch(
      /^best use of 1\.00e15 multiply-adds, by the law\n {2}size +6\d\.\d+ M multiply-adds\n {2}data +4\.\d+ M examples/,
    )
    expect(stderr).toMatch(
      /6\d\.\d+ M multiply-adds are 3\.\d times more than any run had: the law is extrapolated there/,
    )
    expect(stderr).toMatch(
      /the compute is 1\d times that of any run: the interval is widened, since laws of smaller budgets missed the larger ones of these runs by \S+ % a decade/,
    )
  })

  test('gives the least compute for a loss, the inverse of the former', async () => {
    const run = async (...args: string[]) =>
      JSON.parse(
        (await runDit(['scaling', 'plan', csv, ...QUICK, '--json', ...args])).stdout.trim().split('\n').at(-1)!,
      ) as Record<string, number>
    const forward = await run('--budget', '4e14')
    const back = await run('--loss', String(forward.loss))
    expect(back.compute / 4e14).toBeCloseTo(1, 6)
    expect(back.n / forward.n).toBeCloseTo(1, 6)
  })

  test.each([
    [[], 'give one of --budget, what may be spent, and --loss, the held-out error to reach'],
    [['--budget', '1h', '--loss', '1'], 'give one of --budget'],
    [['--budget', '1h'], 'a time needs to know what is trained: give --grid <file>'],
    [['--budget', '45'], '45 multiply-adds are less than any training; for a time, give its unit, such as 45min'],
    [['--budget', '5 weeks'], 'unknown unit "weeks"'],
    [['--budget', 'much'], '--budget much: it must be a time such as 1h or 45min, or multiply-adds such as 2e15'],
    [['--loss', '0.001'], '--loss 0.001: the law never reaches 0.001; its floor E is 0.01'],
    [['--budget', '10M'], 'unknown unit "M"'],
  ])('refuses %j', async (args, message) => {
    const { code, stderr } = await runDit(['scaling', 'plan', csv, ...QUICK, ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(message)
  })
})

test('dit scaling plot draws three panels with a legend, and writes what it drew', async () => {
  const out = join(folder, 'law')
  const { code, stdout } = await runDit(['scaling', 'plot', csv, ...QUICK, '--hold-out-above', '2e13', '--out', out])
  expect(code).toBe(0)
  expect(stdout).toBe(`${out}.svg\n${out}.png\n${out}.csv\n`)
  const svg = readFileSync(`${out}.svg`, 'utf8')
  for (const text of [
    'multiply-adds of training (log scale)',
    'size: multiply-adds of a forward pass',
    'off the law, %',
    'n 200 k',
    '64 T multiply-adds',
    'held out',
    'law, best, 95 %',
  ])
    expect(svg).toContain(text)
  expect(svg.match(/<circle/g)!.length).toBe(3 * 24 + 1)
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  const lines = readFileSync(`${out}.csv`, 'utf8').trim().split('\n')
  expect(lines[0]).toBe('name,n,d,compute,budget,loss,law,law_low,law_high,run_low,run_high,fitted')
  expect(lines.filter((line) => line.endsWith(',no')).length).toBe(6)
  expect(readFileSync(`${out}.png`).subarray(1, 4).toString()).toBe('PNG')
})
