import { Command } from 'commander'
import { checkEngines, checkOneEngine } from '../doctor/check-engines.js'
import { checkMachine } from '../doctor/check-machine.js'
import { findingLines, isHealthy } from '../doctor/finding.js'
import { ENGINES_ELSEWHERE } from '../engines/elsewhere.js'
import { ENGINE_NAMES, type EngineName } from '../engines/names.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { addSettings, type FlagsOf, type Settings } from '../settings/setting.js'
import { EXIT } from '../terminal/errors.js'
import type { Call } from '../terminal/io.js'
import { createOutput } from '../terminal/output.js'

const EXIT_HELP = `
The exit code is 0 if dit can train and sample here (with --backend: on this engine), else 1.`

const DOCTOR_SETTINGS = {
  backend: {
    flag: '--backend <name>',
    help: 'check only this engine',
    choices: ENGINE_NAMES,
    elsewhere: ENGINES_ELSEWHERE,
  },
  json: { ...OTHER_SETTINGS.json, help: 'print one JSON object' },
} as const satisfies Settings

type DoctorFlags = FlagsOf<typeof DOCTOR_SETTINGS>

/** `dit doctor` */
export function doctorCommand(call: Call): Command {
  const command = new Command('doctor')
    .summary('check this machine: what works, what is missing, how to install it')
    .description(
      'Checks Node, the machine and every engine. It compares the kernels of each engine with plain float64 loops.',
    )
  return addSettings(command, DOCTOR_SETTINGS)
    .addHelpText('after', EXIT_HELP)
    .action(async ({ json, backend }: DoctorFlags) => {
      const output = createOutput({ json }, call)
      const machine = await checkMachine()
      output.line('machine')
      for (const line of findingLines(machine)) output.line(line)
      const engines = backend === undefined ? await checkEngines() : [await checkOneEngine(backend)]
      output.line('engines')
      for (const line of findingLines(engines)) output.line(line)
      const isOk = isHealthy([...machine, ...engines]) && (backend === undefined || engines[0].status === 'ok')
      output.line(`\n${verdict(isOk, backend)}`)
      output.event({ type: 'doctor', ok: isOk, machine, engines })
      call.exitCode = isOk ? EXIT.ok : EXIT.failure
    })
}

function verdict(isOk: boolean, backend: EngineName | undefined): string {
  if (backend !== undefined) return `dit can${isOk ? '' : 'not'} train and sample here on ${backend}`
  return isOk ? 'dit can train and sample here' : 'something that dit needs is missing or broken: see "fail" above'
}
