import { inspect } from 'node:util'
import { Command, CommanderError } from 'commander'
import { convertCommand } from './commands/convert.js'
import { demoCommand } from './commands/demo.js'
import { distillCommand } from './commands/distill.js'
import { doctorCommand } from './commands/doctor.js'
import { encodeCommand } from './commands/encode.js'
import { evalCommand } from './commands/eval.js'
import { exportCommand } from './commands/export.js'
import { infoCommand } from './commands/info.js'
import { planCommand } from './commands/plan.js'
import { plotCommand } from './commands/plot.js'
import { sampleCommand } from './commands/sample.js'
import { scalingCommand } from './commands/scaling.js'
import { trainCommand } from './commands/train.js'
import { EXIT } from './terminal/errors.js'
import { asTyped } from './terminal/as-typed.js'
import { explain } from './terminal/explain.js'
import type { Call, Io } from './terminal/io.js'
import { printable } from './terminal/printable.js'
import { ditVersion } from './version.js'

const EXIT_CODES = `
Exit codes:
  0    done
  1    the command was right, but failed
  2    the command line, a config file or an input is wrong; nothing was written
  130  stopped by Ctrl-C; training saved a checkpoint (143: SIGTERM, 129: SIGHUP, 140: SIGUSR2)`

/**
 * Runs one command line of `dit` in this process and returns its exit code. Errors become a line on `io.stderr`.
 *
 * @param args what follows `dit`
 */
export async function run(args: readonly string[], { stdout, stderr }: Io): Promise<number> {
  const call: Call = { stdout, stderr, exitCode: EXIT.ok }
  const dit = program(call)
  try {
    await dit.parseAsync([...args], { from: 'user' })
    return call.exitCode
  } catch (error) {
    // Commander has told the user already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const { message, exitCode } = explain(error)
    stderr.write(`dit: ${printable(asTyped(message))}\n`)
    if (dit.opts<{ debug?: boolean }>().debug) stderr.write(`${inspect(error)}\n`)
    return exitCode
  }
}

function program(call: Call): Command {
  const { stdout, stderr } = call
  const dit = new Command('dit')
    .description('Train, sample and inspect Diffusion Transformers.')
    .version(ditVersion())
    .option('--debug', 'show the stack trace of an error')
    .helpCommand(true)
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(asTyped(text)),
      writeErr: (text) => void stderr.write(text),
      outputError: (text, write) => write(`dit: ${printable(asTyped(oneLine(text)))}\n`),
      getOutHelpWidth: () => stdout.columns ?? 80,
      getErrHelpWidth: () => stderr.columns ?? 80,
    })
  const commands = [
    demoCommand(call),
    trainCommand(call),
    distillCommand(call),
    sampleCommand(call),
    evalCommand(call),
    encodeCommand(call),
    exportCommand(call),
    plotCommand(call),
    infoCommand(call),
    convertCommand(call),
    planCommand(call),
    scalingCommand(call),
    doctorCommand(call),
  ]
  for (const command of commands) {
    dit.addCommand(command.copyInheritedSettings(dit))
    for (const part of command.commands) part.copyInheritedSettings(command)
  }
  return dit
}

/** Commander puts its suggestion on a second line, and says no way out where something stands without its option. */
function oneLine(text: string): string {
  return text
    .replace(/^error: /, '')
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .replace(
      /^too many arguments for '(\w+)'. Expected 0 .*/,
      '$1 takes no argument: files and folders follow an option, see `dit $1 --help`',
    )
}
