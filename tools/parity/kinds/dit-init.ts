import { gaussianDiffusion, trainingLosses } from '@dit/diffusion'
import {
  countParameters,
  ditConfig,
  type DiTConfig,
  forward,
  initParams,
  isTrainable,
  parameterShapes,
  trainableParams,
} from '@dit/model'
import { adamw, mean, randomNormal, randomStream, sameShape, valueAndGrad, zeros } from '@dit/tensor'
import { sincosPositions } from '@dit/tokenizer'
import type { Case, Config } from '../manifest.js'
import type { Fixture } from '../fixture.js'
import type { KindRunner, Outcome } from '../outcome.js'
import { modelConfig } from '../reference-names.js'

/** The initialiser's rules, position tables, and the twelve named models. */
export const ditInit: KindRunner = async (entry, fixture, outcome) => {
  const { config, facts } = entry
  if (facts?.params !== undefined) return initRules(entry, fixture, outcome)
  if (facts !== undefined) return namedModels(config, facts, outcome)
  for (const [D, side] of config.small) outcome.set(`out.d${D}.g${side}`, sincosPositions(D, [side, side]))
  for (const [D, side, rows] of config.rows_of_large) {
    const table = sincosPositions(D, [side, side])
    const picked = (rows as number[]).flatMap((row) => [...table.subarray(row * D, (row + 1) * D)])
    outcome.set(`out.rows.d${D}.g${side}`, picked)
  }
}

async function initRules({ config, facts }: Case, { backend }: Fixture, outcome: Outcome): Promise<void> {
  const model = modelConfig(config.model)
  const params = initParams(model, { seed: config.seed, backend })
  outcome.fact(
    'parameter names and order',
    sameNames(
      Object.keys(params),
      facts.params.map((p: Config) => p.param),
    ),
  )
  for (const rule of facts.params) {
    const found = params[rule.param]
    const holds =
      sameShape(found.shape, rule.shape) &&
      isTrainable(model, rule.param) === (rule.trainable ?? true) &&
      follows(rule, Array.from(await found.data()), model)
    outcome.fact(`${rule.param} follows ${rule.rule}`, holds)
  }
  await gradientFacts(model, facts, params, outcome)
}

function follows(rule: Config, values: readonly number[], model: DiTConfig): boolean {
  const average = values.reduce((a, b) => a + b, 0) / values.length
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length)
  const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
  // Sampling error of a mean is std / sqrt(n), of a standard deviation about std / sqrt(2 n): six of them.
  const near = (want: number) =>
    Math.abs(average) < (6 * want) / Math.sqrt(values.length) &&
    Math.abs(std / want - 1) < 6 / Math.sqrt(2 * values.length)
  switch (rule.rule) {
    case 'zeros':
      return largest === 0
    case 'normal':
      return near(rule.std) && largest > rule.std * 2
    case 'xavier_uniform':
      return near(rule.bound / Math.sqrt(3)) && largest <= rule.bound * (1 + 1e-6) && largest > rule.bound * 0.9
    case 'sincos': {
      const side = Math.sqrt(values.length / model.hiddenSize)
      return sincosPositions(model.hiddenSize, [side, side]).every((value, i) => value === Math.fround(values[i]))
    }
    default:
      return false
  }
}

/** Which parameters receive a gradient in the first steps. */
async function gradientFacts(
  model: DiTConfig,
  facts: Config,
  params: ReturnType<typeof initParams>,
  outcome: Outcome,
): Promise<void> {
  const { backend } = params.pos_embed
  const size = model.inputSize as number
  const shape = [4, model.inChannels, size, size]
  const input = (name: string) => randomNormal(shape, randomStream(0, name), { backend })
  const [timesteps, labels] = [Int32Array.of(5, 300, 600, 990), Int32Array.of(0, 1, 2, 3)]
  const output = await forward(model, params, { xt: input('x0'), timesteps, labels }).data()
  outcome.fact('a fresh model outputs zero', facts.forward_is_all_zero === output.every((value) => value === 0))

  const diffusion = gaussianDiffusion()
  const trainable = trainableParams(model, params)
  const moments = Object.fromEntries(
    Object.entries(trainable).map(([name, p]) => [
      name,
      { m: zeros(p.shape, { backend }), v: zeros(p.shape, { backend }) },
    ]),
  )
  const seen = new Set<string>()
  for (let step = 1; step <= 4; step++) {
    const { gradients } = valueAndGrad(trainable, () => {
      const predict = (xt: typeof params.pos_embed, t: Int32Array) =>
        forward(model, params, { xt, timesteps: t, labels })
      return {
        loss: mean(trainingLosses(diffusion, predict, { x0: input('x0'), noise: input('noise'), timesteps }).loss),
      }
    })
    const fresh: string[] = []
    for (const [name, gradient] of Object.entries(gradients)) {
      if (!seen.has(name) && (await gradient.data()).some((value) => value !== 0)) fresh.push(name)
      adamw(
        { parameter: trainable[name], gradient, ...moments[name], ema: null },
        {
          learningRate: 1e-2,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          weightDecay: 0,
          step,
          gradientScale: 1,
          emaDecay: 0,
        },
      )
    }
    for (const name of fresh) seen.add(name)
    const want = step === 1 ? facts.nonzero_grad_step1 : facts[`newly_nonzero_grad_step${step}`]
    outcome.fact(`gradients that first appear in step ${step}`, sameNames(fresh.toSorted(), want.toSorted()))
  }
}

function namedModels(
  { input_size: inputSize, num_classes: numClasses }: Config,
  facts: Config,
  outcome: Outcome,
): void {
  for (const [name, want] of Object.entries<Config>(facts)) {
    const model = ditConfig(name, { inputSize, numClasses })
    const { depth, hidden_size, num_heads, patch_size } = want
    const sizes = [model.depth, model.hiddenSize, model.numHeads, model.patchSize]
    outcome.fact(
      `${name}: sizes`,
      [depth, hidden_size, num_heads, patch_size].every((value, i) => value === sizes[i]),
    )
    const { all, trainable } = countParameters(model)
    outcome.fact(`${name}: parameter counts`, all === want.parameters && trainable === want.trainable_parameters)
    const blocks = Array.from({ length: depth }, (_, i) =>
      want.each_block.map(([suffix, shape]: [string, number[]]) => [`blocks.${i}.${suffix}`, shape]),
    ).flat()
    const expected = [...want.before_blocks, ...blocks, ...want.after_blocks]
    outcome.fact(
      `${name}: names and shapes in order`,
      JSON.stringify(Object.entries(parameterShapes(model))) === JSON.stringify(expected),
    )
  }
}

function sameNames(got: readonly string[], want: readonly string[]): boolean {
  return got.length === want.length && got.every((name, i) => name === want[i])
}
