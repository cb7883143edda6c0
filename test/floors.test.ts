import { existsSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readPackages, repositoryRoot, type Package } from '../tools/release/workspace.js'
import { listFiles, packageOf, readImports, readText, resolveRelative, sourceOf } from './sources.js'

/** The map of docs/architecture.md: a package may depend only on packages of a lower floor. */
const FLOORS: Readonly<Record<string, number>> = {
  '@dit/random': 0,
  '@dit/collectives': 0,
  '@dit/tensor': 1,
  '@dit/schedules': 1,
  '@dit/checkpoint': 1,
  '@dit/scaling': 1,
  '@dit/metrics': 1,
  '@dit/data': 1,
  '@dit/tokenizer': 2,
  '@dit/adaln': 2,
  '@dit/model': 3,
  '@dit/diffusion': 3,
  '@dit/vae': 3,
  '@dit/features': 4,
  '@dit/onnx': 4,
  '@dit/sampler': 4,
  '@dit/train-ddp': 4,
  '@dit/evaluate': 5,
  '@dit/pipeline': 5,
  '@dit/pretrained': 5,
  '@dit/unet': 5,
  '@dit/browser': 6,
  'create-dit': 7,
  '@dit/cli': 7,
  '@dit/docs': 7,
}

/** Packages that hold no tensors, and so must not depend on the tensor package. */
const WITHOUT_TENSORS = ['random', 'collectives', 'schedules', 'checkpoint', 'scaling', 'metrics', 'data'].map(
  (name) => `@dit/${name}`,
)

const ENGINES = /^(@tensorflow\/|webgpu$|onnxruntime-)/

const packages = readPackages()
const sourcesOf = ({ folder }: Package) => listFiles(join(folder, 'src')).filter((path) => /\.tsx?$/.test(path))
const isBackend = (name: string) => name.startsWith('@dit/backend-')

test.each(packages)('$name has a floor on the map, or is a backend', ({ name }) => {
  expect(isBackend(name) || name in FLOORS).toBe(true)
})

describe.each(packages)('$name', (item) => {
  const { name, group, manifest } = item
  const plain = { ...manifest.dependencies, ...manifest.optionalDependencies }
  const declared = Object.keys({ ...plain, ...manifest.peerDependencies })
  const ours = declared.filter((needed) => needed.startsWith('@dit/'))

  test('depends only on floors below its own, and on a backend only if it is an app', () => {
    expect(ours.filter((needed) => !mayDependOn(item, needed))).toEqual([])
  })

  test('names an engine only if it is a backend, as a peer, or an app', () => {
    const engines = group === 'apps' ? [] : isBackend(name) ? Object.keys(plain) : declared
    expect(engines.filter((needed) => ENGINES.test(needed))).toEqual([])
  })

  test('its sources import nothing that its package.json does not name, and no folder of another package', () => {
    const wrong = sourcesOf(item).flatMap((path) =>
      readImports(readText(path))
        .filter(({ specifier }) => {
          if (specifier.startsWith('.'))
            return relative(join(item.folder, 'src'), join(path, '..', specifier)).startsWith('..')
          return !isBuiltin(specifier) && packageOf(specifier) !== name && !declared.includes(packageOf(specifier))
        })
        .map(({ specifier }) => `${relative(repositoryRoot, path)} imports ${specifier}`),
    )
    expect(wrong).toEqual([])
  })

  test('its sources use all that its package.json names', () => {
    const imports = sourcesOf(item).flatMap((path) => readImports(readText(path)))
    const used = new Set(imports.map(({ specifier }) => packageOf(specifier)))
    expect(ours.filter((needed) => !used.has(needed))).toEqual([])
  })

  // Sub-paths ending in /node are for Node, and data load anywhere; every other entry must load in a browser, with all that it imports.
  const entries = Object.keys(manifest.exports ?? {}).filter(
    (entry) => !/(^\.\/node$|\/node$|\.json$|\.safetensors$)/.test(entry),
  )
  test.runIf(group === 'packages').each(entries)('its entry %s reaches no module of Node', (entry) => {
    const start = sourceOf(item, entry)
    expect(start).toBeDefined()
    expect(pathToNode(start!)).toBeUndefined()
  })
})

test('the trainer knows networks and noise in its objectives only', () => {
  const trainer = packages.find(({ name }) => name === '@dit/train-ddp')!
  const source = join(trainer.folder, 'src')
  const wrong = sourcesOf(trainer)
    .filter((path) => !relative(source, path).startsWith('objective'))
    .flatMap((path) =>
      readImports(readText(path))
        .filter(({ specifier }) => /^@dit\/(model|diffusion|adaln|schedules)/.test(specifier))
        .map(({ specifier }) => `${relative(source, path)} imports ${specifier}`),
    )
  expect(wrong).toEqual([])
})

test('in @dit/browser only the program of its Worker chooses an engine', () => {
  const browser = packages.find(({ name }) => name === '@dit/browser')!
  const source = join(browser.folder, 'src')
  const choosing = sourcesOf(browser)
    .filter((path) => readImports(readText(path)).some(({ specifier }) => isBackend(specifier)))
    .map((path) => relative(source, path))
  expect(choosing).toEqual([join('worker', 'choose-engine.ts')])
})

test('the element and what opens its Worker load no other package, so that a page without a bundler needs no import map', () => {
  const browser = packages.find(({ name }) => name === '@dit/browser')!
  const seen = new Set<string>()
  const visit = (path: string): string[] => {
    if (seen.has(path)) return []
    seen.add(path)
    return readImports(readText(path)).flatMap(({ specifier, isType }) =>
      isType ? [] : specifier.startsWith('.') ? visit(resolveRelative(path, specifier)) : [specifier],
    )
  }
  expect(visit(join(browser.folder, 'src', 'element', 'index.ts'))).toEqual([])
  expect(seen.size).toBeGreaterThan(5)
})

function mayDependOn({ name, group }: Package, needed: string): boolean {
  // The Worker of @dit/browser is a whole program, as an app is: a line of HTML leaves nobody to choose.
  if (isBackend(needed)) return group === 'apps' || name === '@dit/browser'
  if (isBackend(name)) return FLOORS[needed] <= FLOORS['@dit/tensor']
  if (needed === '@dit/tensor' && WITHOUT_TENSORS.includes(name)) return false
  return FLOORS[needed] < FLOORS[name]
}

/** The chain of files from a source to the first module of Node, through our own packages; undefined if none. */
function pathToNode(start: string): string | undefined {
  const seen = new Set<string>()
  const visit = (path: string): string | undefined => {
    if (seen.has(path)) return undefined
    seen.add(path)
    const here = relative(repositoryRoot, path)
    for (const { specifier, isType } of readImports(readText(path))) {
      if (isType) continue
      if (isBuiltin(specifier)) return `${here} -> ${specifier}`
      const next = follow(path, specifier)
      const found = next === undefined ? undefined : visit(next)
      if (found !== undefined) return `${here} -> ${found}`
    }
    return undefined
  }
  return visit(start)
}

function follow(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const path = resolveRelative(from, specifier)
    return existsSync(path) ? path : undefined
  }
  const owner = packages.find(({ name }) => name === packageOf(specifier))
  return owner && sourceOf(owner, `.${specifier.slice(owner.name.length)}`)
}
