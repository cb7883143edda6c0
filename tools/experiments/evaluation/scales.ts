// What the constants of `small` are made from: mean and deviation within a set of each kind of number, averaged over sets of pictures.
//
//   npm run experiment -- scales --fashion <test> --heroes <folder> --silhouettes <folder> --emoji <folder>
//
// Prints them as they are after scaling, so that means should be about 0 and deviations about 1.
import { parseArgs } from 'node:util'
import { smallExtractor } from '@dit/features'
import { readPictures } from './picture-set.js'

const { values } = parseArgs({
  args: process.argv.slice(2).filter((arg) => arg !== 'scales'),
  options: {
    fashion: { type: 'string' },
    heroes: { type: 'string' },
    silhouettes: { type: 'string' },
    emoji: { type: 'string' },
  },
})

const sets = [
  [values.fashion, 28],
  [values.silhouettes, 28],
  [values.heroes, 32],
  [values.emoji, 32],
  [values.emoji, 64],
] as const
const moments: { readonly mean: number; readonly variance: number }[][] = []
for (const [folder, side] of sets) {
  if (folder === undefined) throw new Error('scales: the folders of all four sets are needed')
  const { all } = await smallExtractor().extract(await readPictures(folder, side, 1900))
  const [count, width] = all.shape
  moments.push(
    Array.from({ length: width }, (_, j) => {
      const column = Array.from({ length: count }, (_row, i) => all.data[i * width + j])
      const mean = average(column)
      return { mean, variance: average(column.map((value) => (value - mean) ** 2)) }
    }),
  )
}

const STATISTICS = ['share at 0.01', 'share at 0.03', 'share at 0.1', 'share at 0.3', 'mean size']
print('light', range(0, 16))
print('R - G', range(16, 4))
print('(R + G) / 2 - B', range(20, 4))
for (const [i, channel] of ['light', 'R - G', '(R + G) / 2 - B'].entries()) print(`deviation of ${channel}`, [24 + i])
for (let level = 0; level < 3; level++)
  STATISTICS.forEach((name, s) => print(`light, level ${level}, ${name}`, range(27 + 25 * level + s, 5, 5)))
for (let level = 0; level < 2; level++) {
  STATISTICS.forEach((name, s) =>
    print(
      `colours, level ${level}, ${name}`,
      [102, 122].flatMap((first) => range(first + 10 * level + s, 2, 5)),
    ),
  )
}

function print(name: string, columns: readonly number[]): void {
  const of = (set: (typeof moments)[number]) => columns.map((column) => set[column])
  const mean = average(moments.flatMap(of).map((column) => column.mean))
  const deviation = Math.sqrt(average(moments.flatMap(of).map(({ variance }) => variance)))
  console.log(`${name.padEnd(34)} mean ${mean.toFixed(2).padStart(5)}  deviation ${deviation.toFixed(2)}`)
}

function range(first: number, count: number, step = 1): number[] {
  return Array.from({ length: count }, (_, i) => first + i * step)
}

function average(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0) / list.length
}
