// Fills pictures/ with generated pixel art, to have something to train on: 800 pictures in 8 classes.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { spritesDataset } from '@dit/data'
import { picture, toPictures, toPng } from '@dit/pipeline'

const TOTAL = 800

const sprites = spritesDataset({ length: TOTAL })
const folders = sprites.classes.map((name) => `pictures/${name}`)
const existing = folders.filter((folder) => existsSync(folder))
if (existing.length > 0) {
  console.error(`example-pictures: nothing is overwritten (there is ${existing.join(', ')})`)
  process.exit(1)
}

for (const folder of folders) await mkdir(folder, { recursive: true })
for (let index = 0; index < TOTAL; index++) {
  const { x0, labels } = await sprites.read([index])
  const pictures = toPictures(x0, [3, 32, 32])
  await writeFile(
    `${folders[labels[0]]}/${index}.png`,
    await toPng({ width: 32, height: 32, data: picture(pictures, 0) }),
  )
}
console.log(`wrote ${TOTAL} pictures in ${folders.length} classes: ${sprites.classes.join(', ')}`)
