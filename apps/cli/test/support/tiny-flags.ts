/** A run that takes a second: 8x8 shapes, 12,304 parameters, 20 timesteps, on the engine that starts fastest. */
export const TINY: readonly string[] = [
  '--size=8',
  '--patch=4',
  '--hidden=16',
  '--depth=1',
  '--heads=2',
  '--batch=4',
  '--timesteps=20',
  '--schedule=squaredcos_cap_v2',
  '--sample-every=none',
  '--backend=reference',
]

/** The same for a flow, which has no timesteps and no schedule. */
export const TINY_FLOW: readonly string[] = [
  ...TINY.filter((flag) => !flag.startsWith('--timesteps') && !flag.startsWith('--schedule')),
  '--process=flow',
]
