import { parseArgs } from 'node:util'
import { writeFashion } from './fashion-mnist.js'
import { writeHeroes } from './heroes.js'

const USAGE = `npm run data-set -- heroes <folder of parts> <out> [--per-class 900] [--seed 0]
npm run data-set -- fashion-mnist <folder of idx files> <out>

Writes class folders of PNGs for \`dit train --data\`. Nothing of them belongs into the repository.

  heroes         paper dolls of 17 species, 32 x 32, composed at random of the player tiles of Dungeon Crawl Stone Soup (mostly CC0
                 and public domain). Give the folder \`player\`: on Debian \`apt-get source --download-only crawl\`, then
                 \`tar xf crawl_*.orig.tar.xz --wildcards '*/rltiles/player'\`. Drawn artwork, composed by a script: say so.
  fashion-mnist  70,000 grey pictures of clothes, 28 x 28, 10 classes, in train/ and test/ (MIT). On Debian
                 \`apt-get install dataset-fashion-mnist\`: /usr/share/datasets/fashion-mnist`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'per-class': { type: 'string', default: '900' }, seed: { type: 'string', default: '0' } },
})
const [set, from, out] = positionals
const [perClass, seed] = [Number(values['per-class']), Number(values.seed)]
if (out === undefined || positionals.length > 3 || !(perClass >= 1) || !(seed >= 0)) {
  console.error(USAGE)
  process.exitCode = 2
} else if (set === 'heroes') console.log(await writeHeroes(from, out, { perClass, seed }))
else if (set === 'fashion-mnist') console.log(await writeFashion(from, out))
else {
  console.error(`data-set: there is no set ${set}\n\n${USAGE}`)
  process.exitCode = 2
}
