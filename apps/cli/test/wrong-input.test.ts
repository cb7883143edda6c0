import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'
import { TINY } from './support/tiny-flags.js'

let shared: string

beforeAll(() => {
  shared = mkdtempSync(join(tmpdir(), 'dit-wrong-'))
})
afterAll(() => rmSync(shared, { recursive: true, force: true }))

/** Everything below a folder. */
const contents = (folder: string) => readdirSync(folder, { recursive: true }).map(String).toSorted()

test.concurrent.each<[string, string[], RegExp]>([
  ['unknown option', ['train', '--stps', '3'], /unknown option '--stps' \(Did you mean --steps\?\)/],
  ['unknown command', ['trian'], /unknown command 'trian' \(Did you mean train\?\)/],
  ['value of the wrong kind', ['train', '--steps', 'many'], /'--steps <n>' argument 'many' is invalid/],
  ['size that the patch does not divide', ['train', '--size', '30', '--patch', '4'], /--size 30 is not a multiple/],
  ['heads that do not divide', ['train', '--hidden', '10', '--heads', '4'], /--hidden must be a multiple of --heads/],
  ['unknown model', ['train', '--model', 'DiT-Q/2'], /DiT-Q\/2/],
  ['missing folder', ['train', '--data', 'nowhere'], /--data nowhere: no such folder/],
  ['empty folder', ['train', '--data', 'empty'], /empty is empty/],
  ['file as data', ['train', '--data', 'file.txt'], /--data file\.txt: this is a file/],
  ['file as output', ['train', ...TINY, '--out', 'file.txt/run'], /file\.txt is a file, not a folder/],
  ['a folder of other files as output', ['train', ...TINY, '--out', '.'], /--out \. holds other files \(empty, …\)/],
  ['no path for --out', ['train', '--out', ''], /'--out <folder>' argument '' is invalid\. It must be a path/],
  [
    'no path for --data',
    ['train', '--data='],
    /'--data <shapes\|sprites\|folder\|shards\|module>' argument '' is invalid/,
  ],
  ['no path for --run', ['sample', '--run', ''], /'--run <folder>' argument '' is invalid/],
  ['no path for --npz', ['sample', '--run', 'x', '--npz', ''], /'--npz \[file\]' argument '' is invalid/],
  ['no path for --singles', ['sample', '--run', 'x', '--singles', ''], /'--singles \[folder\]' argument '' is/],
  ['no path for a plot', ['plot', 'x', '--out', ''], /'--out <name>' argument '' is invalid/],
  ['a run that is not there', ['sample', 'x'], /x: there is no such file or folder\..*`dit demo`/],
  [
    'a folder without its option',
    ['train', 'x'],
    /train takes no argument: files and folders follow an option, see `dit train --help`/,
  ],
  ['nothing to tell of', ['info', ''], /'' is invalid for argument 'what'\. It must be a path/],
  ['too many timesteps', ['train', '--timesteps', '1e9'], /It must be a whole number, 2 to 1000000/],
  ['more than the memory holds', ['train', '--hidden', '400000'], /training needs about .* for the weights/],
  [
    'null in a config file',
    ['train', '--config', 'null.json'],
    /"out" cannot be null; leave the key out to get the default/,
  ],
  ['list in a config file', ['train', '--config', 'list.json'], /"steps" must be a plain value \(got a list\)/],
  ['unwritable output', ['train', ...TINY, '--out', '/proc/run'], /--out \/proc\/run: cannot write to \/proc/],
  [
    'unknown engine',
    ['train', '--backend', 'quantum'],
    /Allowed choices are cpu, cpu-native, cpu-wasm, webgpu, tfjs-node, tfjs-node-gpu, tfjs-wasm, tfjs-cpu, reference/,
  ],
  [
    'an engine by the name of another program',
    ['train', '--backend', 'CUDA'],
    /argument 'CUDA' is invalid\. CUDA is the engine tfjs-node-gpu here .*docs\/cuda\.md.*; webgpu computes on graphics cards/,
  ],
  [
    'the same elsewhere',
    ['sample', 'x', '--backend', 'mps'],
    /'mps' is invalid\. Here webgpu computes on graphics cards/,
  ],
  ['unknown key in a config file', ['train', '--config', 'keys.json'], /unknown key "stpes"; did you mean steps\?/],
  ['missing config file', ['train', '--config', 'none.json'], /cannot open none\.json: no such file/],
  ['nothing to resume', ['train', '--resume', 'empty'], /empty is not a run: it has no config\.json/],
  [
    'nothing to export',
    ['export', '--onnx', 'out'],
    /which model\? Give a run or weights: `dit export <run or weights>`\. .*`dit demo`/,
  ],
  ...[['--check-files', '5'], ['--skip-bad'], ['--background', 'none'], ['--max-pixels', '100']].map(
    (option): [string, string[], RegExp] => [
      `${option[0]} without a folder`,
      ['train', '--data', 'shapes', ...option],
      new RegExp(`${option[0]} is for folders of pictures, but the data are shapes, which dit draws; leave it out`),
    ],
  ),
  ['missing run', ['sample', '--run', 'nowhere'], /nowhere is not a run: no such folder\..*`dit demo`/],
  ['missing checkpoint', ['sample', '--checkpoint', 'a/b'], /a\/b: there is no such folder\..*`dit demo`/],
])('%s: one line, exit code 2, nothing written', async (_, args, message) => {
  const cwd = mkdtempSync(join(shared, 'case-'))
  mkdirSync(join(cwd, 'empty'))
  writeFileSync(join(cwd, 'file.txt'), '')
  const configs = { 'keys.json': '{"stpes": 3}', 'list.json': '{"steps": [3]}', 'null.json': '\uFEFF{"out": null}' }
  for (const [name, text] of Object.entries(configs)) writeFileSync(join(cwd, name), text)
  const { code, stdout, stderr } = await runDit(args, { cwd })
  expect(stderr).toMatch(/^dit: [^\n]+\n$/)
  expect(stderr).toMatch(message)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(contents(cwd)).toEqual(['empty', 'file.txt', 'keys.json', 'list.json', 'null.json'])
})

test('settings are read as Windows writes them, with a byte order mark in UTF-8 or UTF-16', async () => {
  const cwd = temporaryFolder()
  const text = `\uFEFF{"seed": -1}`
  const littleEndian = Buffer.from(text, 'utf16le')
  const files = {
    'utf-8.json': Buffer.from(text),
    'le.json': littleEndian,
    'be.json': Buffer.from(littleEndian).swap16(),
  }
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(join(cwd, name), bytes)
    const { stderr } = await runDit(['train', ...TINY, '--config', name, '--out', 'run'], { cwd })
    expect(stderr).toMatch(new RegExp(`${name}: "seed" .*a whole number, 0 or more`))
  }
})

test('a run in the way is refused with advice; its settings cannot change at a resume', async () => {
  const cwd = temporaryFolder()
  const train = ['train', ...TINY, '--steps', '1', '--quiet']
  expect((await runDit([...train, '--out', 'run'], { cwd })).code).toBe(0)
  const before = contents(cwd)
  const cases: [string[], RegExp][] = [
    [[...train, '--out', 'run'], /--out run already holds a run; continue it with `--resume`/],
    [['train', '--resume', 'run', '--lr', '3'], /--lr 3 \(the run has 0\.002\)/],
    [['train', '--resume', 'run', '--steps', '0'], /1 or more/],
    [
      ['sample', '--run', 'run', '--classes', 'dsc'],
      /the model has no class dsc; did you mean disc\?; the classes are disc, ring/,
    ],
    [['sample', '--run', 'run', '--classes', '6'], /there is no class 6; the classes are 0 to 5/],
    [['sample', '--run', 'run', '--steps', '21'], /--steps 21 is more than the 20 timesteps/],
    [['sample', '--run', 'run', '--out', 'grid.jpg'], /its name must end in \.png/],
    [['sample', '--run', 'run', '--eta', '0.5'], /--eta works only with --sampler ddim/],
    [['sample', '--run', 'run', '--checkpoint', 'run'], /each name a model/],
    [
      ['sample', '--run', 'run/config.json'],
      /run\/config\.json is a file, but a run is a folder; give its folder, run/,
    ],
    [['sample', '--run', 'run', '--out', 'a.png', '--npz', './a.png'], /--npz \.\/a\.png: --out has the same path/],
  ]
  const results = await Promise.all(cases.map(([args]) => runDit(args, { cwd })))
  results.forEach(({ code, stderr }, i) => {
    expect(stderr).toMatch(/^dit: [^\n]+\n$/)
    expect(stderr).toMatch(cases[i][1])
    expect(code).toBe(2)
  })
  expect(contents(cwd)).toEqual(before)
})

test('a stack trace is shown on request only', async () => {
  const { stderr } = await runDit(['train', '--data', 'nowhere', '--debug'], { cwd: temporaryFolder() })
  expect(stderr).toMatch(/^dit: --data nowhere.*\n.*UsageError/)
  expect(stderr).toMatch(/\n {4}at /)
})
