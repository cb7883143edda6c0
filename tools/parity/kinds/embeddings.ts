import { dropLabels, labelEmbedding } from '@dit/adaln'
import { timestepFeatures } from '@dit/schedules'
import { sincosPositions } from '@dit/tokenizer'
import type { KindRunner } from '../outcome.js'

/** Timestep features, position tables, label dropout. */
export const embeddings: KindRunner = async ({ config }, fixture, outcome) => {
  if (config.dim !== undefined) {
    outcome.set('out.emb', timestepFeatures(fixture.timesteps('t'), config.dim, config.max_period))
  } else if (config.embed_dim !== undefined) {
    const { embed_dim: D, grid_size: side, cls_token: hasExtra, extra_tokens: extraTokens } = config
    outcome.set('out.pos', sincosPositions(D, [side, side], { extraTokens: hasExtra ? extraTokens : 0 }))
  } else {
    const table = fixture.input('table')
    const labels = fixture.ints('y')
    const drop = { nullLabel: config.num_classes as number, probability: config.dropout_prob as number }
    const dropped = dropLabels(labels, { ...drop, uniforms: fixture.values('in.u') })
    const forced = dropLabels(labels, { ...drop, force: fixture.ints('force_drop_ids') })
    outcome.set('out.dropped', dropped)
    await outcome.read('out.train', labelEmbedding(dropped, table))
    await outcome.read('out.eval', labelEmbedding(labels, table))
    await outcome.read('out.force', labelEmbedding(forced, table))
    await outcome.read('out.force_eval', labelEmbedding(forced, table))
  }
}
