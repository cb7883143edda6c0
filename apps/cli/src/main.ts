#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { convertCommand } from './commands/convert.js'
import { demoCommand } from './commands/demo.js'
import { doctorCommand } from './commands/doctor.js'
import { encodeCommand } from './commands/encode.js'
import { exportCommand } from './commands/export.js'
import { infoCommand } from './commands/info.js'
import { planCommand } from './commands/plan.js'
import { plotCommand } from './commands/plot.js'
import { sampleCommand } from './commands/sample.js'
import { trainCommand } from './commands/train.js'
import { nameFile } from './run/named-errors.js'
import { EXIT, explain } from './terminal/errors.js'
import { printable } from './terminal/printable.js'
import { ditVersion } from './version.js'

const EXIT_CODES = `
Exit codes:
  0    done
  1    it was asked for correctly, but failed
  2    the command line, a config file or an input is wrong; nothing was written
  130  stopped by Ctrl-C (143 by SIGTERM, 129 by SIGHUP, 140 by SIGUSR2); training has saved a checkpoint`

function program(): Command {
  const dit = new Command('dit')
    .description('Train, sample and inspect Diffusion Transformers.')
    .version(ditVersion())
    .option('--debug', 'show the stack trace of an error')
    .helpCommand(true)
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`dit: ${printable(oneLine(text))}\n`) })
  const commands = [
    demoCommand(),
    trainCommand(),
    sampleCommand(),
    encodeCommand(),
    exportCommand(),
    plotCommand(),
    infoCommand(),
    convertCommand(),
    planCommand(),
    doctorCommand(),
  ]
  for (const command of commands) dit.addCommand(command.copyInheritedSettings(dit))
  return dit
}

/** Commander puts its suggestion on a second line. */
function oneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
}

async function main(args: readonly string[]): Promise<void> {
  const dit = program()
  try {
    await dit.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has told the user already.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage
      return
    }
    const { message, exitCode } = explain(error)
    process.stderr.write(`dit: ${printable(message)}\n`)
    if (dit.opts<{ debug?: boolean }>().debug) console.error(error)
    process.exitCode = exitCode
  }
}

/** Commands whose work is more than what they print. */
const WORKING = new Set(['demo', 'train', 'sample', 'convert', 'encode', 'export'])

// Whoever reads the output has left (`dit train | head`): work stops as if asked to; a report was read as far as wanted.
process.stdout.once('error', (error: NodeJS.ErrnoException) => {
  process.stdout.on('error', () => {})
  const hasLeft = error.code === 'EPIPE'
  if (!hasLeft) process.stderr.write(`dit: ${explain(nameFile(error, 'the standard output')).message}\n`)
  if (process.emit('SIGTERM')) return
  const isWork = process.argv.slice(2).some((word) => WORKING.has(word))
  process.exit(hasLeft && !isWork ? EXIT.ok : EXIT.failure)
})
await main(process.argv.slice(2))
