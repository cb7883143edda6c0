import { expect, test } from 'vitest'
import { bytesSource, type FileTree, findWeights } from '../src/index.js'

/** A folder with these files, which can be listed or not. */
const tree = (files: readonly string[], isListed = true): FileTree => ({
  name: 'folder',
  place: (path) => `folder/${path}`,
  open: async (path) => (files.includes(path) ? bytesSource(new Uint8Array(1)) : null),
  ...(isListed
    ? {
        list: async (folder) =>
          files.filter((file) => file.startsWith(folder)).map((file) => file.slice(folder.length)),
      }
    : {}),
})
const PLAIN = 'diffusion_pytorch_model'

test.each<[readonly string[], string | null]>([
  [[`${PLAIN}.bin`, `${PLAIN}.safetensors`, `${PLAIN}.bf16.safetensors`], `${PLAIN}.safetensors`],
  [[`${PLAIN}.bf16.safetensors`], `${PLAIN}.bf16.safetensors`],
  [[`${PLAIN}.mine-2.bin`, `${PLAIN}.mine-2.safetensors`], `${PLAIN}.mine-2.safetensors`],
  [
    [`${PLAIN}.safetensors.index.bf16.json`, `${PLAIN}.bf16-00001-of-00002.safetensors`],
    `${PLAIN}.safetensors.index.bf16.json`,
  ],
  [['model.ema.safetensors'], 'model.ema.safetensors'],
  [['other.bf16.safetensors', 'config.json'], null],
])('of %j it is %s', async (files, found) => {
  expect(await findWeights(tree(files))).toBe(found)
})

test('in a folder within, and where files cannot be listed', async () => {
  expect(await findWeights(tree([`transformer/${PLAIN}.bf16.safetensors`]), 'transformer/')).toBe(
    `transformer/${PLAIN}.bf16.safetensors`,
  )
  expect(await findWeights(tree([`${PLAIN}.bf16.safetensors`], false))).toBe(`${PLAIN}.bf16.safetensors`)
  expect(await findWeights(tree([`${PLAIN}.mine.safetensors`], false))).toBeNull()
})

test('several variants must be told apart by whoever asks', async () => {
  await expect(findWeights(tree([`${PLAIN}.bf16.safetensors`, `${PLAIN}.ema.safetensors`]))).rejects.toThrow(
    `folder/: there are several variants of the weights (bf16, ema); give the file of one: ${PLAIN}.bf16.safetensors or ${PLAIN}.ema.safetensors`,
  )
})
