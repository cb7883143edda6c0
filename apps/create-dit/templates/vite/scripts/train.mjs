// Trains a small model on generated shapes, and writes the file that the page opens. Stopped, it goes on where it was.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'

const run = 'runs/shapes'
const model = 'public/model.safetensors'
// More steps draw better shapes. 7000 take one to three minutes and get nearly all of them right.
const settings = ['--data', 'shapes', '--size', '16', '--recipe', 'demo', '--steps', '1500']

const begin = existsSync(`${run}/config.json`) ? ['--resume', run] : [...settings, '--out', run]
dit('train', ...begin, ...process.argv.slice(2))
mkdirSync('public', { recursive: true })
dit('convert', run, model, '--force')

function dit(...args) {
  const { status } = spawnSync('npx', ['dit', ...args], { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}
