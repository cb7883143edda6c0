import { Command } from 'commander'
import { checkEngines } from '../doctor/check-engines.js'
import { checkMachine } from '../doctor/check-machine.js'
import { findingLines, isHealthy } from '../doctor/finding.js'
import { EXIT } from '../terminal/errors.js'
import { createOutput } from '../terminal/output.js'

const EXIT_HELP = '\nThe exit code is 0 when dit can train and sample here, and 1 when not.'

/** `dit doctor` */
export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('check this machine: what is there, what is missing, how to get it')
    .description('Checks Node, the machine and every engine, whose kernels it compares with plain float64 loops.')
    .option('--json', 'print one JSON object')
    .addHelpText('after', EXIT_HELP)
    .action(async (flags: { json?: boolean }) => {
      const output = createOutput(flags)
      const machine = await checkMachine()
      output.line('machine')
      for (const line of findingLines(machine)) output.line(line)
      const engines = await checkEngines()
      output.line('engines')
      for (const line of findingLines(engines)) output.line(line)
      const isOk = isHealthy([...machine, ...engines])
      output.line(
        isOk ? '\ndit can train and sample here' : '\nsomething that dit needs is missing or wrong: see "fail" above',
      )
      output.event({ type: 'doctor', ok: isOk, machine, engines })
      process.exitCode = isOk ? EXIT.ok : EXIT.failure
    })
}
