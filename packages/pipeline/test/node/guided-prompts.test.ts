import { conditionInputs, type ConditionValues, type DiTConfig, forward } from '@dit/model'
import { reference, scope, tensor } from '@dit/tensor'
import { withPrompts } from '@dit/train-ddp'
import { expect, test } from 'vitest'
import { guidedPrompts, openPipeline } from '../../src/node/index.js'
import { movedParams, tinyNetwork } from '../support/tiny-models.js'

const backend = reference()
const config: DiTConfig = {
  ...tinyNetwork,
  numClasses: 0,
  classDropout: 0,
  block: 'cross-attention',
  conditions: [
    { name: 'caption', kind: 'tokens', size: 2, most: 3, dropout: 0.1 },
    { name: 'style', kind: 'label', classes: 3, dropout: 0.1 },
    { name: 'size', kind: 'vector', size: 1, dropout: 0 },
  ],
}
const params = movedParams(config, backend)
const prompts = {
  caption: { data: [1, 2, 3, 4, 5, 6, 7, 8], lengths: [2, 1] },
  style: { data: [2, 0] },
  size: { data: [0.5, -1] },
}
const process = { meanType: 'x0', varianceType: 'fixedSmall' } as const
const SAMPLE = { steps: 2, sampler: 'ddim', seed: 3 } as const
const pictureSize = tinyNetwork.inChannels * Number(tinyNetwork.inputSize) ** 2

/** The network told some of what the prompts say. */
function toldOnly(names: readonly string[]): Float32Array | Promise<Float32Array> {
  const values = Object.entries(prompts).map(([name, value]): [string, ConditionValues] => [
    name,
    names.includes(name) ? value : { ...value, isNull: [true, true] },
  ])
  return scope(() => forward(config, params, inputs(conditionInputs(config, Object.fromEntries(values), 2)))).data() as
    | Float32Array
    | Promise<Float32Array>
}

const xt = tensor(
  Float32Array.from({ length: 2 * pictureSize }, (_, i) => Math.sin(i)),
  [2, tinyNetwork.inChannels, Number(tinyNetwork.inputSize), Number(tinyNetwork.inputSize)],
  { backend },
)
const inputs = <Conditions>(conditions: Conditions) => ({ xt, timesteps: Int32Array.of(7, 7), conditions })

test('the output is uncond + the sum of scale_i (cond_i - uncond), with what has no scale told every time', async () => {
  const network = guidedPrompts(config, prompts, 2, { caption: 3, style: 1.5 })
  const told = network.classes!.conditions(Int32Array.of(0, 1))
  const made = scope(() => network.forward(params, inputs(told), { recompute: 'none' }))
  const output = Array.from(await made.data())
  const [uncond, caption, style] = await Promise.all([
    toldOnly(['size']),
    toldOnly(['size', 'caption']),
    toldOnly(['size', 'style']),
  ])
  const wanted = uncond.map((u, i) => u + 3 * (caption[i] - u) + 1.5 * (style[i] - u))
  // float64 in the engine, of the order of 1
  expect(Math.max(...output.map((value, i) => Math.abs(value - wanted[i])))).toBeLessThan(1e-5)
  made.dispose()
})

test('a scale of 1 for one condition is no guidance by it', async () => {
  const one = { ...config, conditions: config.conditions!.slice(0, 1) }
  const only = { caption: prompts.caption }
  const own = movedParams(one, backend)
  const drawn = async (network: ReturnType<typeof withPrompts> | ReturnType<typeof guidedPrompts>, guidance?: number) =>
    (await openPipeline({ network: network as never, params: own, process }, { backend })).pictures({
      ...SAMPLE,
      ...(guidance === undefined ? {} : { guidance, guidanceChannels: 'all' as const }),
    })
  const plain = await drawn(withPrompts(one, only, 2))
  expect(await drawn(guidedPrompts(one, only, 2, { caption: 1 }))).toEqual(plain)
  const led = await drawn(withPrompts(one, only, 2), 3)
  expect(led).not.toEqual(plain)
  expect(await drawn(guidedPrompts(one, only, 2, { caption: 3 }))).toEqual(led)
})

test('a model is prompted as it is opened', async () => {
  const prompted = (own: DiTConfig) => withPrompts(own, prompts, 2)
  const pipeline = await openPipeline({ network: config, params, process }, { backend, prompted })
  const pictures = await pipeline.pictures(SAMPLE)
  const network = withPrompts(config, prompts, 2) as never
  const direct = await (await openPipeline({ network, params, process }, { backend })).pictures(SAMPLE)
  expect(pictures.map(({ data }) => data)).toEqual(direct.map(({ data }) => data))
  expect(pictures.map(({ className }) => className)).toEqual(['0', '1'])
  const bytes = await pipeline.save()
  const again = await openPipeline(bytes, { backend, prompted })
  expect(await again.pictures(SAMPLE)).toEqual(pictures)
  await expect(openPipeline(bytes, { backend })).rejects.toThrow(
    'the weights is told conditions; its network needs prompts, as withPrompts() of @dit/train-ddp takes them',
  )
})

test('a condition that there is not, or that was never dropped, is refused by name', () => {
  expect(() => guidedPrompts(config, prompts, 2, { text: 2 })).toThrow(
    'guidedPrompts: there is no condition text to guide by (there are: caption, style, size)',
  )
  expect(() => guidedPrompts(config, prompts, 2, { size: 2 })).toThrow(
    'guidedPrompts: size was never dropped in training (its dropout is 0), so there is no guidance by it',
  )
})
