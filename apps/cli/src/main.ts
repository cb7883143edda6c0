#!/usr/bin/env node
import { nameFile } from './run/named-errors.js'
import { run } from './run-cli.js'
import { EXIT } from './terminal/errors.js'
import { explain } from './terminal/explain.js'

/** Commands whose work is more than what they print. */
const WORKING = new Set(['demo', 'train', 'sample', 'convert', 'encode', 'eval', 'export'])

const args = process.argv.slice(2)
// Whoever reads the output has left (`dit train | head`): work stops as if asked to; a report was read as far as wanted.
process.stdout.once('error', (error: NodeJS.ErrnoException) => {
  process.stdout.on('error', () => {})
  const hasLeft = error.code === 'EPIPE'
  if (!hasLeft) process.stderr.write(`dit: ${explain(nameFile(error, 'the standard output')).message}\n`)
  if (process.emit('SIGTERM')) return
  const isWork = args.some((word) => WORKING.has(word))
  process.exit(hasLeft && !isWork ? EXIT.ok : EXIT.failure)
})
process.exitCode = await run(args, process)
