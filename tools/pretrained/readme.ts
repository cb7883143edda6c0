import type { Card, CardMeasure } from './card.js'
import type { ModelSpec } from './model-spec.js'

/**
 * The README of `@dit/pretrained`: how the models are used, and a card for each, with the figures that were measured and no others.
 *
 * @param models each with its card; null for one that was not trained yet
 */
export function readmeOf(models: readonly (readonly [ModelSpec, Card | null])[]): string {
  return [HEAD, ...models.map(([spec, card]) => cardOf(spec, card)), TAIL].join('\n')
}

const HEAD = `# @dit/pretrained

Small trained Diffusion Transformers, trained with [dit](../../README.md) itself on the processors of a laptop: weights only, in half precision, without
a line that computes.

\`\`\`sh
npm install @dit/pretrained @dit/pipeline @dit/backend-cpu
\`\`\`

The package exports where each file lies, and the settings that suit it:

\`\`\`ts
import { garments, heroes } from '@dit/pretrained'

for (const { name, weights, sampling } of [heroes, garments]) {
  console.log(name, weights.pathname.split('/').at(-1), JSON.stringify(sampling))
}
\`\`\`

\`\`\`text
heroes heroes.safetensors {"sampler":"dpmpp-2m","steps":20,"guidance":1.25}
garments garments.safetensors {"sampler":"dpmpp-2m","steps":20,"guidance":1.25}
\`\`\`

Pictures of it, by [@dit/pipeline](../pipeline), in Node or a page:

\`\`\`js
import { cpu } from '@dit/backend-cpu'
import { openPipeline } from '@dit/pipeline' // in Node: '@dit/pipeline/node'
import { heroes } from '@dit/pretrained/heroes'

const dit = await openPipeline(heroes.weights, { backend: await cpu() })
const pictures = await dit.pictures({ ...heroes.sampling, classes: ['elf', 'troll'], count: 4, seed: 1 })
\`\`\`

In Node \`openPipeline('@dit/pretrained/heroes')\` finds the same file, and so do the commands: \`dit sample @dit/pretrained/heroes\`, \`dit info\`,
\`dit eval\`, \`dit convert\`, and \`dit train --from @dit/pretrained/heroes\` to go on with pictures of your own. \`dit sample\` without a model takes
the heroes. A file that is missing in the package is an error that names it.

In a page the address of a file is \`new URL('../models/heroes.safetensors', import.meta.url)\`. Bundlers find it: they copy the file and put its new
address in place. From \`@dit/pretrained/heroes\` they copy one model, from \`@dit/pretrained\` all; a page downloads only what it opens. Without a
bundler, serve the folder of the package as it is.

| export               | what it gives                                                                                               |
| -------------------- | ----------------------------------------------------------------------------------------------------------- |
| \`heroes\`, \`garments\` | each also of \`@dit/pretrained/<model>\`: name, address of the weights (\`weights\`: a URL) and the settings that suit them (\`sampling\`)                |
| types                | \`PretrainedModel\`, \`UsualSampling\`                                                                          |
| files                | \`@dit/pretrained/<model>.safetensors\`, with its description in the metadata, and the card, \`<model>.json\` |
`

const TAIL = `## Built anew

\`\`\`sh
npm run pretrained -- heroes <crawl_*.orig.tar.xz, or its folder player> ../heroes
npm run pretrained -- garments /usr/share/datasets/fashion-mnist ../garments
\`\`\`

Each command makes the pictures, holds some of them out, trains, and measures, in a folder outside of the repository; the pictures are never committed. It
trains for at most 45 minutes (\`--minutes\`), and the same command goes on. With \`--check\` it compares its figures with the published ones. Figures and
texts of the cards are written by it.
`

function cardOf({ card: texts, sizes, model }: ModelSpec, card: Card | null): string {
  const head = `## ${texts.title}\n\n${texts.about}\n`
  const told = [
    '### Data and licence\n',
    ...texts.data.map((line) => `- ${line}`),
    '- The weights are under the licence of this package, MIT. The pictures themselves are not part of it.',
    '',
    '### Limits\n',
    ...texts.limits.map((line) => `- ${line}`),
    '',
  ]
  if (card === null) {
    const missing = `**Not trained yet**: \`models/${model.name}.safetensors\` is missing, and opening the model says so.\n`
    return [head, missing, ...told].join('\n')
  }
  const { training, file, copies, classifier } = card
  const name = model.name
  return [
    head,
    `![Samples of ${card.classes.length} classes, one column each](../../docs/images/pretrained/${name}.png)\n`,
    `Columns: ${card.classes.toSorted().join(', ')}. The samples are the first of seed 1, and none was chosen. More of each class: ${card.classes.map((one) => `[${one}](../../docs/images/pretrained/${name}-${one}.png)`).join(', ')}.\n`,
    '| | |\n| --- | --- |',
    `| network | ${networkText(card)} |`,
    `| file | ${(file.bytes / 1e6).toFixed(1)} MB, float16, SHA-256 \`${file.sha256}\` |`,
    `| trained | ${training.steps.toLocaleString('en')} steps of ${training.batch} on ${training.pictures.toLocaleString('en')} pictures, ${training.minutes} minutes of ${training.processors} ${training.processors === 1 ? 'processor' : 'processors'} (${training.engine}, Node ${training.node}) |`,
    `| command | \`${training.command}\` |`,
    `| sampled | ${Object.entries(card.sampling)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ')} |\n`,
    `### Measures\n`,
    `${card.numSamples.toLocaleString('en')} samples beside ${card.heldOut.toLocaleString('en')} held-out pictures, with 95 % intervals. The floor is what real pictures reach against other real ones; the column before it has the samples with as many pictures.\n`,
    '| measure | features | value | interval | as many as the floor | floor |\n| --- | --- | --- | --- | --- | --- |',
    ...card.measures.map(measureRow),
    '',
    `A classifier (logistic regression on pixels and the features of \`small\`, trained on ${classifier.numTraining.toLocaleString('en')} training pictures) finds the class of ${shareText(classifier.samples)} of the samples, and of ${shareText(classifier.heldOut)} of the held-out pictures.\n`,
    '### Copies\n',
    `${percent(copies.share)} of the samples (${percent(copies.low)} to ${percent(copies.high)}) are nearer to a training picture than 99 % of held-out pictures are. Of a model that copies nothing ${percent(copies.expected)} are expected, and up to ${percent(copies.mostByChance)} are chance. Searched: ${copies.among}. The samples that are nearest of all, each above its nearest training picture:\n`,
    `![The nearest samples above their training pictures](../../docs/images/pretrained/${name}-nearest.png)\n`,
    ...told,
    `Built with ${sizes.heldOutPerClass} held-out pictures of each class by \`tools/pretrained\`; [all figures](models/${name}.json).\n`,
  ].join('\n')
}

function networkText({ network, parameters }: Card): string {
  const { patchSize, hiddenSize, depth, numHeads } = network as Readonly<Record<string, number>>
  return `DiT with patches of ${patchSize}, width ${hiddenSize}, depth ${depth}, ${numHeads} heads: ${(parameters / 1e6).toFixed(1)} million parameters`
}

function measureRow({ title, extractor, value, low, high, floor }: CardMeasure): string {
  const interval = low === null || high === null ? '' : `${number(low)} to ${number(high)}`
  const [matched, real] = floor === null ? ['', ''] : [number(floor.matched), number(floor.value)]
  return `| ${title} | \`${extractor}\` | ${number(value)} | ${interval} | ${matched} | ${real} |`
}

const shareText = ({ share, low, high }: { readonly share: number; readonly low: number; readonly high: number }) =>
  `${percent(share)} (${percent(low)} to ${percent(high)})`

const percent = (share: number) => `${(100 * share).toFixed(1)} %`

/** Three digits. */
const number = (value: number) => String(Number(value.toPrecision(3)))
