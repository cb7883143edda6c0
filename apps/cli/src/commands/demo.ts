import { join } from 'node:path'
import { DamagedCheckpointError, objectiveFromSpec } from '@dit/train-ddp'
import { Command } from 'commander'
import { demoFolder } from '../run/demo-folder.js'
import { demoRun, isSameRun } from '../run/demo-run.js'
import { drawSamples, SAMPLES_FILE } from '../run/draw-samples.js'
import { DEMO_DEFAULTS, DEMO_MODEL, DEMO_SAMPLING } from '../run/demo-recipe.js'
import { scoreLines } from '../run/demo-score.js'
import { chosenBackend, ENGINE_SETTINGS } from '../engines/engine-options.js'
import { openEngine } from '../engines/open-engine.js'
import { showEngine } from '../engines/show-engine.js'
import { OTHER_SETTINGS } from '../settings/other-settings.js'
import { addSettings, type CompleteFlags, type Settings, withDefaults } from '../settings/setting.js'
import { integer, path } from '../settings/values.js'
import { denoisingOf } from '../run/objective-config.js'
import { openGenerated } from '../run/generated-data.js'
import { checkWritable } from '../run/run-folder.js'
import { checkSampleMemory } from '../samples/check-memory.js'
import { EXIT, Failure } from '../terminal/errors.js'
import { formatDuration } from '../terminal/format.js'
import { onInterrupt } from '../terminal/interrupt.js'
import type { Call } from '../terminal/io.js'
import { createOutput, type Output } from '../terminal/output.js'
import { describeRun } from '../run/describe-run.js'
import type { PreparedRun } from '../run/prepare-training.js'
import { runTraining } from '../run/run-training.js'

const DEMO_SETTINGS = {
  steps: {
    flag: '--steps <n>',
    help: 'training steps (default {default})',
    parse: integer(1),
    default: DEMO_DEFAULTS.steps,
  },
  seed: {
    flag: '--seed <n>',
    help: 'seed of everything random (default {default})',
    parse: integer(),
    default: DEMO_DEFAULTS.seed,
  },
  perClass: {
    flag: '--per-class <n>',
    help: 'pictures of each class to sample and judge (default {default})',
    parse: integer(1, 1000),
    default: DEMO_SAMPLING.perClass,
  },
  out: {
    flag: '--out <folder>',
    help: 'folder for the numbered demo folders (default {default})',
    parse: path,
    default: join('runs', 'demo'),
  },
  new: { flag: '--new', help: 'start a new demo instead of continuing a stopped one' },
  quiet: OTHER_SETTINGS.quiet,
  json: OTHER_SETTINGS.json,
  ...ENGINE_SETTINGS,
} as const satisfies Settings

type DemoFlags = CompleteFlags<typeof DEMO_SETTINGS>

const HELP = `
Every demo gets its own folder: runs/demo/1, runs/demo/2, ... Repeat the command to continue a demo that was
stopped, with Ctrl-C or otherwise. The folder is a run like any other.

Examples:
  dit demo
  dit demo --steps 500
  dit demo --seed 7 --new`

/** `dit demo` */
export function demoCommand(call: Call): Command {
  const command = new Command('demo')
    .summary('train a small DiT on generated pixel art and judge its pictures')
    .description(
      'Trains a small class-conditional DiT on generated pixel art, samples every class into samples.png, and prints the share that a rule-based recogniser finds right.',
    )
    .addHelpText('after', HELP)
    .action(async () => {
      const flags = withDefaults(DEMO_SETTINGS, command.opts())
      call.exitCode = await demo(flags, createOutput(flags, call))
    })
  return addSettings(command, DEMO_SETTINGS)
}

async function demo(flags: DemoFlags, output: Output): Promise<number> {
  const began = performance.now()
  await checkWritable('--out', flags.out)
  const data = openGenerated('sprites', DEMO_MODEL.inputSize as number)
  const engine = await openEngine(chosenBackend(flags), flags)
  try {
    const config = demoRun(flags, data, engine.description)
    const count = config.classes.length * flags.perClass
    checkSampleMemory({ model: denoisingOf(config, 'dit demo').model, count, batchSize: count, isGuided: true })
    const place = await demoFolder(flags.out, (begun) => flags.new !== true && isSameRun(begun, config))
    const prepared = {
      ...place,
      config,
      objective: objectiveFromSpec(config.objective),
      data,
      moduleBatches: null,
      engine,
      allowInexact: false,
    }
    output.line(
      'A small DiT learns to draw pixel art of eight kinds. Then a recogniser, which follows fixed rules and is not trained,',
    )
    output.line('counts the drawings that show the right kind.\n')
    showEngine(engine, output)
    for (const line of describeRun(config, place.folder)) output.line(line)
    output.event({ type: 'run', folder: place.folder, config })
    if (place.isResume) output.line(`continuing the stopped demo in ${place.folder}`)
    const exitCode = (await trainDemo(prepared, output)) ?? (await judgeDemo(prepared, flags.perClass, output))
    if (exitCode === EXIT.ok) output.line(`\n${formatDuration((performance.now() - began) / 1000)} in total`)
    return exitCode
  } finally {
    await data.close()
    await engine.backend.dispose()
  }
}

/** Returns the exit code where the demo ends here, else null. */
async function trainDemo(prepared: PreparedRun, output: Output): Promise<number | null> {
  try {
    const { step, interrupted } = await runTraining(prepared, output)
    if (interrupted === null) return null
    const saved = step === 0 ? 'Nothing was trained yet.' : 'A checkpoint is saved.'
    output.notice(`stopped at step ${step} of ${prepared.config.steps}. ${saved} Repeat the command to continue`)
    return interrupted
  } catch (error) {
    if (!(error instanceof DamagedCheckpointError)) throw error
    throw new Failure(`${error.message}. Start a new demo with --new`, { cause: error })
  }
}

/** Samples, judges and tells. Returns the exit code. */
async function judgeDemo(prepared: PreparedRun, perClass: number, output: Output): Promise<number> {
  const { folder } = prepared
  const interruption = onInterrupt(() => output.notice('stopping'))
  try {
    const score = await drawSamples(prepared, perClass, output, interruption.signal)
    output.line()
    for (const line of scoreLines(score)) output.line(line)
    output.line(`\npictures     ${join(folder, SAMPLES_FILE)}`)
    const dit = process.env.npm_lifecycle_event === 'demo' ? 'npm run dit --' : 'dit'
    output.line(`what next    ${dit} plot ${folder}`)
    output.line(`             ${dit} info ${folder}`)
    output.line(`             ${dit} sample ${folder} --guidance 1.5`)
    return EXIT.ok
  } catch (error) {
    const code = interruption.exitCode()
    if (code === null) throw error
    output.notice('stopped before the pictures were done; the training is saved. Repeat the command to continue')
    return code
  } finally {
    interruption.dispose()
  }
}
