import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runDit, temporaryFolder } from './support/run-dit.js'

const FIXTURES = join(import.meta.dirname, '../../../packages/model/test/fixtures/layouts')

/** A pickle as torch wrote it before 1.6, at protocol 1 by `pickle_protocol=1`. */
const LEGACY = Buffer.from('L119547037146038801333356L\n.', 'latin1')

const FILES: Readonly<Record<string, readonly [contents: Buffer, message: RegExp]>> = {
  'random.safetensors': [Buffer.alloc(100, 0xa7), /^dit: safetensors random\.safetensors: header must be at most/],
  'random.pt': [Buffer.alloc(100, 0xa7), /^dit: safetensors random\.pt: header must be at most/],
  'empty.safetensors': [Buffer.alloc(0), /^dit: safetensors empty\.safetensors: a file must have at least 8 bytes/],
  'cut.safetensors': [cut(), /^dit: safetensors cut\.safetensors: .*cut short/],
  'page.pt': [Buffer.from('<!doctype html><title>x</title>'), /^dit: page\.pt: this looks like a web page/],
  'legacy.pt': [LEGACY, /^dit: legacy\.pt: this looks like a PyTorch \.pt file with a pickle of protocol 0 or 1/],
  'index.json': [Buffer.from('{'), /^dit: index\.json is not a weights file/],
}

function cut(): Buffer {
  const whole = readFileSync(join(FIXTURES, 'diffusers/diffusion_pytorch_model.safetensors'))
  return whole.subarray(0, whole.length >> 1)
}

const COMMANDS = [
  ['info'],
  ['sample', '--count', '1', '--steps', '1'],
  ['export', '--onnx', 'out'],
  ['convert', 'out.safetensors'],
]

test.each(COMMANDS)('%s of a file that cannot be read ends with 2 and names it', async (command, ...others) => {
  const cwd = temporaryFolder()
  for (const [name, [contents, message]] of Object.entries(FILES)) {
    writeFileSync(join(cwd, name), contents)
    const { code, stdout, stderr } = await runDit([command, name, ...others], { cwd })
    expect(stderr).toMatch(message)
    expect({ name, code, stdout }).toEqual({ name, code: 2, stdout: '' })
  }
  expect(existsSync(join(cwd, 'out')) || existsSync(join(cwd, 'out.safetensors'))).toBe(false)
})

test.each(COMMANDS.slice(1))(
  '%s of weights of another kind of network ends with 2 and names its folder',
  async (command, ...others) => {
    const cwd = temporaryFolder()
    const folder = join(FIXTURES, 'diffusers')
    const file = 'diffusion_pytorch_model.safetensors'
    copyFileSync(join(folder, file), join(cwd, file))
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object
    writeFileSync(join(cwd, 'config.json'), JSON.stringify({ ...config, attention_bias: false }))
    const { code, stderr } = await runDit([command, cwd, ...others], { cwd: temporaryFolder() })
    expect(stderr).toContain(`dit: ${cwd}: config.json: attention_bias must be true (got false)`)
    expect(code).toBe(2)
  },
)
