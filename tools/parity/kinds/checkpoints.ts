import { forward } from '@dit/model'
import { readChecked } from '../fixture.js'
import type { KindRunner } from '../outcome.js'
import { modelConfig } from '../reference-names.js'

/**
 * Checkpoint files. The safetensors side of each case is run: its weights are loaded and its forward pass compared.
 * There is no reader of `.pt` files yet, so that every case also says `unsupported`.
 */
export const checkpoints: KindRunner = async ({ config, checkpoint }, fixture, outcome, folder) => {
  if (checkpoint !== undefined) {
    await readChecked(folder, checkpoint)
    outcome.unsupported = 'no reader of .pt files'
  }
  if (config.must_refuse === true) return
  const averaged = fixture.params('ema.')
  const params = Object.keys(averaged).length > 0 ? averaged : fixture.params('model.')
  const output = forward(modelConfig(config.model), params, {
    xt: fixture.input('x'),
    timesteps: fixture.timesteps('t'),
    labels: fixture.ints('y'),
  })
  await outcome.read('out.forward', output)
}
