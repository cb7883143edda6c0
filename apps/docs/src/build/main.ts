// `npm run docs` builds the site, `npm run docs:dev` serves it and follows changes.
import { cpSync, existsSync, mkdirSync, rmSync, watch } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build, createServer } from 'vitepress'
import { brokenLinks } from './check-links.js'
import { writePerformance } from './performance.js'
import { allPages, app, ownModels, ownPages, repository, site } from './paths.js'
import { publicEntries } from './public-entries.js'
import { writeEmptyReference, writeReference } from './reference.js'
import { writeModels } from './write-models.js'
import { writeOffline } from './write-offline.js'
import { writePages } from './write-pages.js'

const { values } = parseArgs({
  options: {
    base: { type: 'string', default: '/' },
    out: { type: 'string', default: site },
    dev: { type: 'boolean', default: false },
    reference: { type: 'string', default: 'new' },
    models: { type: 'string', default: ownModels },
    help: { type: 'boolean', default: false },
  },
})

const HELP = `Builds the documentation site.

  --base <path>      the path that it is served under (default /), such as /dit/
  --out <folder>     where it goes (default apps/docs/dist/site)
  --reference <how>  new (default); kept, from the last build; none, empty pages in its place; or the pages that are
                     not to be empty, such as random/api,data/node
  --models <folder>  the models of the playground (default packages/pretrained/models)
  --dev              serve it instead, and follow changes of docs/ and apps/docs/pages`

if (values.help) console.log(HELP)
else if (!/^\/(?:[\w.~-]+\/)*$/.test(values.base)) {
  throw new RangeError(`docs: --base must begin and end with a slash, such as /dit/ (got ${values.base})`)
} else if (!['new', 'kept', 'none'].includes(values.reference) && chosenEntries().length === 0) {
  throw new RangeError(
    `docs: --reference must be new, kept, none or pages such as random/api,data/node (got ${values.reference})`,
  )
} else await run()

/** The entries whose pages `--reference` lists; none where it lists what is no page. */
function chosenEntries() {
  const pages = values.reference.split(',')
  const found = publicEntries().filter(({ page }) => pages.includes(page))
  return found.length === pages.length ? found : []
}

async function run(): Promise<void> {
  // Scripts of the cluster's scheduler are files, not pages.
  process.env.VITE_EXTRA_EXTENSIONS = 'sbatch'
  const kept = join(app, 'dist/reference')
  if (values.reference === 'new') {
    rmSync(kept, { recursive: true, force: true })
    await timed('reference', () => writeReference(kept))
  }
  if (values.reference === 'kept' && !existsSync(kept)) {
    throw new Error('docs: there is no reference to keep; build without --reference kept first')
  }
  rmSync(allPages, { recursive: true, force: true })
  mkdirSync(allPages, { recursive: true })
  const reference = join(allPages, 'reference')
  const chosen = chosenEntries()
  if (values.reference === 'none' || chosen.length > 0) writeEmptyReference(reference)
  else cpSync(kept, reference, { recursive: true })
  if (chosen.length > 0) {
    const some = join(app, 'dist/some-reference')
    rmSync(some, { recursive: true, force: true })
    await timed('reference', () => writeReference(some, chosen))
    cpSync(some, reference, { recursive: true })
  }
  await timed('pages', async () => {
    writePages()
    writePerformance()
    const models = writeModels(values.models, join(allPages, 'public/models'))
    console.log(`docs: models for the playground: ${models.map(({ name }) => name).join(', ') || 'none'}`)
  })
  if (values.dev) {
    await serve()
    return
  }
  await timed('site', async () => {
    await build(app, { base: values.base, outDir: values.out })
    writeOffline(values.out)
  })
  const broken = await timed('links', async () => brokenLinks(values.out, values.base))
  if (broken.length === 0) return
  console.error(`docs: ${broken.length} links lead nowhere:\n${broken.join('\n')}`)
  process.exitCode = 1
}

async function serve(): Promise<void> {
  for (const folder of [ownPages, join(repository, 'docs')]) {
    watch(folder, { recursive: true }, () => writePages())
  }
  const server = await createServer(app, { base: values.base })
  await server.listen()
  server.printUrls()
}

async function timed<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const start = performance.now()
  const result = await work()
  console.log(`docs: ${name} took ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return result
}
