import { ENGINE_SETTINGS, type EngineFlags } from '../engines/engine-options.js'

/** Options of the engine that were given; what is absent is left to the grid. */
export function givenEngine(flags: EngineFlags): EngineFlags {
  const keys = Object.keys(ENGINE_SETTINGS) as (keyof EngineFlags)[]
  return Object.fromEntries(keys.filter((key) => flags[key] !== undefined).map((key) => [key, flags[key]]))
}
