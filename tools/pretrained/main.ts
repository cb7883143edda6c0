import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from '../release/workspace.js'
import { build } from './build.js'
import { compareCards } from './card.js'
import type { Sizes } from './model-spec.js'
import { publish, publishedCard, writeReadme } from './publish.js'
import { SPECS } from './specs.js'

const USAGE = `npm run pretrained -- <model> <source> <work folder> [--minutes 45] [--check | --trial] [--extractor <file> ...]
npm run pretrained -- readme

Builds a model of @dit/pretrained from its source: pictures, training, weights in half precision, samples, measures, images. What it
made goes to packages/pretrained and docs/images/pretrained, to be looked at and committed; the pictures stay in the work folder, which must lie
outside of the repository. A stopped command goes on when it is repeated.

  --minutes <m>       train for at most so long in this call (default 45)
  --check             publish nothing; compare every figure with the published one
  --trial             publish nothing; a few steps and pictures, to see every stage run
  --extractor <file>  measure distances on the features of this network, too; may be repeated

${SPECS.map(({ model, source }) => `  ${model.name.padEnd(10)} ${source}`).join('\n')}

\`readme\` writes the README of the package anew from the cards that are there.`

/** Sizes that show every stage in minutes. */
const TRIAL: Sizes = { steps: 40, batch: 8, heldOutPerClass: 12, trainingPerClass: 15 }

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`pretrained: ${(error as Error).message}`)
  return 1
})

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '45' },
      check: { type: 'boolean', default: false },
      trial: { type: 'boolean', default: false },
      extractor: { type: 'string', multiple: true, default: [] },
    },
  })
  const [name, source, work] = positionals
  const minutes = Number(values.minutes)
  if (name === 'readme' && positionals.length === 1) {
    await writeReadme(SPECS)
    return 0
  }
  const spec = SPECS.find(({ model }) => model.name === name)
  if (
    spec === undefined ||
    work === undefined ||
    positionals.length > 3 ||
    !(minutes > 0) ||
    (values.check && values.trial)
  ) {
    console.error(
      name === undefined || spec !== undefined ? USAGE : `pretrained: there is no model ${name}\n\n${USAGE}`,
    )
    return 2
  }
  // npm starts scripts in the folder of package.json.
  const at = (path: string) => resolve(process.env['INIT_CWD'] ?? '.', path)
  const folder = at(work)
  if (`${folder}/`.startsWith(`${repositoryRoot}/`)) {
    throw new Error(`the work folder must lie outside of the repository (got ${work})`)
  }
  const published = await publishedCard(spec.model.name)
  if (values.check && published === null) throw new Error(`--check: no ${name} is published to compare with`)
  await mkdir(folder, { recursive: true })
  const extractors = values.extractor.map(at)
  const built = await build(spec, at(source), folder, {
    minutes,
    extractors,
    sizes: values.trial ? { ...spec.sizes, ...TRIAL } : spec.sizes,
  })
  if (built === null) {
    console.log(`\npretrained: training goes on with the same command`)
    return 0
  }
  if (values.trial) {
    console.log(`\npretrained: a trial, published nowhere; everything lies in ${folder}`)
    return 0
  }
  if (!values.check) {
    await publish(spec, built, SPECS)
    console.log(
      `\npretrained: look at ${join('docs', 'images', 'pretrained')} and packages/pretrained, and commit them`,
    )
    return 0
  }
  const compared = compareCards(published!, built.card)
  const isSame = published!.file.sha256 === built.card.file.sha256
  console.log(`\nThe weights have ${isSame ? 'the same bytes as' : 'other bytes than'} the published ones.`)
  console.table(compared)
  const wrong = compared.filter(({ agrees }) => !agrees)
  console.log(
    wrong.length === 0 ? 'Every figure lies in its published interval.' : `${wrong.length} figures lie outside.`,
  )
  return wrong.length === 0 ? 0 : 1
}
