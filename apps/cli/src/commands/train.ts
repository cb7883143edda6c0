import { Command } from 'commander'
import { engineText } from '../engines/open-engine.js'
import { givenOptions } from '../options/config-file.js'
import { addTrainOptions, type TrainFlags } from '../options/train-options.js'
import { EXIT } from '../terminal/errors.js'
import { createOutput, type Output } from '../terminal/output.js'
import { describeRun } from '../training/describe-run.js'
import { prepareTraining } from '../training/prepare-training.js'
import { runTraining } from '../training/run-training.js'

const EXAMPLES = `
Examples:
  dit train --data shapes --size 16 --steps 500
  dit train --data photos --size 32 --patch 2 --out runs/photos
  dit train --resume runs/photos
  dit train --config photos.json --seed 1

Ctrl-C saves a checkpoint and stops; a second one quits at once. A run folder holds config.json, log.jsonl,
checkpoints/ and samples/.`

/** `dit train` */
export function trainCommand(): Command {
  const command = new Command('train')
    .summary('train a class-conditional DiT on pictures')
    .description('Trains a class-conditional DiT on pictures.')
  return addTrainOptions(command)
    .addHelpText('after', EXAMPLES)
    .action(async () => {
      const flags = givenOptions<TrainFlags>(command)
      process.exitCode = await trainFromFlags(flags, createOutput(flags))
    })
}

/** Trains what flags describe. Returns the exit code; errors are thrown. */
export async function trainFromFlags(flags: TrainFlags, output: Output): Promise<number> {
  const prepared = await prepareTraining(flags, output)
  const { folder, config, data, engine } = prepared
  try {
    output.line(`engine ${engineText(engine.description)}`)
    for (const line of describeRun(config, folder)) output.line(line)
    output.event({ type: 'run', folder, config })
    const { step, interrupted, isGridMissing } = await runTraining(prepared, output)
    if (interrupted !== null && step === config.steps && isGridMissing) {
      output.notice(
        `all ${step} steps are done and saved, but the last grid of samples is missing. Make one with: dit sample --run ${folder}`,
      )
      return interrupted
    }
    if (interrupted !== null) {
      const saved = step === 0 ? 'nothing was trained yet' : 'a checkpoint is saved'
      output.notice(`stopped at step ${step} of ${config.steps}; ${saved}. Continue with: dit train --resume ${folder}`)
      return interrupted
    }
    output.line(`done; see what it learned with: dit sample --run ${folder}`)
    return EXIT.ok
  } finally {
    await data.close()
    await engine.backend.dispose()
  }
}
