import { checkConfig, type DiTConfig } from '@dit/model'
import { checkRecipe, completeProcess, objectiveFromSpec, type TrainRecipe } from '@dit/train-ddp'
import { checkEvaluationConfig } from '../in-training/evaluation-config.js'
import { checkFrom } from '../fine-tune/from-config.js'
import { ENGINE_NAMES } from '../engines/names.js'
import { MAX_TIMESTEPS, PROCESS_SETTINGS } from '../settings/process-settings.js'
import { familyOf, placeOf, valueAt } from '../settings/run-setting.js'
import { isSwitch, isValue } from '../settings/setting.js'
import { TRAIN_ROWS } from '../settings/train-settings.js'
import { GENERATED_NAMES } from './generated-data.js'
import type { RunConfig } from './run-config.js'

type Fields = Readonly<Record<string, unknown>>

/**
 * Checks what was read from a run's `config.json`, every field that a command relies on.
 *
 * @throws RangeError or TypeError that names the field
 */
export function checkRunConfig(config: Fields): asserts config is RunConfig & Fields {
  const { modelName = null, classes } = config
  const { objective, recipe, data, engine } = objects(config, 'objective', 'recipe', 'data', 'checkpoint', 'engine')
  for (const name of ['heldOut', 'stepsFrom', 'evaluation']) if (config[name] !== undefined) objects(config, name)
  checkSettings(config)
  if (config.evaluation !== undefined) checkEvaluationConfig(config.evaluation as Fields)
  checkRecipe(recipe as unknown as TrainRecipe)
  const model = checkObjective(objective, config)
  must(modelName === null || typeof modelName === 'string', 'modelName', 'a name, or null', modelName)
  const isNamed = Array.isArray(classes) && classes.every((name) => typeof name === 'string')
  must(isNamed, 'classes', 'a list of names', classes)
  const numNames = (classes as string[]).length
  // Conditions stand in place of the class.
  if (model !== null && model.conditions === undefined) {
    must(numNames === model.numClasses, 'classes', `${model.numClasses} names, one for each class`, numNames)
  }
  checkData(data)
  if (data.kind === 'module' && objective.kind !== 'module') {
    must(false, 'data.kind', 'shapes, sprites, folder or latents for a DiT', data.kind)
  }
  if (typeof config.recompute === 'number') {
    const most = model?.depth ?? Infinity
    const isDepth = Number.isInteger(config.recompute) && config.recompute >= 0 && config.recompute <= most
    must(isDepth, 'recompute', `0 to ${most} blocks`, config.recompute)
  } else oneOf(config.recompute, ['none', 'block'], 'recompute')
  oneOf(engine.name, ENGINE_NAMES, 'engine.name')
  for (const name of ['version', 'instructionSet'] as const) {
    must(engine[name] === null || typeof engine[name] === 'string', `engine.${name}`, 'text, or null', engine[name])
  }
  must(isCount(engine.threads), 'engine.threads', A_COUNT, engine.threads)
  if (engine.precision !== undefined) oneOf(engine.precision, ['f16', 'bf16', 'tf32'], 'engine.precision')
}

/**
 * Checks the places of settings by what their rows say, but for most numbers of a recipe and for the objective, which the packages check.
 */
function checkSettings(config: Fields): void {
  for (const setting of Object.values(TRAIN_ROWS)) {
    const place = placeOf(setting, familyOf(config))
    if (place === undefined || place.startsWith('objective.')) continue
    const value = valueAt(config, place)
    const isAbsent =
      setting.isOptional === true || OPTIONAL.some((part) => isIn(place, part) && config[part] === undefined)
    if (isAbsent && value === undefined) continue
    if (setting.must !== undefined) must(isValue(setting, value), place, setting.must, value)
    else if (setting.choices !== undefined) oneOf(value, setting.choices, place)
    else if (isSwitch(setting)) must(typeof value === 'boolean', place, TRUE_OR_FALSE, value)
  }
}

/** Parts of a run that it may not have. */
const OPTIONAL = ['heldOut', 'evaluation'] as const

function isIn(place: string, part: string): boolean {
  return place.startsWith(`${part}.`)
}

/** The model that is trained; null where a module makes the objective, which is checked when it is loaded. */
function checkObjective(objective: Fields, run: Fields): DiTConfig | null {
  oneOf(objective.kind, ['denoising', 'distillation', 'module'], 'objective.kind')
  if (objective.kind === 'module') {
    for (const name of ['module', 'sha256'] as const) {
      must(typeof objective[name] === 'string', `objective.${name}`, 'text', objective[name])
    }
    objects(objective, 'spec')
    if (objective.options !== undefined) objects(objective, 'options')
    return null
  }
  const { network, process } = objects(objective, 'network', 'process')
  oneOf(network.kind, ['dit'], 'objective.network.kind')
  if (objective.kind === 'denoising')
    oneOf(objective.timestepSampler, PROCESS_SETTINGS.timestepSampler.choices, 'objective.timestepSampler')
  const { config } = objects(network, 'config')
  checkConfig(config as unknown as DiTConfig)
  checkFrom(run, network, config as unknown as DiTConfig)
  oneOf(process.kind, PROCESS_SETTINGS.process.choices, 'objective.process.kind')
  const { numTimesteps = 1 } = process
  const isBounded = isCount(numTimesteps) && numTimesteps <= MAX_TIMESTEPS
  must(isBounded, 'objective.process.numTimesteps', `1 to ${MAX_TIMESTEPS}`, numTimesteps)
  if (objective.kind === 'distillation') return checkStudent(objective, process, config as unknown as DiTConfig)
  // Adapters were checked above; without the weights that they adapt nothing can be made of them.
  return objectiveFromSpec({ ...objective, network: { kind: network.kind, config } }).spec.network.config
}

/** Checks what a run says of a student; without the weights of its teacher nothing can be made of it. */
function checkStudent(objective: Fields, process: Fields, model: DiTConfig): DiTConfig {
  const { teacher, isFirst, guidanceScale } = objective
  must(typeof teacher === 'string', 'objective.teacher', 'text', teacher)
  must(typeof isFirst === 'boolean', 'objective.isFirst', TRUE_OR_FALSE, isFirst)
  must(Number.isFinite(guidanceScale), 'objective.guidanceScale', 'a number', guidanceScale)
  const { distilled } = completeProcess(process)
  must(distilled !== undefined, 'objective.process.distilled', 'an object', distilled)
  return model
}

function checkData(data: Fields): void {
  oneOf(data.kind, [...GENERATED_NAMES, 'folder', 'shards', 'latents', 'dataset', 'module'], 'data.kind')
  if (data.kind === 'module') return
  for (const name of ['size', 'length'] as const) must(isCount(data[name]), `data.${name}`, A_COUNT, data[name])
  if (GENERATED_NAMES.some((name) => name === data.kind)) return
  const texts = data.kind === 'dataset' ? (['module', 'pictures'] as const) : (['folder', 'files'] as const)
  for (const name of texts) {
    must(typeof data[name] === 'string' && data[name] !== '', `data.${name}`, 'text', data[name])
  }
  if (data.kind === 'dataset') return
  if (data.conditions !== undefined) {
    const { asked, sha256 } = objects(data, 'conditions').conditions
    must(
      typeof asked === 'string' && typeof sha256 === 'string',
      'data.conditions',
      'what was asked and its sha256',
      data.conditions,
    )
  }
  if (data.kind === 'latents') must(isCount(data.channels), 'data.channels', A_COUNT, data.channels)
  else {
    must(typeof data.skipBad === 'boolean', 'data.skipBad', TRUE_OR_FALSE, data.skipBad)
    const { background = null, maxPixels = 1 } = data
    const isColour = background === null || (typeof background === 'string' && /^#[0-9a-f]{6}$/.test(background))
    must(isColour, 'data.background', 'a colour such as #ffffff, or null', background)
    must(isCount(maxPixels), 'data.maxPixels', A_COUNT, maxPixels)
    const { contents = { files: 1, sha256: '' } } = data
    const { files, sha256 } = (contents ?? {}) as Fields
    const isDigest = (files === 'all' || isCount(files)) && typeof sha256 === 'string'
    must(isDigest, 'data.contents', 'a number of files and their sha256', contents)
  }
}

const A_COUNT = 'a positive whole number'
const TRUE_OR_FALSE = 'true or false'

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0
}

function objects<K extends string>(parent: Fields, ...names: readonly K[]): Record<K, Fields> {
  for (const name of names) {
    const value = parent[name]
    must(typeof value === 'object' && value !== null && !Array.isArray(value), name, 'an object', value)
  }
  return parent as Record<K, Fields>
}

function oneOf(value: unknown, known: readonly string[], field: string): void {
  must(typeof value === 'string' && known.includes(value), field, `one of ${known.join(', ')}`, value)
}

function must(isRight: boolean, field: string, what: string, value: unknown): void {
  if (!isRight)
    throw new RangeError(`"${field}" must be ${what} (got ${value === undefined ? 'nothing' : short(value)})`)
}

function short(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
