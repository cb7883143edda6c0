import { bf16Engines, type Engine, otherEngines, quickEngines } from './engines.js'
import { describeThreads } from './threads.js'

const name = ({ options: { engine, instructionSet } }: Engine) => `${engine} ${instructionSet}`
const done = new Set(quickEngines.map(name))
const rest = new Map(otherEngines.map((engine) => [name(engine), engine.options]))

describeThreads([...rest].filter(([key]) => !done.has(key)).map(([, options]) => options))
describeThreads(bf16Engines.map(({ options }) => options))
