import { access } from 'node:fs/promises'
import { readTorch, type TorchFile, TorchTensor, torchTensors, type TorchValue, TorchError } from '@dit/checkpoint'
import { forward } from '@dit/model'
import { type Params, tensor, type Tensor } from '@dit/tensor'
import { type Fixture, readChecked } from '../fixture.js'
import type { Case, Config } from '../manifest.js'
import type { KindRunner, Outcome } from '../outcome.js'
import { modelConfig } from '../reference-names.js'

/** Checkpoint files: what the `.pt` file holds is compared bit by bit, and its weights run; hostile ones must be refused. */
export const checkpoints: KindRunner = async (entry, fixture, outcome, folder) => {
  const { config } = entry
  const bytes = await readChecked(folder, entry.checkpoint!)
  if (config.must_refuse === true) return mustRefuse(config.marker, bytes, outcome)
  const file = await readTorch(bytes)
  const dicts = config.layout === 'train' ? ['model', 'ema'] : ['']
  for (const name of dicts) {
    const dict = name === '' ? file.value : at(file.value, name)
    await compareDict(file, dict, name === '' ? 'model.' : `${name}.`, fixture, outcome)
  }
  if (entry.facts !== undefined) await compareTraining(file, entry, fixture, outcome)

  const weights = torchTensors(file, config.layout === 'train' ? at(file.value, 'ema') : file.value)
  const loaded = new Map<string, Tensor>()
  for (const [name, { shape }] of weights.entries) {
    loaded.set(name, tensor(await weights.float32(name), shape, { backend: fixture.backend }))
  }
  const params: Params = Object.fromEntries(loaded)
  const output = forward(modelConfig(config.model), params, {
    xt: fixture.input('x'),
    timesteps: fixture.timesteps('t'),
    labels: fixture.ints('y'),
  })
  await outcome.read('out.forward', output)
}

/** A reader that executed something would have made the marker in the working folder. */
async function mustRefuse(marker: string, bytes: Uint8Array, outcome: Outcome): Promise<void> {
  const refused = await readTorch(bytes).then(
    () => false,
    (error: unknown) => error instanceof TorchError,
  )
  outcome.fact('the file is refused', refused)
  const isThere = await access(marker).then(
    () => true,
    () => false,
  )
  outcome.fact('no marker appears', !isThere)
}

/** Every tensor of a dict against the case's file, as float32 and to the bit, and no tensor more. */
async function compareDict(
  file: TorchFile,
  dict: TorchValue,
  prefix: string,
  fixture: Fixture,
  outcome: Outcome,
): Promise<void> {
  const tensors = torchTensors(file, dict)
  const wanted = fixture.names(prefix)
  outcome.fact(`${prefix}* has its names`, sameList([...tensors.entries.keys()].toSorted(), wanted.toSorted()))
  for (const name of tensors.entries.keys()) {
    const got = await tensors.float32(name)
    const isSame = sameList(got, fixture.values(prefix + name))
    const { shape } = tensors.entries.get(name)!
    outcome.fact(`${prefix}${name} is equal`, isSame && sameList(shape, fixture.shape(prefix + name)))
  }
}

/** What the training script keeps besides: its arguments, and the state of AdamW by parameter index. */
async function compareTraining(file: TorchFile, { facts }: Case, fixture: Fixture, outcome: Outcome): Promise<void> {
  const args = at(file.value, 'args')
  for (const [name, value] of Object.entries<unknown>(facts.args))
    outcome.fact(`args.${name}`, sameJson(at(args, name), value))
  const state = at(at(file.value, 'opt'), 'state') as ReadonlyMap<number, TorchValue>
  outcome.fact('opt has its indices', sameList([...state.keys()], facts.opt_state_keys))
  const groups = at(at(file.value, 'opt'), 'param_groups') as readonly TorchValue[]
  for (const [i, group] of (facts.opt_param_groups as Config[]).entries()) {
    for (const [name, value] of Object.entries(group)) {
      outcome.fact(`opt.param_groups.${i}.${name}`, sameJson(at(groups[i], name), value))
    }
  }
  for (const [index, values] of state) {
    const step = at(values, 'step')
    const steps = step instanceof TorchTensor ? (await file.tensor(step)).data[0] : step
    outcome.fact(`opt.${index}.step`, steps === facts.opt_step)
    for (const moment of ['exp_avg', 'exp_avg_sq']) {
      const name = `opt.${facts.opt_param_names[index]}.${moment}`
      const { data } = await file.tensor(at(values, moment) as TorchTensor)
      outcome.fact(name, sameList(data as Float32Array, fixture.values(name)))
    }
  }
}

function at(value: TorchValue, key: string): TorchValue {
  if (!(value instanceof Map)) throw new Error(`the file has no dict with ${key}`)
  return (value as ReadonlyMap<string, TorchValue>).get(key) ?? null
}

function sameList<T>(a: ArrayLike<T>, b: ArrayLike<T>): boolean {
  return a.length === b.length && Array.prototype.every.call(a, (value, i) => Object.is(value, b[i]))
}

/** Whether plain values are equal: numbers, texts, null, lists. */
function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
