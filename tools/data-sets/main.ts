import { parseArgs } from 'node:util'
import { writeEmoji } from './emoji.js'
import { writeFashion } from './fashion-mnist.js'
import { writeHeroes } from './heroes.js'
import { writeSilhouettes } from './silhouettes.js'

const USAGE = `npm run data-set -- heroes <folder of parts> <out> [--per-class 900] [--seed 0]
npm run data-set -- fashion-mnist <folder of idx files> <out> [--positive]
npm run data-set -- emoji <folder of the package> <out>
npm run data-set -- silhouettes <folder of the package> <out>

Writes class folders of PNGs for \`dit train --data\`. Nothing of them belongs into the repository.

  heroes         paper dolls of 17 species, 32 x 32, composed at random of the player tiles of Dungeon Crawl Stone Soup (mostly CC0
                 and public domain). Give the folder \`player\`: on Debian \`apt-get source --download-only crawl\`, then
                 \`tar xf crawl_*.orig.tar.xz --wildcards '*/rltiles/player'\`. Drawn artwork, composed by a script: say so.
  fashion-mnist  70,000 grey pictures of clothes, 28 x 28, 10 classes, in train/ and test/ (MIT). On Debian
                 \`apt-get install dataset-fashion-mnist\`: /usr/share/datasets/fashion-mnist. The set stores photographs negated;
                 --positive undoes that: clothes in their own light, on white
  emoji          some 1,900 emoji, 64 x 64 with transparency, in nine categories. \`npm pack emoji-datasource-google@16.0.0\` (Noto, Apache-2.0) or
                 \`emoji-datasource-twitter\` (CC-BY 4.0: name the authors), and \`tar xf\`: the folder \`package\`
  silhouettes    9,716 grey silhouettes of ten animals, 28 x 28 (MIT). \`pip download --no-deps --no-binary :all: animal-mnist==0.4\`
                 and \`tar xf\`: the folder \`animal_mnist-0.4\`. 284 duplicates are left out

docs/data-sets.md is a guide to each of them.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'per-class': { type: 'string', default: '900' },
    seed: { type: 'string', default: '0' },
    positive: { type: 'boolean', default: false },
  },
})
const [set, from, out] = positionals
const [perClass, seed] = [Number(values['per-class']), Number(values.seed)]
if (out === undefined || positionals.length > 3 || !(perClass >= 1) || !(seed >= 0)) {
  console.error(USAGE)
  process.exitCode = 2
} else if (set === 'heroes') console.log(await writeHeroes(from, out, { perClass, seed }))
else if (set === 'fashion-mnist') console.log(await writeFashion(from, out, { isPositive: values.positive }))
else if (set === 'emoji') console.log(await writeEmoji(from, out))
else if (set === 'silhouettes') console.log(await writeSilhouettes(from, out))
else {
  console.error(`data-set: there is no set ${set}\n\n${USAGE}`)
  process.exitCode = 2
}
